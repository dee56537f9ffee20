#pragma once

// Shrinking on the simulator: tries as runs in forked processes, within a budget of real time.

#include <chrono>
#include <cstddef>
#include <string>
#include <tl/expected.hpp>

#include "lab/script/ast.hpp"
#include "lab/shrink/shrink.hpp"

namespace kiwi::lab {

struct ShrinkRuns {
  std::size_t jobs = 1;
  std::chrono::milliseconds budget = std::chrono::minutes(5);
  /// For the comment of the shrunk script.
  std::string replay = "kiwi-fault replay THIS_FILE";
};

/// A scenario that is not lowered is run first, and what it lowered to is shrunk. A line on standard error
/// for each accepted step. The error: it does not fail, or not in the same way again.
tl::expected<Shrunk, std::string> shrink_on_simulator(const script::Scenario& scenario,
                                                      const ShrinkRuns& runs);

/// replay.scenario in the folder of a run becomes shrunk.scenario beside it; says so on standard output, or
/// why not on standard error. False: not.
bool shrink_folder(const std::string& folder, std::size_t jobs);

}  // namespace kiwi::lab
