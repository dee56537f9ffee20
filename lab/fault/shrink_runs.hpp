#pragma once

// Shrinking on the simulator: tries as runs in forked processes, within a budget of real time.

#include <chrono>
#include <cstddef>
#include <filesystem>
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

/// replay.scenario in the folder of a run becomes shrunk.scenario beside it, with the mutant that the run was
/// recorded with; shrunk/ is the folder of a run of that, and the page of the whole run shows it.
tl::expected<Shrunk, std::string> shrink_folder(const std::filesystem::path& folder, ShrinkRuns runs);

/// The command that runs a file again.
std::string replay_command(const std::string& file, const std::string& mutant);

/// Says on standard output what became less and how to run it again.
void tell(const Shrunk& shrunk, std::chrono::milliseconds took, const std::string& again);

}  // namespace kiwi::lab
