#pragma once

// THE table of verbs. The parser, its errors, `help`, `explain`, the check of what a backend has, the
// accounting of faults and the reference page (docs/lab-verbs.md) all read it. A new verb is one row in
// verbs_table_*.cpp.
//
// A verb stands in the table only when something performs it: a backend (Backend::apply) or the runner.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lab/script/action.hpp"
#include "lab/script/spec.hpp"

namespace kiwi::lab::script {

/// What stands right after the verb.
enum class Target {
  none,
  nodes,          // a selector: "leader", "n1", "{n1, n2}"
  link,           // "n1 -> others", "n1 <-> n2"
  nodes_or_link,  // a selector stands for all links from and to those nodes
  load,           // the name of a load: Action::words[0]
  nodes_or_load,  // Action::nodes is empty when it is a load
  redis,          // `do [on SELECTOR] [as CLIENT] COMMAND ... [-> REPLY]`: Action::words is the command,
                  // options "as" and "reply" the rest
};

enum class Performer {
  backend,  // Backend::apply
  runner,   // lab/run alone; never given to a backend
};

struct VerbRow {
  std::string_view name;
  std::string_view group;  // "links", "one message", "nodes", "time", "disk", "actors", "load", "meta"
  Target target = Target::none;
  std::span<const ValueSpec> words = {};    // positional, after the target, in this order
  std::span<const ValueSpec> options = {};  // key=value, any order, after the words
  Performer performer = Performer::backend;
  bool sim = true;
  bool process = true;
  /// The kind of fault that it counts as, as in `fired(cut)` and `served(L1, during=cut)`; empty: not a
  /// fault.
  std::string_view fault = {};
  /// Kinds of faults, "a|b", that it ends on the nodes or links it names.
  std::string_view ends = {};
  /// A random block may draw it (`fuzz 20s faults { cut 3 }`).
  bool in_fuzz = false;
  std::string_view summary;  // one line, no full stop
  std::string_view help;     // sentences
  std::string_view example;  // one line of a script, parsed by a test
};

/// All rows, group by group.
std::span<const VerbRow> verbs();
/// Null: there is none of this name.
const VerbRow* find_verb(std::string_view name);

/// The kinds of faults that this action counts as: its row's, and those of words such as `torn`. Empty when
/// it is no fault (a `stop` of a load, a `heal`). Its verb must be in the table.
std::vector<std::string> faults_of(const Action& action);
/// Every kind that faults_of() can give, sorted.
std::vector<std::string> fault_kinds();
/// The kinds whose windows this action ends: those of VerbRow::ends. Its verb must be in the table.
std::vector<std::string> ended_by(const Action& action);

/// Empty: every argument is as the row wants it. Else the first thing wrong, for a replay file or a test.
/// Selectors are concrete in an action, so this is complete.
std::string wrong_action(const Action& action);

}  // namespace kiwi::lab::script
