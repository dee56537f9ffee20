// Concrete nodes back into roles: a story that is about the leader says so, and is no story of one seed.

#include <algorithm>
#include <map>
#include <utility>

#include "lab/script/settings.hpp"
#include "lab/script/verbs.hpp"
#include "lab/shrink/passes.hpp"
#include "lab/shrink/script_lines.hpp"

namespace kiwi::lab::shrinking {
namespace {

using script::Selector;

/// More nodes than this have no story that roles could tell.
constexpr std::size_t kMostNamed = 3;
constexpr const char* kNames[kMostNamed] = {"a", "b", "c"};

/// A check whose text names nodes reads otherwise with every seed.
bool names_nodes(const std::string& check) {
  for (std::size_t i = 0; i + 1 < check.size(); ++i) {
    const bool word = i > 0 && (std::isalnum(static_cast<unsigned char>(check[i - 1])) != 0);
    if (!word && check[i] == 'n' && std::isdigit(static_cast<unsigned char>(check[i + 1])) != 0) {
      return true;
    }
  }
  return false;
}

Selector simple(Selector::Kind kind) {
  Selector selector;
  selector.kind = kind;
  return selector;
}

Selector named(const std::string& name) {
  Selector selector = simple(Selector::Kind::name);
  selector.name = name;
  return selector;
}

/// One follower that has no name yet.
Selector other_follower(std::size_t names) {
  Selector from = simple(Selector::Kind::followers);
  if (names > 0) {
    Selector known = simple(Selector::Kind::list);
    for (std::size_t i = 0; i < names; ++i) {
      known.parts.push_back(named(kNames[i]));
    }
    Selector except = simple(Selector::Kind::except);
    except.parts = {std::move(from), names == 1 ? known.parts.front() : std::move(known)};
    from = std::move(except);
  }
  Selector pick = simple(Selector::Kind::pick);
  pick.count = 1;
  pick.parts = {std::move(from)};
  return pick;
}

class Roles {
 public:
  explicit Roles(const script::Scenario& scenario) : scenario_(scenario) {
    for (const std::size_t line : by_time(scenario_)) {
      if (const script::Action* action = action_of(scenario_, line)) {
        note(action->nodes);
        note(action->to);
      }
    }
  }

  std::size_t nodes() const { return nodes_.size(); }

  /// `leader`: which of the nodes, in order of their first mention, is the leader then; others are followers.
  std::optional<script::Scenario> with_leader(std::size_t leader) const {
    script::Scenario result = scenario_;
    result.actions.clear();
    result.blocks.clear();
    std::size_t known = 0;
    for (const std::size_t line : by_time(scenario_)) {
      const script::Action* action = action_of(scenario_, line);
      if (action == nullptr) {
        result.blocks.push_back(scenario_.blocks[line - scenario_.actions.size()]);
        continue;
      }
      auto call = call_of(*action);
      if (!call) {
        result.actions.push_back(*action);
        continue;
      }
      script::Block block;
      block.when.kind = script::When::Kind::at;
      block.when.time = action->at;
      for (; known < nodes_.size() && mentions(*action, nodes_[known]); ++known) {
        script::Let let;
        let.name = kNames[known];
        let.value = known == leader ? simple(Selector::Kind::leader) : other_follower(known);
        block.body.push_back({std::move(let)});
      }
      block.body.push_back({std::move(*call)});
      result.blocks.push_back(std::move(block));
    }
    return result;
  }

 private:
  void note(const std::vector<NodeId>& nodes) {
    for (const NodeId node : nodes) {
      if (std::find(nodes_.begin(), nodes_.end(), node) == nodes_.end()) {
        nodes_.push_back(node);
      }
    }
  }
  static bool mentions(const script::Action& action, NodeId node) {
    const auto in = [&](const std::vector<NodeId>& nodes) {
      return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
    };
    return in(action.nodes) || in(action.to);
  }
  Selector selector_of(const std::vector<NodeId>& nodes) const {
    Selector list = simple(Selector::Kind::list);
    for (const NodeId node : nodes) {
      const auto number = std::find(nodes_.begin(), nodes_.end(), node) - nodes_.begin();
      list.parts.push_back(named(kNames[number]));
    }
    return list.parts.size() == 1 ? Selector(list.parts.front()) : list;
  }
  /// Nothing: it is about no node, or too special.
  std::optional<script::VerbCall> call_of(const script::Action& action) const {
    if (action.nodes.empty()) {
      return std::nullopt;
    }
    script::VerbCall call;
    call.verb = action.verb;
    call.words = action.words;
    call.options = action.options;
    if (action.to.empty()) {
      call.target = selector_of(action.nodes);
    } else {
      call.target = script::Link{selector_of(action.nodes), action.both_ways, selector_of(action.to)};
    }
    return call;
  }

  const script::Scenario& scenario_;
  std::vector<NodeId> nodes_;  // by first mention
};

bool all_fail(Attempts& attempts, const std::vector<std::optional<Trial>>& trials) {
  return std::all_of(trials.begin(), trials.end(), [&](const std::optional<Trial>& trial) {
    return trial && trial->verdict.outcome == Outcome::fail && trial->verdict.check == attempts.check();
  });
}

/// With its own seed, twice, and with each of `seeds` others. Gives the run with its own seed.
std::optional<Trial> fails_with(Attempts& attempts, const script::Scenario& scenario, std::uint64_t seeds) {
  if (attempts.stopped()) {
    return std::nullopt;
  }
  // Most candidates fail here already.
  const auto own = attempts.run({scenario, scenario});
  if (!all_fail(attempts, own) || attempts.stopped()) {
    return std::nullopt;
  }
  const std::uint64_t seed = script::cluster_settings(scenario).seed;
  std::vector<script::Scenario> others(seeds, scenario);
  for (std::uint64_t i = 0; i < seeds; ++i) {
    set_value(others[i].cluster, "seed", std::to_string(seed + 1 + i));
  }
  return all_fail(attempts, attempts.run(others)) ? own.front() : std::nullopt;
}

}  // namespace

bool name_by_role(Attempts& attempts, std::uint64_t seeds) {
  if (seeds == 0 || names_nodes(attempts.check())) {
    return false;
  }
  const script::Scenario base = attempts.best();
  const Roles roles(base);
  if (roles.nodes() == 0 || roles.nodes() > kMostNamed) {
    return false;
  }
  // The last choice: none of them is the leader.
  for (std::size_t leader = 0; leader <= roles.nodes(); ++leader) {
    auto candidate = roles.with_leader(leader);
    auto parsed = candidate ? Attempts::as_file(*candidate) : std::nullopt;
    auto own = parsed ? fails_with(attempts, *parsed, seeds) : std::nullopt;
    if (own) {
      attempts.adopt(std::move(*parsed), std::move(*own), "roles instead of nodes");
      return true;
    }
  }
  return false;
}

}  // namespace kiwi::lab::shrinking
