#include "storage/data_directory.hpp"

#include <rocksdb/env.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "storage/disk_space.hpp"
#include "storage/durable_dir.hpp"
#include "storage/snapshot_install.hpp"

namespace kiwi::storage {

namespace {

// What a node keeps in its directory; see docs/formats.md.
constexpr std::array<std::string_view, 5> kOwnNames = {"LOCK", "data", "data.old", "log", "snapshots"};

bool is_own(std::string_view name) {
  return name == "." || name == ".." || name.starts_with(kDamagedDataPrefix) ||
         std::find(kOwnNames.begin(), kOwnNames.end(), name) != kOwnNames.end();
}

tl::unexpected<StorageError> failed(StorageKind kind, std::string cause) {
  return tl::unexpected(StorageError{StorageSubject::identity, StorageVerb::open, kind, std::move(cause),
                                     StorageOutcome::not_written});
}

}  // namespace

Result<std::unique_ptr<DataDirectory>> DataDirectory::open(const std::string& dir, rocksdb::Env* env) {
  if (env == nullptr)
    env = rocksdb::Env::Default();
  bool is_directory = false;
  if (env->FileExists(dir).ok() && env->IsDirectory(dir, &is_directory).ok() && !is_directory)
    return failed(StorageKind::mismatch, dir + " is not a directory");
  std::vector<std::string> names;
  if (env->GetChildren(dir, &names).ok()) {
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
      if (name == kRestoringFile)
        return failed(StorageKind::mismatch, dir +
                                                 " is not whole: a restore into it was interrupted; run "
                                                 "kiwi-node restore again, or remove the directory");
      if (!is_own(name))
        return failed(StorageKind::mismatch, dir + " is not a Kiwi data directory: it holds " + name);
    }
  }
  if (auto made = make_dir_durably(*env, dir); !made.ok())
    return failed(made.IsNoSpace() ? StorageKind::no_space : StorageKind::mismatch,
                  "cannot make " + dir + ": " + made.ToString());
  rocksdb::FileLock* lock = nullptr;
  if (auto locked = env->LockFile(dir + "/LOCK", &lock); !locked.ok())
    return failed(StorageKind::mismatch,
                  dir + " is in use by another process, or cannot be locked: " + locked.ToString());
  return std::unique_ptr<DataDirectory>(new DataDirectory(env, lock, dir));
}

std::optional<std::uint64_t> DataDirectory::free_bytes() const { return storage::free_bytes(env_, dir_); }

DataDirectory::~DataDirectory() { env_->UnlockFile(lock_); }

}  // namespace kiwi::storage
