#pragma once

// The data directory of a node that is not running, kept for this process as long as the object lives.

#include <memory>
#include <string>

#include "node/commands/command_error.hpp"

namespace rocksdb {
class FileLock;
}

namespace kiwi {

class StoppedDirectory {
 public:
  /// Takes DIR/LOCK if it is there; makes nothing and changes nothing. Errors: kExitBadDataDirectory when
  /// `dir` is no directory of a node, kExitInUse when a process has it (named if it can be found out).
  static CommandResult<std::unique_ptr<StoppedDirectory>> take(const std::string& dir);
  ~StoppedDirectory();
  StoppedDirectory(const StoppedDirectory&) = delete;
  StoppedDirectory& operator=(const StoppedDirectory&) = delete;

 private:
  explicit StoppedDirectory(rocksdb::FileLock* lock) : lock_(lock) {}
  rocksdb::FileLock* lock_;  // null: there was no DIR/LOCK, so no node ever ran here
};

/// Whether a process has DIR/LOCK; changes nothing.
bool in_use(const std::string& dir);

}  // namespace kiwi
