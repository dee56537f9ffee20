#pragma once

// One function for each subcommand; the exit code, or why it ended early. They print to standard output what
// was asked for, and to standard error how far they are.

#include <cstdint>
#include <string>

#include "node/commands/command_error.hpp"

namespace kiwi {

struct InspectArguments {
  std::string dir;
  bool json = false;
};
CommandResult<int> run_inspect(const InspectArguments& arguments);

}  // namespace kiwi
