#pragma once

#include <string>
#include <tl/expected.hpp>

#include "messages/assert.hpp"
#include "messages/storage_error.hpp"
#include "node/commands/exit_codes.hpp"

namespace kiwi {

/// Why a subcommand ends early: one or more lines for standard error, and the exit code.
struct CommandError {
  std::string text;
  int exit_code = kExitUsage;
};
template <class T>
using CommandResult = tl::expected<T, CommandError>;

inline tl::unexpected<CommandError> command_failed(int exit_code, std::string text) {
  return tl::unexpected(CommandError{std::move(text), exit_code});
}

inline tl::unexpected<CommandError> command_failed(const StorageError& error) {
  switch (error.kind) {
    case StorageKind::corruption:
      return command_failed(kExitDamaged, error.cause);
    case StorageKind::mismatch:
    case StorageKind::invalid_request:
      return command_failed(kExitBadDataDirectory, error.cause);
    case StorageKind::unavailable:
      return command_failed(kExitInUse, error.cause);
    default:
      return command_failed(kExitStorageFailure, error.cause);
  }
}

}  // namespace kiwi
