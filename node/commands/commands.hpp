#pragma once

// kiwi-node's subcommands: work on the directory of a node, and what makes a node of a backup.

#include <optional>
#include <string>
#include <vector>

namespace kiwi {

/// Runs the subcommand that `arguments` (without the program's name) begin with; gives the process's exit
/// code. Nothing: they begin with none.
std::optional<int> run_subcommand(const std::vector<std::string>& arguments);

}  // namespace kiwi
