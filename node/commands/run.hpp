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

struct BackupArguments {
  std::string dir;
  std::string to;
  std::string address;           // HOST:REDISPORT[@...]; empty: what the directory says
  std::uint64_t rate_bytes = 0;  // copied in a second; 0: no limit
};
CommandResult<int> run_backup(const BackupArguments& arguments);

struct RestoreArguments {
  std::string from;
  std::string dir;
  std::uint64_t id = 0;
  std::string address;
  std::string initial_cluster;
  std::string cluster_token;
};
CommandResult<int> run_restore(const RestoreArguments& arguments);

struct RecoverArguments {
  std::string dir;
  bool sole_survivor = false;
  bool accept_loss = false;
};
CommandResult<int> run_recover(const RecoverArguments& arguments);

}  // namespace kiwi
