#include "lab/shrink/remap.hpp"

#include <algorithm>
#include <utility>

#include "lab/script/format.hpp"
#include "lab/script/values.hpp"
#include "lab/script/verbs.hpp"
#include "lab/shrink/script_lines.hpp"

namespace kiwi::lab::shrinking {
namespace {

class Remap {
 public:
  explicit Remap(const std::vector<NodeId>& gone) : gone_(gone) {}

  bool is_gone(NodeId node) const { return std::find(gone_.begin(), gone_.end(), node) != gone_.end(); }
  NodeId renamed(NodeId node) const {
    const auto below = std::count_if(gone_.begin(), gone_.end(), [&](NodeId each) { return each < node; });
    return NodeId(node.value - static_cast<std::uint64_t>(below));
  }

  void apply(std::vector<NodeId>& nodes) const {
    std::erase_if(nodes, [&](NodeId node) { return is_gone(node); });
    for (NodeId& node : nodes) {
      node = renamed(node);
    }
  }

  /// False: nobody is left.
  bool apply(script::Selector& selector) const {
    using Kind = script::Selector::Kind;
    switch (selector.kind) {
      case Kind::node:
        if (is_gone(selector.node)) {
          return false;
        }
        selector.node = renamed(selector.node);
        return true;
      case Kind::list:
        std::erase_if(selector.parts, [&](script::Selector& part) { return !apply(part); });
        return !selector.parts.empty();
      case Kind::except:
        // All but somebody who is gone is all.
        if (!apply(selector.parts.at(0))) {
          return false;
        }
        if (!apply(selector.parts.at(1))) {
          selector = script::Selector(selector.parts.at(0));
        }
        return true;
      case Kind::pick:
        return apply(selector.parts.at(0));
      default:
        return true;
    }
  }

  bool apply(script::Link& link) const { return apply(link.from) && apply(link.to); }

  bool apply(script::Predicate& predicate) const {
    const bool named = !predicate.nodes.empty();
    std::erase_if(predicate.nodes, [&](script::Selector& nodes) { return !apply(nodes); });
    if (named && predicate.nodes.empty()) {
      return false;
    }
    if (auto* selector = std::get_if<script::Selector>(&predicate.right.value)) {
      return apply(*selector);
    }
    if (auto* other = std::get_if<std::vector<script::Predicate>>(&predicate.right.value)) {
      return std::all_of(other->begin(), other->end(), [&](script::Predicate& each) { return apply(each); });
    }
    return true;
  }

  bool apply(script::Event& event) const {
    if (event.kind == script::Event::Kind::message) {
      return apply(event.link);
    }
    if (event.kind == script::Event::Kind::predicate) {
      return std::all_of(event.predicate.begin(), event.predicate.end(),
                         [&](script::Predicate& each) { return apply(each); });
    }
    return apply(event.on);
  }

 private:
  const std::vector<NodeId>& gone_;
};

/// Renames inside a candidate and follows the text of its check.
class Walk {
 public:
  Walk(Candidate& candidate, const std::vector<NodeId>& gone)
      : candidate_(candidate), check_(candidate.check), remap_(gone) {}

  /// False: what the check says is gone.
  bool all() {
    script::Scenario& scenario = candidate_.scenario;
    std::erase_if(scenario.actions, [&](script::Action& action) { return !keep(action); });
    std::erase_if(scenario.blocks, [&](script::Block& block) { return !keep(block); });
    checks(scenario.always, "always ");
    checks(scenario.finally, "finally ");
    for (script::Load& load : scenario.loads) {
      move_load(load);
    }
    return !lost_;
  }

 private:
  bool keep(script::Action& action) {
    const bool on_nodes = !action.nodes.empty();
    const bool on_links = !action.to.empty();
    remap_.apply(action.nodes);
    remap_.apply(action.to);
    if (on_links && action.nodes == action.to && action.nodes.size() == 1) {
      return false;
    }
    return (!on_nodes || !action.nodes.empty()) && (!on_links || !action.to.empty());
  }

  /// A statement of a lowered block: an expectation, or a `when` that is waited for.
  bool keep(script::Block& block) {
    std::erase_if(block.body, [&](script::Statement& statement) { return !keep(statement); });
    return !block.body.empty();
  }

  bool keep(script::Statement& statement) {
    if (auto* expect = std::get_if<script::Expect>(&statement.value)) {
      const std::string before = script::to_text(*expect);
      std::erase_if(expect->predicates, [&](script::Predicate& each) { return !remap_.apply(each); });
      const bool kept = !expect->predicates.empty();
      renamed(before, kept ? script::to_text(*expect) : "");
      return kept;
    }
    auto* inner = std::get_if<script::Block>(&statement.value);
    if (inner == nullptr || inner->when.event.empty()) {
      return true;
    }
    const std::string before = "when: " + script::to_text(inner->when.event.front());
    const bool kept = remap_.apply(inner->when.event.front());
    renamed(before, kept ? "when: " + script::to_text(inner->when.event.front()) : "");
    return kept;
  }

  void checks(std::vector<script::Predicate>& predicates, const std::string& head) {
    std::erase_if(predicates, [&](script::Predicate& predicate) {
      const std::string before = script::to_text(predicate);
      const bool kept = remap_.apply(predicate);
      const std::string after = script::to_text(predicate);
      renamed(head + before, kept ? head + after : "");
      renamed(before, kept ? after : "");
      return !kept;
    });
  }

  void move_load(script::Load& load) {
    for (script::Setting& setting : load.settings) {
      const auto node = setting.key == "to" ? script::read_node(setting.value) : std::nullopt;
      if (node && remap_.is_gone(NodeId(*node))) {
        setting.value = "any";
      } else if (node) {
        setting.value = "n" + to_string(remap_.renamed(NodeId(*node)));
      }
    }
  }

  void renamed(const std::string& before, const std::string& after) {
    if (check_ == before) {
      candidate_.check = after;
      lost_ = lost_ || after.empty();
    }
  }

  Candidate& candidate_;
  const std::string check_;
  Remap remap_;
  bool lost_ = false;
};

}  // namespace

std::optional<Candidate> without_nodes(const Candidate& candidate, const std::vector<NodeId>& gone) {
  Candidate result = candidate;
  const auto nodes = script::read_number(cluster_value(candidate.scenario, "nodes"));
  if (!nodes || *nodes <= gone.size()) {
    return std::nullopt;
  }
  set_value(result.scenario.cluster, "nodes", std::to_string(*nodes - gone.size()));
  return Walk(result, gone).all() ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace kiwi::lab::shrinking
