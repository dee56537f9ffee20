#pragma once

// Runs on real processes: which program they are, and what it lacks.

#include <filesystem>
#include <string>
#include <tl/expected.hpp>

#include "lab/run/runner.hpp"

namespace kiwi::lab {

/// Where kiwi-node-fault is: beside this program, or where the build leaves it. Empty: nowhere.
std::string default_node_program();

/// Fills in `backend` and `lacks` of the options. Nodes have the mutants that are on in this process. Folders
/// of runs are made in `scratch`. The error: `node` is no kiwi-node, or one without mutants when one is on.
tl::expected<MakeBackend, std::string> make_process_backend(const std::string& node,
                                                            const std::filesystem::path& scratch,
                                                            RunOptions& options);

}  // namespace kiwi::lab
