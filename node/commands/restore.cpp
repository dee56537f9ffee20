// kiwi-node restore: a data directory of a new cluster, made of a backup.
//
//   step                                   on the disk afterwards
//   1 the mark, before anything else       KIWI-RESTORING
//   2 the data, verified and synced        ... and data/
//   3 the log store with the identity      ... and log/: begins behind the backup's index, with the
//   membership 4 the mark goes                        data/ and log/: a node
//
// With the mark the directory is no node's (storage/data_directory.hpp), so a crash anywhere leaves nothing
// that starts; the same command begins anew.

#include <rocksdb/env.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "actors/snapshot_manifest_check.hpp"
#include "messages/cluster_id.hpp"
#include "node/commands/inspection.hpp"
#include "node/commands/new_node.hpp"
#include "node/commands/progress.hpp"
#include "node/commands/run.hpp"
#include "node/options.hpp"
#include "statemachine/backup_folder.hpp"
#include "storage/data_directory.hpp"
#include "storage/durable_dir.hpp"
#include "storage/snapshot_files.hpp"

namespace kiwi {
namespace {

CommandError disk_error(const rocksdb::Status& status, const std::string& path) {
  return {path + ": " + status.ToString(), kExitStorageFailure};
}

CommandResult<storage::Identity> identity_of(const RestoreArguments& a, const SnapshotManifest& manifest) {
  const auto address = parse_address(a.address);
  if (!address)
    return command_failed(kExitUsage, "--address: " + address.error());
  auto members = parse_cluster(a.initial_cluster);
  if (!members)
    return command_failed(kExitUsage, "--initial-cluster: " + members.error());
  storage::Identity identity;
  identity.node = NodeId(a.id);
  identity.instance = draw_instance();
  identity.address = *address;
  identity.initial_membership = membership_of(std::move(*members));
  const auto* self = identity.initial_membership.find(identity.node);
  if (self == nullptr)
    return command_failed(kExitUsage,
                          "--initial-cluster does not list this node, --id " + to_string(identity.node));
  if (self->address != identity.address)
    return command_failed(kExitUsage, "--initial-cluster says " + to_string(self->address) + " for node " +
                                          to_string(identity.node) + ", --address says " + a.address);
  identity.origin = "restored from backup " + manifest.meta.snapshot_id;
  identity.cluster = cluster_id_of(identity.initial_membership, a.cluster_token, identity.origin);
  return identity;
}

/// New, empty, or what a restore left that did not end.
CommandResult<void> refuse_used(const std::string& dir) {
  const auto names = storage::snapshot_files(nullptr)->list(dir);
  if (!names)
    return command_failed(kExitBadDataDirectory, names.error().cause);
  if (names->files.contains(std::string(storage::kRestoringFile)) ||
      (names->files.empty() && names->folders.empty()))
    return {};
  const auto& holds = names->files.empty() ? names->folders.front() : names->files.begin()->first;
  return command_failed(kExitBadDataDirectory, dir + " is neither new nor empty: it holds " + holds);
}

class Restore {
 public:
  Restore(const RestoreArguments& a, const SnapshotManifest& manifest, const storage::Identity& identity)
      : arguments_(a), manifest_(manifest), identity_(identity), env_(*rocksdb::Env::Default()) {}
  ~Restore() {
    if (lock_ != nullptr)
      env_.UnlockFile(lock_).PermitUncheckedError();
  }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

  CommandResult<DataReport> run() {
    const auto& dir = arguments_.dir;
    if (auto begun = begin(); !begun)
      return tl::unexpected(begun.error());
    Progress progress("copying and verifying", 3 * manifest_.bytes());
    auto data = unpack_backup(nullptr, arguments_.from, manifest_, dir + "/data",
                              [&](const std::string& where, std::uint64_t bytes) {
                                progress.add(bytes, where);
                                return true;
                              });
    if (!data)
      return abandoned(command_failed(data.error()).value());
    if (auto log = make_log(); !log)
      return abandoned(command_failed(log.error()).value());
    if (auto status = storage::remove_file_durably(env_, dir, std::string(storage::kRestoringFile));
        !status.ok())
      return tl::unexpected(disk_error(status, dir));
    return std::move(*data);
  }

 private:
  CommandResult<void> begin() {
    const auto& dir = arguments_.dir;
    if (auto status = storage::make_dir_durably(env_, dir); !status.ok())
      return tl::unexpected(disk_error(status, dir));
    if (auto status = storage::write_file_durably(env_, dir, std::string(storage::kRestoringFile),
                                                  "a backup is being restored here\n");
        !status.ok())
      return tl::unexpected(disk_error(status, dir));
    if (auto status = env_.LockFile(dir + "/LOCK", &lock_); !status.ok())
      return command_failed(kExitInUse, dir + " is in use: " + status.ToString());
    return clear();
  }

  /// All but the mark and the lock.
  CommandResult<void> clear() {
    const auto files = storage::snapshot_files(nullptr);
    const auto names = files->list(arguments_.dir);
    if (!names)
      return command_failed(names.error());
    for (const auto& inner : names->folders)
      if (auto removed = files->remove_folder(arguments_.dir + "/" + inner); !removed)
        return command_failed(removed.error());
    return {};
  }

  /// Leaves an empty directory, as far as that can be done.
  tl::unexpected<CommandError> abandoned(CommandError why) {
    if (clear()) {
      env_.DeleteFile(arguments_.dir + "/LOCK").PermitUncheckedError();
      storage::remove_file_durably(env_, arguments_.dir, std::string(storage::kRestoringFile))
          .PermitUncheckedError();
    }
    return tl::unexpected(std::move(why));
  }

  Result<void> make_log() {
    storage::LogStoreOptions log;
    log.dir = arguments_.dir + "/log";
    if (auto made = storage::LogStore::create(log, identity_); !made)
      return made;
    const auto& meta = manifest_.meta;
    log.installed = meta.last_log_id;
    storage::Recovered recovered;
    auto store = storage::LogStore::open(log, recovered);
    if (!store)
      return tl::unexpected(store.error());
    const auto step = founding_entry(meta.last_log_id, meta.last_log_id.term, NodeId(), meta.timestamp_ms,
                                     identity_.initial_membership);
    if (auto written = (*store)->write({step}); !written)
      return tl::unexpected(written.error());
    return {};
  }

  const RestoreArguments& arguments_;
  const SnapshotManifest& manifest_;
  const storage::Identity& identity_;
  rocksdb::Env& env_;
  rocksdb::FileLock* lock_ = nullptr;
};

void tell(const RestoreArguments& a, const SnapshotManifest& manifest, const storage::Identity& identity,
          const DataReport& data) {
  std::printf("restored      %s, node %s of a new cluster\n", a.dir.c_str(),
              to_string(identity.node).c_str());
  std::printf("cluster       %016llx, %s\n", static_cast<unsigned long long>(identity.cluster.value),
              membership_text(identity.initial_membership).c_str());
  std::printf("from          %s, snapshot %s\n", a.from.c_str(), manifest.meta.snapshot_id.c_str());
  std::printf("as of         %s, clock %llu ms\n", to_string(manifest.meta.last_log_id).c_str(),
              static_cast<unsigned long long>(manifest.meta.timestamp_ms));
  std::printf("digest        %s, %llu keys\n", data.digest.c_str(),
              static_cast<unsigned long long>(data.keys));
  std::printf(
      "next          the same on the other nodes, from a copy of the same backup; then start each with: "
      "kiwi-node --dir DIR\n");
}

}  // namespace

CommandResult<int> run_restore(const RestoreArguments& a) {
  const auto manifest = read_backup(nullptr, a.from);
  if (!manifest)
    return command_failed(manifest.error());
  if (const auto fault = manifest_fault(*manifest))
    return command_failed(kExitDamaged, a.from + ": " + *fault);
  const auto identity = identity_of(a, *manifest);
  if (!identity)
    return tl::unexpected(identity.error());
  if (auto free = refuse_used(a.dir); !free)
    return tl::unexpected(free.error());
  const auto data = Restore(a, *manifest, *identity).run();
  if (!data)
    return tl::unexpected(data.error());
  tell(a, *manifest, *identity, *data);
  return 0;
}

}  // namespace kiwi
