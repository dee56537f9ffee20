#include "node/commands/stopped_directory.hpp"

#include <fcntl.h>
#include <rocksdb/env.h>
#include <unistd.h>

#include <filesystem>

namespace kiwi {
namespace {

/// The process that holds the lock of DIR/LOCK; 0: none, or it cannot be told.
pid_t holder_of(const std::string& dir) {
  const int file = ::open((dir + "/LOCK").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return 0;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool asked = ::fcntl(file, F_GETLK, &lock) == 0;
  ::close(file);
  return asked && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

}  // namespace

bool in_use(const std::string& dir) { return holder_of(dir) != 0; }

CommandResult<std::unique_ptr<StoppedDirectory>> StoppedDirectory::take(const std::string& dir) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(dir, ignored))
    return command_failed(kExitBadDataDirectory, dir + " is not a directory");
  if (!std::filesystem::exists(dir + "/log", ignored) && !std::filesystem::exists(dir + "/data", ignored))
    return command_failed(kExitBadDataDirectory,
                          dir + " is not the data directory of a node: it has neither log nor data");
  if (!std::filesystem::exists(dir + "/LOCK", ignored))
    return std::unique_ptr<StoppedDirectory>(new StoppedDirectory(nullptr));
  // Asked before this process opens the file to lock it: closing any descriptor of it gives its locks up.
  const auto holder = holder_of(dir);
  if (holder != 0)
    return command_failed(kExitInUse,
                          dir + " is in use by process " + std::to_string(holder) + "; stop the node first");
  rocksdb::FileLock* lock = nullptr;
  if (auto status = rocksdb::Env::Default()->LockFile(dir + "/LOCK", &lock); !status.ok())
    return command_failed(kExitInUse, dir + " cannot be locked: " + status.ToString());
  return std::unique_ptr<StoppedDirectory>(new StoppedDirectory(lock));
}

StoppedDirectory::~StoppedDirectory() {
  if (lock_ != nullptr)
    rocksdb::Env::Default()->UnlockFile(lock_).PermitUncheckedError();
}

}  // namespace kiwi
