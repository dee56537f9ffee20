#pragma once

// Runs with a known bug put back: the option --mutant of several commands.

#include <CLI/CLI.hpp>
#include <string>
#include <tl/expected.hpp>

namespace kiwi::lab {

void add_mutant_option(CLI::App& command, std::string& mutant);

/// For the rest of this process and those that it starts; before anything runs. Empty: none. The error names
/// all that there are.
tl::expected<void, std::string> switch_on_mutant(const std::string& mutant);

}  // namespace kiwi::lab
