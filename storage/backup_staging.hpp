#pragma once

// DIR/snapshots/backup: second names (hard links) of the files of a built snapshot, so that a backup of a
// running node can copy them for as long as it takes. The node removes what it built after a while, but not
// this folder.
//
//   DIR/snapshots/backup/LOCK    held by the backup that goes on
//   DIR/snapshots/backup/files/  the links
//
// What a killed backup leaves holds disk space only. The next backup and the next start of the node remove
// it.

#include <memory>
#include <string>

#include "messages/storage_error.hpp"

namespace rocksdb {
class Env;
class FileLock;
}  // namespace rocksdb

namespace kiwi::storage {

class BackupStaging {
 public:
  /// Makes the folder, empty. StorageKind::unavailable: another backup of this directory goes on.
  static Result<std::unique_ptr<BackupStaging>> make(rocksdb::Env* env, const std::string& dir);
  /// Removes the folder.
  ~BackupStaging();
  BackupStaging(const BackupStaging&) = delete;
  BackupStaging& operator=(const BackupStaging&) = delete;

  /// Links all files of `from`, which must be on the same file system; what was linked before goes. False:
  /// `from` is not there (any more).
  Result<bool> link_all(const std::string& from);
  const std::string& files() const { return files_; }

 private:
  BackupStaging(rocksdb::Env* env, std::string folder, rocksdb::FileLock* lock);
  rocksdb::Env* env_;
  std::string folder_, files_;
  rocksdb::FileLock* lock_;
};

/// What a killed backup left; nothing when there is nothing, or a backup goes on.
Result<void> remove_stale_backup_staging(rocksdb::Env* env, const std::string& dir);

}  // namespace kiwi::storage
