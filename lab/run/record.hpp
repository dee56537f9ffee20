#pragma once

// All that a run leaves behind: what its folder, its report page and the shrinker are made from. A value.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/history/history.hpp"
#include "lab/run/backend.hpp"
#include "lab/run/verdict.hpp"
#include "lab/script/action.hpp"
#include "lab/script/ast.hpp"

namespace kiwi::lab {

/// A fault, from the action that caused it to the one that ended it. One per kind and action.
struct FaultWindow {
  std::string kind;           // as in fired(): "cut", "crash", "torn", ...
  std::string text;           // the action, lowered
  int line = 0;               // of the script; 0: none
  std::vector<NodeId> nodes;  // that it concerned; of links, the sending ends
  std::vector<NodeId> to;     // of links, the receiving ends
  Time from{0};
  std::optional<Time> until;  // empty: to the end of the run
  /// False: the backend said that the action changed nothing.
  bool effective = true;
  /// What the backend decided inside or counted.
  std::map<std::string, std::string> details;
};

/// Something that was done to the cluster or by the script, in order.
struct Step {
  script::Action action;
  Applied applied;
  std::string error;  // the backend could not do it; empty: it did
  /// The runner's own way to make everything whole at the end: not part of the lowered script, for the replay
  /// does it again.
  bool closing = false;
};

/// How an expectation, a `when` or a final check ended.
struct Checked {
  std::string text;  // "within 2s leader != n1"
  int line = 0;
  Outcome outcome = Outcome::pass;
  std::string why;
  Time from{0};
  Time until{0};
};

/// A node at a moment: the swim-lanes of the report.
struct ViewChange {
  Time at{0};
  NodeView view;
};

struct RunRecord {
  std::string scenario;  // its name
  std::string which;     // case of its matrices; empty without
  std::string backend;   // "sim", "process"
  std::uint64_t seed = 0;
  /// The known bug that was put back (messages/fault_tables.hpp); empty: none.
  std::string mutant;
  std::string script;   // as it was run, canonical text
  std::string lowered;  // the replay file
  script::Scenario lowered_scenario;
  std::uint64_t node_count = 0;
  /// Line of the scenario's file, as actions and checks name it -> line of `script`.
  std::map<int, int> text_lines;

  Verdict verdict;
  /// More that was broken, after what decided the verdict.
  std::vector<Verdict> others;
  /// Text for people about the failure, several lines; may be empty.
  std::string explanation;
  /// Numbers of the operations that `explanation` is about, and their key. Empty: no history failed.
  std::vector<std::uint64_t> failing;
  std::string failing_key;

  std::vector<Step> steps;
  std::vector<FaultWindow> windows;
  std::vector<Checked> checks;
  /// By time. Changes of commit, applied and last alone are kept at most every 10 ms per node.
  std::vector<ViewChange> views;
  std::vector<Happening> happenings;
  /// Marks of the code that were passed, with how often.
  std::map<std::string, std::uint64_t> marks;
  history::History history;
  /// By file name.
  std::map<std::string, std::string> node_logs;

  Time script_ended{0};  // then the closing began: heal, converge, last reads
  Time ended{0};
  std::uint64_t trace_hash = 0;
  /// Of the backend, and of the run: "operations", "done", "unknown", "faults", "elections", ...
  std::map<std::string, std::uint64_t> figures;
};

}  // namespace kiwi::lab
