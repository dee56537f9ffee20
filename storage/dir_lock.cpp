#include "storage/dir_lock.hpp"

#include "storage/log_marker.hpp"
#include "storage/storage_status.hpp"

namespace kiwi::storage {

Result<DirLock> DirLock::take(rocksdb::Env& env, const std::string& dir) {
  rocksdb::FileLock* lock = nullptr;
  const auto path = dir + "/" + kLockFile;
  if (auto status = env.LockFile(path, &lock); !status.ok())
    return tl::unexpected(make_error(
        {StorageSubject::log, StorageVerb::open, StorageOutcome::not_written}, StorageKind::unavailable,
        path + " is held: the log store is open elsewhere (" + status.ToString() + ")"));
  return DirLock(env, lock);
}

DirLock::~DirLock() {
  if (lock_ != nullptr)
    env_->UnlockFile(lock_).PermitUncheckedError();
}

}  // namespace kiwi::storage
