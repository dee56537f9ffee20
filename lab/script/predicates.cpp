#include "lab/script/predicates.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "lab/script/verbs.hpp"

namespace kiwi::lab::script {
namespace {

using enum ResultKind;

constexpr unsigned kAnywhere = kInEvents | kInAlways | kInFinally;

const std::string& fault_choices() {
  static const std::string choices = [] {
    std::string text = "any";
    for (const auto& kind : fault_kinds()) {
      text.append("|").append(kind);
    }
    return text;
  }();
  return choices;
}

std::vector<PredicateRow> rows_of_state() {
  return {
      {.name = "leader",
       .result = node,
       .where = kInEvents | kInFinally,
       .summary = "who leads: a node that says so, of the highest term; alone: there is one",
       .help = "A leader that is cut off and does not know yet counts until somebody leads in a higher term.",
       .example = "leader != n1"},
      {.name = "leaders",
       .result = number,
       .where = kAnywhere,
       .compared = true,
       .summary = "how many nodes believe that they lead, in whatever term",
       .help = "One more than usual for a moment is no breach of Raft: the old one may not know yet.",
       .example = "leaders = 1"},
      {.name = "leader-changes",
       .result = number,
       .where = kAnywhere,
       .compared = true,
       .summary = "how often a node began to lead, since the start of the run",
       .help = "The first leader counts as one.",
       .example = "leader-changes <= 3"},
      {.name = "role",
       .result = role,
       .parameter = ParameterKind::nodes,
       .compared = true,
       .summary = "the role of each of these nodes",
       .help = "follower, candidate (pre-vote included), leader or learner.",
       .example = "role(n1) = follower"},
      {.name = "members",
       .result = nodes,
       .parameter = ParameterKind::nodes,
       .optional_parameter = true,
       .where = kInEvents | kInFinally,
       .compared = true,
       .summary = "the voters, as each of these nodes sees them; without argument: as the leader does",
       .help = "Compared as sets.",
       .example = "members = {n1, n2, n3}"},
      {.name = "converged",
       .parameter = ParameterKind::nodes,
       .where = kInEvents | kInFinally,
       .summary = "these nodes are up, follow one leader, and have applied the same entries, all there are",
       .help = "All nodes must be in it that shall be: a node that is down has not converged.",
       .example = "converged(all)"},
      {.name = "up",
       .parameter = ParameterKind::nodes,
       .where = kAnywhere,
       .summary = "the processes of these nodes run",
       .help = "A paused node is up.",
       .example = "up(all)"},
      {.name = "down",
       .parameter = ParameterKind::nodes,
       .where = kInEvents | kInFinally,
       .summary = "the processes of these nodes do not run, for whatever reason",
       .help = "See failed() for those that ended by themselves.",
       .example = "down(n1)"},
      {.name = "failed",
       .parameter = ParameterKind::nodes,
       .where = kAnywhere,
       .summary = "these nodes ended by themselves, with a reason",
       .help = "A storage failure, a refusal to start. `always not failed(all)` forbids it.",
       .example = "failed(n1)"},
      {.name = "refuses",
       .parameter = ParameterKind::nodes,
       .where = kInEvents,
       .summary = "a write sent to each of these nodes now is refused with an error, not done",
       .help = "Sends one; MOVED is a refusal.",
       .example = "refuses(n1)"},
      {.name = "applied",
       .result = number,
       .parameter = ParameterKind::nodes,
       .where = kInEvents | kInFinally | kValue,
       .compared = true,
       .summary = "the applied index; of several nodes the lowest",
       .help = "Of a node that is down: 0.",
       .example = "applied(all) >= 100"},
      {.name = "commit",
       .result = number,
       .parameter = ParameterKind::nodes,
       .where = kInEvents | kInFinally | kValue,
       .compared = true,
       .summary = "the commit index; of several nodes the lowest",
       .help = "Of a node that is down: 0.",
       .example = "commit(n2) >= commit(n1)"},
      {.name = "last",
       .result = number,
       .parameter = ParameterKind::nodes,
       .where = kInEvents | kInFinally | kValue,
       .compared = true,
       .summary = "the index of the last entry of the log; of several nodes the lowest",
       .help = "Of a node that is down: 0.",
       .example = "last(n1) > 10"},
      {.name = "purged",
       .result = number,
       .parameter = ParameterKind::nodes,
       .where = kInEvents | kInFinally | kValue,
       .compared = true,
       .summary = "the index up to which the log is gone; of several nodes the lowest",
       .help = "Of a node that is down: 0.",
       .example = "purged(leader) >= 100"},
      {.name = "term",
       .result = number,
       .parameter = ParameterKind::nodes,
       .where = kAnywhere | kValue,
       .compared = true,
       .summary = "the current term; of several nodes the highest",
       .help = "Of a node that is down: 0.",
       .example = "term(all) <= 5"},
      {.name = "key",
       .result = text,
       .where = kInEvents | kInFinally,
       .compared = true,
       .summary = "key K = V: a linearizable GET of K gives V",
       .help = "The key stands behind the word, without parentheses. `nil` means that it is not there.",
       .example = "key color = \"dark red\""},
      {.name = "digest-equal",
       .parameter = ParameterKind::nodes,
       .where = kInEvents | kInFinally,
       .summary = "the state machines of these nodes hold the same at the same applied index",
       .help = "Nodes with different applied indexes are not equal.",
       .example = "digest-equal(all)"},
  };
}

std::vector<PredicateRow> rows_of_run() {
  static const std::vector<ValueSpec> served{
      {.name = "during",
       .type = ValueType::choice,
       .choices = fault_choices(),
       .summary = "only what began and ended while such a fault was in force"},
      {.name = "at-least", .type = ValueType::number, .fallback = "1", .summary = "how many", .least = 1}};
  return {
      {.name = "fired",
       .parameter = ParameterKind::fault,
       .where = kInFinally,
       .summary = "each of these kinds of faults happened and changed something",
       .help = "Otherwise the run is vacuous. Every fault that a script writes out is held to this anyway; "
               "fuzz blocks "
               "are not.",
       .example = "fired(cut, torn)"},
      {.name = "sometimes",
       .parameter = ParameterKind::mark,
       .where = kInFinally,
       .summary = "each of these marks of the code was passed; otherwise the run is vacuous",
       .help = "Marks are the instrumented points of the product.",
       .example = "sometimes(vote.synced)"},
      {.name = "never",
       .parameter = ParameterKind::mark,
       .where = kInFinally,
       .summary = "none of these marks of the code was passed",
       .help = "Fails the run otherwise.",
       .example = "never(log.truncated)"},
      {.name = "linearizable",
       .parameter = ParameterKind::loads,
       .where = kInFinally,
       .summary = "the history of each key of these loads has an order that explains every reply",
       .help = "Operations with unknown outcome may have happened at any later time, or never.",
       .example = "linearizable(L1)"},
      {.name = "counter",
       .parameter = ParameterKind::loads,
       .where = kInFinally,
       .summary = "no increment of these loads was lost, none counted twice, no value handed out twice",
       .help = "The last value is what was acknowledged plus some of what is unknown.",
       .example = "counter(L1)"},
      {.name = "acknowledged",
       .parameter = ParameterKind::loads,
       .where = kInFinally,
       .summary = "every acknowledged write of these loads is there at the end, or was overwritten",
       .help = "Read anew through the leader after the faults stopped.",
       .example = "acknowledged(L1)"},
      {.name = "served",
       .parameter = ParameterKind::loads,
       .options = served,
       .where = kInEvents | kInFinally,
       .summary = "operations of these loads succeeded",
       .help =
           "With `during` only those inside the windows of that fault count: the cluster served meanwhile.",
       .example = "served(L1, during=cut, at-least=100)"},
      {.name = "gap",
       .result = duration,
       .parameter = ParameterKind::loads,
       .where = kAnywhere,
       .compared = true,
       .summary = "the longest time without a success of these loads while they ran",
       .help = "From the start of the load, or from success to success.",
       .example = "gap(L1) < 2s"},
      {.name = "raft",
       .where = kInAlways,
       .summary = "the invariants of the protocol",
       .help = "Checked after every event in the simulator. Always on; naming it says that the script is "
               "about it.",
       .example = "raft"},
      {.name = "clients",
       .where = kInAlways,
       .summary = "what clients were promised: one reply each, in order, no invented values",
       .help = "Always on, as raft.",
       .example = "clients"},
      {.name = "storage",
       .where = kInAlways,
       .summary = "what is durable stays, and nothing is acknowledged before it is",
       .help = "Always on, as raft.",
       .example = "storage"},
      {.name = "resources",
       .where = kInAlways,
       .summary = "queues, caches and bytes in flight stay within their limits",
       .help = "Always on, as raft.",
       .example = "resources"},
  };
}

}  // namespace

std::span<const PredicateRow> predicates() {
  static const std::vector<PredicateRow> all = [] {
    auto rows = rows_of_state();
    std::ranges::copy(rows_of_run(), std::back_inserter(rows));
    return rows;
  }();
  return all;
}

const PredicateRow* find_predicate(std::string_view name) {
  const auto all = predicates();
  const auto found = std::ranges::find(all, name, &PredicateRow::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace kiwi::lab::script
