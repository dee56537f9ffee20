#include "storage/backup_staging.hpp"

#include <rocksdb/env.h>

#include <utility>

#include "storage/snapshot_files.hpp"
#include "storage/storage_status.hpp"

namespace kiwi::storage {
namespace {

constexpr Doing kStaging{StorageSubject::snapshot, StorageVerb::write, StorageOutcome::not_written};

rocksdb::Env* or_default(rocksdb::Env* env) { return env == nullptr ? rocksdb::Env::Default() : env; }
std::string folder_of(const std::string& dir) { return dir + "/snapshots/backup"; }

}  // namespace

BackupStaging::BackupStaging(rocksdb::Env* env, std::string folder, rocksdb::FileLock* lock)
    : env_(env), folder_(std::move(folder)), files_(folder_ + "/files"), lock_(lock) {}

Result<std::unique_ptr<BackupStaging>> BackupStaging::make(rocksdb::Env* given, const std::string& dir) {
  auto* const env = or_default(given);
  const auto folder = folder_of(dir);
  const auto files = snapshot_files(env);
  if (auto made = files->make_folder(folder); !made) {
    return tl::unexpected(made.error());
  }
  rocksdb::FileLock* lock = nullptr;
  if (auto status = env->LockFile(folder + "/LOCK", &lock); !status.ok()) {
    return tl::unexpected(
        make_error(kStaging, StorageKind::unavailable,
                   "another backup of " + dir +
                       " goes on, or its staging folder cannot be locked: " + status.ToString()));
  }
  std::unique_ptr<BackupStaging> staging(new BackupStaging(env, folder, lock));
  if (auto removed = files->remove_folder(staging->files_); !removed) {
    return tl::unexpected(removed.error());
  }
  return staging;
}

BackupStaging::~BackupStaging() {
  const auto files = snapshot_files(env_);
  static_cast<void>(files->remove_folder(files_));
  // Its name goes before the lock does: whoever locks it next has made it anew.
  env_->DeleteFile(folder_ + "/LOCK").PermitUncheckedError();
  env_->UnlockFile(lock_).PermitUncheckedError();
  env_->DeleteDir(folder_).PermitUncheckedError();
}

Result<bool> BackupStaging::link_all(const std::string& from) {
  const auto files = snapshot_files(env_);
  if (auto removed = files->remove_folder(files_); !removed) {
    return tl::unexpected(removed.error());
  }
  if (auto made = files->make_folder(files_); !made) {
    return tl::unexpected(made.error());
  }
  const auto names = files->list(from);
  if (names && names->files.empty()) {
    return false;
  }
  auto linked = names ? Result<void>() : Result<void>(tl::unexpected(names.error()));
  if (names) {
    for (const auto& [name, bytes] : names->files) {
      if (linked) {
        linked = files->link(from + "/" + name, files_ + "/" + name);
      }
    }
  }
  // Somebody removed it meanwhile: not an error of the disk.
  if (!linked && !env_->FileExists(from + "/CURRENT").ok()) {
    return false;
  }
  if (!linked) {
    return tl::unexpected(linked.error());
  }
  return true;
}

Result<void> remove_stale_backup_staging(rocksdb::Env* given, const std::string& dir) {
  auto* const env = or_default(given);
  if (!env->FileExists(folder_of(dir)).ok()) {
    return {};
  }
  const auto staging = BackupStaging::make(env, dir);
  if (!staging && staging.error().kind != StorageKind::unavailable) {
    return tl::unexpected(staging.error());
  }
  return {};  // its end removes it
}

}  // namespace kiwi::storage
