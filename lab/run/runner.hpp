#pragma once

// Runs one scenario on one backend, from its start to its verdict.
//
//   RunRecord record = run_scenario(scenario, options, make_backend);
//
// First the script is played, under its loads, until all of it is done and `run=` has passed. Then the end
// (closing.hpp): faults are mended, the cluster must converge and serve, last reads are made. Then the
// judgement (judge.hpp). A failure skips what is left before the judgement. Single-threaded; the same
// scenario on the simulator gives the same record.

#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "lab/run/backend.hpp"
#include "lab/run/judge.hpp"
#include "lab/run/record.hpp"
#include "lab/script/ast.hpp"

namespace kiwi::lab {

/// Starts the cluster that the head of the scenario describes. The listener outlives the backend. The error
/// says what this backend or machine lacks.
using MakeBackend =
    std::function<tl::expected<std::unique_ptr<Backend>, std::string>(const script::Scenario&, Listener&)>;

struct RunOptions {
  /// "sim" or "process": scripts with verbs that it lacks are refused.
  std::string backend = "sim";
  /// Keeps views, happenings and logs for a report. Changes nothing about the run; costs time and memory.
  bool detail = false;
  /// Of the run's own time; longer is a mistake of the script, or nothing comes to an end: unknown.
  Time longest = std::chrono::hours(2);
  /// An event without a deadline that has not come by then, counted from when the script began to wait for it
  /// and had nothing else to do, never comes.
  Time patience = std::chrono::seconds(30);
  JudgeOptions judge;
  /// What a scenario asks for that this very backend lacks, beside verbs whose row says so; such scripts are
  /// refused, too. Null: nothing.
  std::function<std::vector<std::string>(const script::Scenario&)> lacks;
};

RunRecord run_scenario(const script::Scenario& scenario, const RunOptions& options, const MakeBackend& make);

}  // namespace kiwi::lab
