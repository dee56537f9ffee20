#include "storage/snapshot_install.hpp"

#include <rocksdb/env.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "messages/codec.hpp"
#include "messages/fault_points.hpp"
#include "storage/durable_dir.hpp"
#include "storage/snapshot_files.hpp"
#include "storage/storage_status.hpp"

namespace kiwi::storage {
namespace {

constexpr std::string_view kIntentFile = "INSTALL";
constexpr Doing kInstalling{StorageSubject::snapshot, StorageVerb::write, StorageOutcome::unknown};
constexpr Doing kLooking{StorageSubject::snapshot, StorageVerb::open, StorageOutcome::not_written};

rocksdb::Env& or_default(rocksdb::Env* env) { return env == nullptr ? *rocksdb::Env::Default() : *env; }
std::string snapshots_folder(const std::string& dir) { return dir + "/snapshots"; }
std::string old_folder(const std::string& dir) { return dir + "/data.old"; }

Result<void> checked(const rocksdb::Status& status, const std::string& what) {
  if (!status.ok()) {
    return tl::unexpected(to_error(status, kInstalling, what));
  }
  return {};
}

Result<bool> is_there(rocksdb::Env& env, const std::string& path) {
  const auto status = env.FileExists(path);
  if (!status.ok() && !status.IsNotFound()) {
    return tl::unexpected(to_error(status, kLooking, path));
  }
  return status.ok();
}

bool is_numbered(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && name.size() > prefix.size() &&
         name.find_first_not_of("0123456789", prefix.size()) == std::string_view::npos;
}

bool is_database_file(std::string_view name) {
  return name == "CURRENT" || name == "IDENTITY" || name.ends_with(".sst") || name.ends_with(".log") ||
         is_numbered(name, "MANIFEST-") || is_numbered(name, "OPTIONS-");
}

Result<void> remove_old(rocksdb::Env& env, const std::string& dir) {
  const auto there = is_there(env, old_folder(dir));
  if (!there) {
    return tl::unexpected(there.error());
  }
  if (!*there) {
    return {};
  }
  if (auto removed = snapshot_files(&env)->remove_folder(old_folder(dir)); !removed) {
    return removed;
  }
  return checked(sync_dir(env, dir), dir);
}

/// Leaves the files of the database only, and the folder durable as it is then.
Result<void> clear_own_files(rocksdb::Env& env, const std::string& folder) {
  const auto files = snapshot_files(&env);
  const auto names = files->list(folder);
  if (!names) {
    return tl::unexpected(names.error());
  }
  if (!names->files.contains("CURRENT")) {
    return tl::unexpected(
        make_error(kInstalling, StorageKind::corruption, folder + " holds no database to install"));
  }
  for (const auto& [name, bytes] : names->files) {
    if (is_database_file(name)) {
      continue;
    }
    if (auto removed = files->remove(folder + "/" + name); !removed) {
      return removed;
    }
  }
  for (const auto& inner : names->folders) {
    if (auto removed = files->remove_folder(folder + "/" + inner); !removed) {
      return removed;
    }
  }
  return files->sync_folder(folder);
}

}  // namespace

std::string data_folder(const std::string& dir) { return dir + "/data"; }
std::string built_folder(const std::string& dir) { return snapshots_folder(dir) + "/built"; }
std::string incoming_folder(const std::string& dir, const std::string& snapshot_id) {
  return snapshots_folder(dir) + "/incoming/" + snapshot_id;
}

bool has_data(rocksdb::Env* env, const std::string& dir) {
  return !or_default(env).FileExists(data_folder(dir)).IsNotFound();
}

Result<void> begin_install(rocksdb::Env* given, const std::string& dir, const SnapshotMeta& meta) {
  auto& env = or_default(given);
  // What an earlier install left must not look like a part of this one.
  if (auto removed = remove_old(env, dir); !removed) {
    return removed;
  }
  const auto folder = incoming_folder(dir, meta.snapshot_id);
  if (auto cleared = clear_own_files(env, folder); !cleared) {
    return cleared;
  }
  for (const auto& above : {snapshots_folder(dir) + "/incoming", snapshots_folder(dir), dir}) {
    if (auto status = sync_dir(env, above); !status.ok()) {
      return checked(status, above);
    }
  }
  KIWI_MARK("install.staged");
  if (KIWI_MUTANT(install_without_intent)) {
    return {};
  }
  auto written = checked(
      write_file_durably(env, snapshots_folder(dir), std::string(kIntentFile), encode_snapshot_meta(meta)),
      snapshots_folder(dir) + "/INSTALL");
  if (written) {
    KIWI_MARK("install.intent");
  }
  return written;
}

Result<std::optional<SnapshotMeta>> pending_install(rocksdb::Env* given, const std::string& dir) {
  auto& env = or_default(given);
  const auto path = snapshots_folder(dir) + "/" + std::string(kIntentFile);
  const auto there = is_there(env, path);
  if (!there) {
    return tl::unexpected(there.error());
  }
  if (!*there) {
    return std::nullopt;
  }
  std::string bytes;
  if (auto status = rocksdb::ReadFileToString(&env, path, &bytes); !status.ok()) {
    return tl::unexpected(to_error(status, kLooking, path));
  }
  auto meta = decode_snapshot_meta(bytes);
  if (!meta) {
    return tl::unexpected(
        make_error(kLooking, StorageKind::corruption,
                   path + " is damaged, so it cannot be told which state counts: " + meta.error().what));
  }
  return std::optional(std::move(*meta));
}

Result<void> swap_data(rocksdb::Env* given, const std::string& dir, const SnapshotMeta& meta) {
  auto& env = or_default(given);
  const auto data = data_folder(dir);
  const auto folder = incoming_folder(dir, meta.snapshot_id);
  const auto have_data = is_there(env, data), have_old = is_there(env, old_folder(dir)),
             have_new = is_there(env, folder);
  for (const auto* there : {&have_data, &have_old, &have_new}) {
    if (!*there) {
      return tl::unexpected(there->error());
    }
  }
  // Old aside and something in its place: the new state is there. A folder of the same name in incoming/
  // would be that of a later transfer.
  const bool done = *have_data && (*have_old || !*have_new);
  if (!done && !*have_new) {
    return tl::unexpected(make_error(kInstalling, StorageKind::corruption,
                                     "snapshot " + meta.snapshot_id + " was to be installed, but neither " +
                                         folder + " nor " + data + " is there"));
  }
  if (!done && *have_data) {
    if (auto status = env.RenameFile(data, old_folder(dir)); !status.ok()) {
      return checked(status, data);
    }
  }
  // Also when a crash came between a rename and its sync.
  if (auto status = sync_dir(env, dir); !status.ok()) {
    return checked(status, dir);
  }
  KIWI_MARK("install.old_aside");
  if (!done) {
    if (auto status = env.RenameFile(folder, data); !status.ok()) {
      return checked(status, folder);
    }
  }
  for (const auto& parent : {dir, snapshots_folder(dir) + "/incoming"}) {
    if (auto status = sync_dir(env, parent); !status.ok()) {
      return checked(status, parent);
    }
  }
  KIWI_MARK("install.new_in_place");
  return {};
}

Result<void> finish_install(rocksdb::Env* given, const std::string& dir) {
  auto& env = or_default(given);
  const auto intent = is_there(env, snapshots_folder(dir) + "/" + std::string(kIntentFile));
  const auto old = is_there(env, old_folder(dir));
  for (const auto* there : {&intent, &old}) {
    if (!*there) {
      return tl::unexpected(there->error());
    }
  }
  if (*intent) {
    if (auto status = remove_file_durably(env, snapshots_folder(dir), std::string(kIntentFile));
        !status.ok()) {
      return checked(status, snapshots_folder(dir));
    }
    KIWI_MARK("install.intent_removed");
  }
  auto removed = remove_old(env, dir);
  if (removed && *old) {
    KIWI_MARK("install.old_removed");
  }
  return removed;
}

Result<std::string> set_data_aside(rocksdb::Env* given, const std::string& dir) {
  auto& env = or_default(given);
  const auto there = is_there(env, data_folder(dir));
  if (!there) {
    return tl::unexpected(there.error());
  }
  if (!*there) {
    return std::string();
  }
  for (int n = 1;; ++n) {
    auto name = std::string(kDamagedDataPrefix) + std::to_string(n);
    const auto taken = is_there(env, dir + "/" + name);
    if (!taken) {
      return tl::unexpected(taken.error());
    }
    if (*taken) {
      continue;
    }
    auto status = env.RenameFile(data_folder(dir), dir + "/" + name);
    if (status.ok()) {
      status = sync_dir(env, dir);
    }
    if (!status.ok()) {
      return tl::unexpected(to_error(status, kInstalling, data_folder(dir)));
    }
    return name;
  }
}

}  // namespace kiwi::storage
