#include "lab/run/questions.hpp"

#include <algorithm>
#include <utility>

#include "lab/run/load_figures.hpp"
#include "lab/run/reply_kind.hpp"
#include "lab/script/predicates.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab {
namespace {

using script::Compare;
using Nodes = std::vector<NodeId>;

/// A node that was asked and gave the wrong answer is asked again after this long.
constexpr Time kAskAgain = std::chrono::milliseconds(20);

std::string name(NodeId id) { return id ? "n" + to_string(id) : "nobody"; }

std::string_view role_text(NodeRole role) {
  switch (role) {
    case NodeRole::leader:
      return "leader";
    case NodeRole::follower:
      return "follower";
    case NodeRole::candidate:
    case NodeRole::pre_candidate:
      return "candidate";
    case NodeRole::learner:
      return "learner";
    case NodeRole::unknown:
      break;
  }
  return "unknown";
}

std::string option(const script::Predicate& predicate, std::string_view key, std::string fallback) {
  for (const script::Setting& setting : predicate.options) {
    if (setting.key == key) {
      return setting.value;
    }
  }
  return fallback;
}

}  // namespace

bool compare(Compare how, std::uint64_t left, std::uint64_t right) {
  switch (how) {
    case Compare::equal:
      return left == right;
    case Compare::different:
      return left != right;
    case Compare::less:
      return left < right;
    case Compare::less_equal:
      return left <= right;
    case Compare::greater:
      return left > right;
    case Compare::greater_equal:
      return left >= right;
  }
  return false;
}

bool Questions::needs_whole_run(const script::Predicate& predicate) {
  static const std::set<std::string> kWhole = {"linearizable", "counter",  "acknowledged", "fired",
                                               "sometimes",    "never",    "raft",         "clients",
                                               "storage",      "resources"};
  return kWhole.contains(predicate.name);
}

bool Questions::asks_nodes(const script::Predicate& predicate) {
  return predicate.name == "key" || predicate.name == "refuses" || predicate.name == "digest-equal";
}

Answer Questions::ask(const script::Predicate& predicate) {
  Answer answer = positive(predicate);
  if (predicate.negated && answer.state == Answer::State::yes) {
    answer.state = Answer::State::no;
  } else if (predicate.negated && answer.state == Answer::State::no) {
    answer.state = Answer::State::yes;
  }
  return answer;
}

std::vector<NodeId> Questions::nodes_of(const script::Predicate& predicate) {
  ChanceStream stream = run_.chance.stream("predicate", predicate.name);
  LineSelectors line(run_.views(), run_.kept, stream);
  Nodes all;
  for (const script::Selector& selector : predicate.nodes) {
    if (const auto nodes = line.resolve(selector)) {
      all.insert(all.end(), nodes->begin(), nodes->end());
    }
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

Answer Questions::compare_number(const script::Predicate& predicate, std::uint64_t left) {
  Answer answer;
  answer.number = left;
  answer.why = "it is " + std::to_string(left);
  if (!predicate.compare) {
    answer.state = Answer::State::yes;
    return answer;
  }
  std::uint64_t right = 0;
  const auto& value = predicate.right.value;
  if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    right = *number;
  } else if (const auto* inner = std::get_if<std::vector<script::Predicate>>(&value)) {
    script::Predicate bare = inner->at(0);
    bare.compare.reset();
    right = positive(bare).number;
    answer.why += " against " + std::to_string(right);
  }
  answer.state = compare(*predicate.compare, left, right) ? Answer::State::yes : Answer::State::no;
  return answer;
}

Answer Questions::compare_nodes(const script::Predicate& predicate, const Nodes& left) {
  const std::string is = "it is " + to_text(left);
  if (!predicate.compare) {
    return Answer::of(!left.empty(), is);
  }
  Nodes right;
  if (const auto* selector = std::get_if<script::Selector>(&predicate.right.value)) {
    ChanceStream stream = run_.chance.stream("predicate", predicate.name);
    LineSelectors line(run_.views(), run_.kept, stream);
    right = line.resolve(*selector).value_or(Nodes{});
  }
  if (*predicate.compare == Compare::different) {
    // "leader != n1" asks for a leader that is somebody else.
    return Answer::of(!left.empty() && left != right, is);
  }
  return Answer::of(left == right, is);
}

Answer Questions::converged(const Nodes& nodes) {
  const auto& views = run_.views();
  const NodeView* leader = view_of(views, leader_of(views));
  if (leader == nullptr) {
    return Answer::of(false, "there is no leader");
  }
  for (const NodeId id : nodes) {
    const NodeView* view = view_of(views, id);
    if (view == nullptr || !view->up || view->paused) {
      return Answer::of(false, name(id) + " is not up");
    }
    if (view->term != leader->term || view->leader != leader->id) {
      return Answer::of(false, name(id) + " follows " + name(view->leader) + " in term " +
                                   to_string(view->term) + ", " + name(leader->id) + " leads in term " +
                                   to_string(leader->term));
    }
    if (view->applied != leader->last || view->commit != leader->last || view->last != leader->last) {
      return Answer::of(false, name(id) + " has applied " + to_string(view->applied) +
                                   ", the leader's log ends at " + to_string(leader->last));
    }
  }
  return Answer::of(!nodes.empty(), "no nodes");
}

Answer Questions::digest_equal(const Nodes& nodes) {
  std::string first;
  for (const NodeId id : nodes) {
    const std::string digest = run_.backend.digest(id);
    if (digest.empty()) {
      return Answer::of(false, name(id) + " gives no digest");
    }
    if (first.empty()) {
      first = digest;
    } else if (digest != first) {
      return Answer::of(false,
                        name(nodes.front()) + " holds " + first + ", " + name(id) + " holds " + digest);
    }
  }
  return Answer::of(true);
}

Answer Questions::role(const script::Predicate& predicate) {
  const auto* wanted = std::get_if<std::string>(&predicate.right.value);
  for (const NodeId id : nodes_of(predicate)) {
    const NodeView* view = view_of(run_.views(), id);
    const std::string_view is = view == nullptr || !view->up ? "down" : role_text(view->role);
    const bool same = wanted != nullptr && is == *wanted;
    if (same != (predicate.compare == Compare::equal)) {
      return Answer::of(false, name(id) + " is " + std::string(is));
    }
  }
  return Answer::of(true);
}

Answer Questions::members(const script::Predicate& predicate) {
  const auto& views = run_.views();
  Nodes whom = nodes_of(predicate);
  if (predicate.nodes.empty()) {
    whom = {leader_of(views)};
  }
  for (const NodeId id : whom) {
    const NodeView* view = view_of(views, id);
    if (view == nullptr) {
      return Answer::of(false, "there is no leader");
    }
    Nodes voters = view->voters;
    std::sort(voters.begin(), voters.end());
    if (Answer answer = compare_nodes(predicate, voters); answer.state != Answer::State::yes) {
      return answer;
    }
  }
  return Answer::of(!whom.empty());
}

Answer Questions::probe(const std::string& what, Commands::Request request,
                        std::function<Answer(const CommandResult&)> judge) {
  auto& slot = probes_[what];
  if (slot == nullptr) {
    slot = std::make_shared<Probe>();
  }
  const auto probe = slot;
  if (probe->answered && (probe->answer.state == Answer::State::yes || run_.now() < probe->at + kAskAgain)) {
    return probe->answer;
  }
  if (!probe->asked) {
    probe->asked = true;
    probe->answered = false;
    run_.commands.execute(std::move(request),
                          [&run = run_, probe, judge = std::move(judge)](const CommandResult& result) {
                            probe->asked = false;
                            probe->answered = true;
                            probe->at = run.now();
                            probe->answer = judge(result);
                          });
  }
  Answer pending;
  pending.state = Answer::State::pending;
  pending.why = "no answer came";
  return pending;
}

Answer Questions::key(const script::Predicate& predicate) {
  const std::string wanted = std::get_if<std::string>(&predicate.right.value) != nullptr
                                 ? std::get<std::string>(predicate.right.value)
                                 : "";
  const bool wants_nil = std::holds_alternative<std::monostate>(predicate.right.value);
  const bool equal = predicate.compare != Compare::different;
  Commands::Request request;
  request.client = "lab.reader";
  request.command = {"GET", predicate.names.at(0)};
  request.read_only = true;
  return probe("key " + predicate.names.at(0), std::move(request), [=](const CommandResult& result) {
    if (!result.reply || result.outcome != history::Outcome::done) {
      return Answer::of(false, "no leader answered");
    }
    const bool nil = result.reply->type == Reply::Type::nil;
    const bool same = nil || wants_nil ? nil == wants_nil : result.reply->text.view() == wanted;
    return Answer::of(same == equal, "it is " + to_text(*result.reply));
  });
}

Answer Questions::refuses(const script::Predicate& predicate) {
  for (const NodeId id : nodes_of(predicate)) {
    Commands::Request request;
    request.client = "lab.writer.n" + to_string(id);
    request.on = id;
    request.command = {"SET", "lab:refused", std::to_string(++writes_)};
    request.timeout = std::chrono::seconds(2);
    Answer answer = probe("refuses " + name(id), std::move(request), [id](const CommandResult& result) {
      const bool refused = result.outcome == history::Outcome::not_done;
      return Answer::of(refused, name(id) + (refused ? " refused" : " did not refuse"));
    });
    if (answer.state != Answer::State::yes) {
      return answer;
    }
  }
  return Answer::of(true);
}

Answer Questions::positive(const script::Predicate& p) {
  const auto& views = run_.views();
  const auto each = [&](auto holds, const char* otherwise) {
    for (const NodeId id : nodes_of(p)) {
      const NodeView* view = view_of(views, id);
      if (view == nullptr || !holds(*view)) {
        return Answer::of(false, name(id) + otherwise);
      }
    }
    return Answer::of(true);
  };
  const auto lowest = [&](auto value) {
    std::uint64_t low = ~std::uint64_t{0};
    for (const NodeId id : nodes_of(p)) {
      const NodeView* view = view_of(views, id);
      low = std::min<std::uint64_t>(low, view == nullptr || !view->up ? 0 : value(*view));
    }
    return compare_number(p, low == ~std::uint64_t{0} ? 0 : low);
  };
  if (p.name == "leader") {
    const NodeId leader = leader_of(views);
    return compare_nodes(p, leader ? Nodes{leader} : Nodes{});
  }
  if (p.name == "leaders") {
    return compare_number(
        p, static_cast<std::uint64_t>(std::count_if(views.begin(), views.end(), [](const auto& view) {
          return view.up && view.role == NodeRole::leader;
        })));
  }
  if (p.name == "leader-changes") {
    return compare_number(p, run_.leader_changes());
  }
  if (p.name == "role") {
    return role(p);
  }
  if (p.name == "members") {
    return members(p);
  }
  if (p.name == "converged") {
    return converged(nodes_of(p));
  }
  if (p.name == "up") {
    return each([](const NodeView& view) { return view.up; }, " is down");
  }
  if (p.name == "down") {
    return each([](const NodeView& view) { return !view.up; }, " is up");
  }
  if (p.name == "failed") {
    return each([](const NodeView& view) { return view.failed; }, " did not end by itself");
  }
  if (p.name == "refuses") {
    return refuses(p);
  }
  if (p.name == "applied") {
    return lowest([](const NodeView& view) { return view.applied.value; });
  }
  if (p.name == "commit") {
    return lowest([](const NodeView& view) { return view.commit.value; });
  }
  if (p.name == "last") {
    return lowest([](const NodeView& view) { return view.last.value; });
  }
  if (p.name == "purged") {
    return lowest([](const NodeView& view) { return view.purged.value; });
  }
  if (p.name == "term") {
    std::uint64_t high = 0;
    for (const NodeId id : nodes_of(p)) {
      const NodeView* view = view_of(views, id);
      high = std::max(high, view == nullptr || !view->up ? 0 : view->term.value);
    }
    return compare_number(p, high);
  }
  if (p.name == "key") {
    return key(p);
  }
  if (p.name == "digest-equal") {
    return digest_equal(nodes_of(p));
  }
  if (p.name == "served") {
    const std::string during = option(p, "during", "");
    const std::uint64_t wanted = script::read_number(option(p, "at-least", "1")).value_or(1);
    std::uint64_t served = 0;
    for (const std::string& load : p.names) {
      served += served_during(run_.recorder, run_.faults, load, during);
    }
    return Answer::of(served >= wanted, std::to_string(served) + " operations succeeded");
  }
  if (p.name == "gap") {
    Time longest{0};
    for (const std::string& load : p.names) {
      longest = std::max(longest, longest_gap(run_.recorder.of(load), run_.record.steps, load, run_.now()));
    }
    const auto* wanted = std::get_if<Time>(&p.right.value);
    const bool holds = wanted != nullptr && p.compare &&
                       compare(*p.compare, static_cast<std::uint64_t>(longest.count()),
                               static_cast<std::uint64_t>(run_.stretched(*wanted).count()));
    return Answer::of(holds, "it is " + script::write_duration(longest));
  }
  Answer unsupported;
  unsupported.state = Answer::State::unsupported;
  unsupported.why = "nobody here can tell '" + p.name + "'";
  return unsupported;
}

}  // namespace kiwi::lab
