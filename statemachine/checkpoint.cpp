#include "statemachine/checkpoint.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "messages/codec.hpp"
#include "messages/fault_points.hpp"
#include "rocksdb/cache.h"
#include "rocksdb/env.h"
#include "rocksdb/utilities/checkpoint.h"
#include "statemachine/data_format.hpp"
#include "statemachine/engine/storage_failure.hpp"
#include "storage/snapshot_files.hpp"
#include "storage/verify_files.hpp"

namespace kiwi {
namespace {

constexpr std::size_t kHashBytes = 256u << 10;

tl::unexpected<StorageError> failed(StorageVerb verb, StorageKind kind, std::string cause) {
  return tl::unexpected(
      StorageError{StorageSubject::snapshot, verb, kind, std::move(cause), StorageOutcome::not_written});
}

tl::unexpected<StorageError> failed(const rocksdb::Status& status, StorageVerb verb,
                                    const std::string& what) {
  auto error = state_machine_error(verb, status, what);
  error.subject = StorageSubject::snapshot;
  error.outcome = StorageOutcome::not_written;
  return tl::unexpected(std::move(error));
}

bool is_table(std::string_view name) { return name.ends_with(".sst"); }

Result<ContentHash> hash_of_file(storage::SnapshotFiles& files, const std::string& path,
                                 std::uint64_t bytes) {
  ContentHasher hasher;
  for (std::uint64_t at = 0; at < bytes;) {
    const auto part = files.read(path, at, std::min<std::uint64_t>(kHashBytes, bytes - at));
    if (!part)
      return tl::unexpected(part.error());
    hasher.add(*part);
    at += part->size();
  }
  return hasher.hash();
}

}  // namespace

void CheckpointBuilder::enter_generation() {
  if (generation_ != slot_->generation)
    known_.clear();
  generation_ = slot_->generation;
}

Result<void> CheckpointBuilder::make_checkpoint(const std::string& folder) {
  {
    const std::lock_guard lock(slot_->write_back_mutex);
    if (slot_->write_back)
      if (auto written = slot_->write_back(); !written)
        return written;
  }
  const std::lock_guard lock(slot_->mutex);
  enter_generation();
  auto* const db = slot_->db;
  if (db == nullptr)
    return failed(StorageVerb::read, StorageKind::unavailable, "the data database is closed");
  const auto& options = slot_->options;
  rocksdb::FlushOptions flush;
  // In a simulation the only thread there is must not wait for a job that it runs itself.
  flush.wait = !options.simulated;
  if (auto status = db->Flush(flush); !status.ok())
    return failed(status, StorageVerb::sync, options.dir);
  if (options.simulated && options.run_queued_jobs)
    options.run_queued_jobs();
  rocksdb::Checkpoint* raw = nullptr;
  if (auto status = rocksdb::Checkpoint::Create(db, &raw); !status.ok())
    return failed(status, StorageVerb::write, folder);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  // The limit that no log reaches: it is flushed already, and there is no write-ahead log.
  if (auto status = checkpoint->CreateCheckpoint(folder, ~std::uint64_t{0}); !status.ok())
    return failed(status, StorageVerb::write, folder);
  return {};
}

/// Written down, so that the next start does not trust this data.
StorageError CheckpointBuilder::own_damage(std::string cause) {
  mark_data_damaged(*slot_->env, slot_->options.dir, cause);
  return {StorageSubject::state_machine, StorageVerb::read, StorageKind::corruption, std::move(cause),
          StorageOutcome::not_written};
}

Result<std::vector<SnapshotFile>> CheckpointBuilder::hashed(const std::string& folder) {
  const auto files = storage::snapshot_files(slot_->env.get());
  const auto names = files->list(folder);
  if (!names)
    return tl::unexpected(names.error());
  std::vector<SnapshotFile> result;
  decltype(known_) now;
  for (const auto& [name, bytes] : names->files) {
    const auto known = known_.find({name, bytes});
    // The hash is of the bytes as they are. A block that rotted here must not replace a good one elsewhere.
    if (is_table(name) && known == known_.end())
      if (auto bad = storage::verify_table(slot_->env.get(), folder + "/" + name, "table"))
        return tl::unexpected(own_damage(slot_->options.dir + "/" + name + ": " + bad->why));
    auto hash = known != known_.end() ? Result<ContentHash>(known->second)
                                      : hash_of_file(*files, folder + "/" + name, bytes);
    if (!hash)
      return tl::unexpected(hash.error());
    if (is_table(name))
      now.emplace(std::pair(name, bytes), *hash);
    result.push_back({name, bytes, hash->low, hash->high});
  }
  known_ = std::move(now);
  return result;
}

Result<SnapshotManifest> CheckpointBuilder::build_snapshot(const std::string& parent) {
  const auto files = storage::snapshot_files(slot_->env.get());
  const auto building = parent + "/building";
  const auto clear = [&] {
    auto removed = files->remove_folder(building);
    return removed ? files->remove_folder(building + ".tmp") : removed;
  };
  if (auto cleared = clear(); !cleared)
    return tl::unexpected(cleared.error());
  if (auto made = files->make_folder(parent); !made)
    return tl::unexpected(made.error());
  auto manifest = build_in(parent, building);
  if (!manifest)
    static_cast<void>(clear());  // what it cannot remove now goes before the next build
  return manifest;
}

Result<SnapshotManifest> CheckpointBuilder::build_in(const std::string& parent, const std::string& building) {
  const auto files = storage::snapshot_files(slot_->env.get());
  if (auto made = make_checkpoint(building); !made)
    return tl::unexpected(made.error());
  auto hashed_files = hashed(building);
  if (!hashed_files)
    return tl::unexpected(hashed_files.error());
  auto made_of = manifest_of_checkpoint(slot_->options, *slot_->env, building, std::move(*hashed_files));
  if (!made_of)
    return tl::unexpected(made_of.error());
  auto manifest = std::move(*made_of);

  const auto folder = parent + "/" + manifest.meta.snapshot_id;
  const auto there = files->list(parent);
  if (!there)
    return tl::unexpected(there.error());
  for (const auto& other : there->folders) {
    if (other != manifest.meta.snapshot_id)
      continue;
    if (auto removed = files->remove_folder(building); !removed)
      return tl::unexpected(removed.error());
    return manifest;
  }
  for (const auto& file : manifest.files)
    if (auto synced = files->sync_file(building + "/" + file.file); !synced)
      return tl::unexpected(synced.error());
  if (auto synced = files->sync_folder(building); !synced)
    return tl::unexpected(synced.error());
  if (auto renamed = files->rename(building, folder); !renamed)
    return tl::unexpected(renamed.error());
  if (auto synced = files->sync_folder(parent); !synced)
    return tl::unexpected(synced.error());
  KIWI_MARK("snapshot.built");
  return manifest;
}

Result<std::vector<SnapshotFile>> CheckpointBuilder::link_current_files(const std::string& folder) {
  const auto files = storage::snapshot_files(slot_->env.get());
  if (auto removed = files->remove_folder(folder); !removed)
    return tl::unexpected(removed.error());
  if (auto made = files->make_folder(folder); !made)
    return tl::unexpected(made.error());
  {
    const std::lock_guard lock(slot_->mutex);
    enter_generation();
    auto* const db = slot_->db;
    if (db == nullptr)
      return failed(StorageVerb::read, StorageKind::unavailable, "the data database is closed");
    if (auto status = db->DisableFileDeletions(); !status.ok())
      return failed(status, StorageVerb::read, folder);
    std::vector<std::string> live;
    std::uint64_t manifest_bytes = 0;
    const auto status = db->GetLiveFiles(live, &manifest_bytes, false);
    Result<void> linked;
    for (const auto& name : live)  // each begins with a slash
      if (linked && status.ok() && is_table(name))
        linked = files->link(slot_->options.dir + name, folder + name);
    db->EnableFileDeletions(false).PermitUncheckedError();
    if (!status.ok())
      return failed(status, StorageVerb::read, folder);
    if (!linked)
      return tl::unexpected(linked.error());
  }
  return hashed(folder);
}

Result<void> CheckpointBuilder::accepts(const SnapshotManifest& manifest) const {
  if (manifest.format == data_format::kFormatVersion)
    return {};
  return failed(StorageVerb::open, StorageKind::mismatch,
                "snapshot " + manifest.meta.snapshot_id + " has data format " +
                    std::to_string(manifest.format) + ", this program knows format " +
                    std::to_string(data_format::kFormatVersion));
}

Result<void> CheckpointBuilder::check_received(const SnapshotMeta& meta, const std::string& folder) {
  return check_checkpoint(slot_->options, *slot_->env, meta, folder);
}

Result<void> check_checkpoint(const DatabaseOptions& options, rocksdb::Env& env, const SnapshotMeta& meta,
                              const std::string& folder) {
  const auto found = read_checkpoint(options, env, folder);
  if (!found)
    return tl::unexpected(found.error());
  // All but the name.
  if (found->last_log_id == meta.last_log_id && found->timestamp_ms == meta.timestamp_ms &&
      found->membership == meta.membership && found->membership_id == meta.membership_id)
    return {};
  return failed(StorageVerb::open, StorageKind::corruption,
                folder + " holds the state as of " + to_string(found->last_log_id) + ", not what snapshot " +
                    meta.snapshot_id + " is said to be");
}

Result<SnapshotMeta> read_checkpoint(const DatabaseOptions& options, rocksdb::Env& env,
                                     const std::string& folder) {
  const auto cache = rocksdb::NewLRUCache(1u << 20, 0);
  auto o = rocksdb_options(options, cache, true);
  o.env = &env;
  o.max_open_files = -1;  // opens every table, so one that is missing is seen
  rocksdb::DB* raw = nullptr;
  if (auto status = rocksdb::DB::OpenForReadOnly(o, folder, &raw); !status.ok())
    return failed(status, StorageVerb::open, folder);
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::string format, state_row, membership_row;
  for (auto [row, value] :
       {std::pair(data_format::kFormatRow, &format), std::pair(data_format::kStateRow, &state_row),
        std::pair(data_format::kMembershipRow, &membership_row)})
    if (auto status = db->Get({}, rocksdb::Slice(row.data(), row.size()), value); status.IsNotFound())
      return failed(StorageVerb::open, StorageKind::corruption,
                    folder + " lacks the row " + std::string(row));
    else if (!status.ok())
      return failed(status, StorageVerb::open, folder);
  const auto version = data_format::decode_format(format);
  if (!version || *version != data_format::kFormatVersion)
    return failed(StorageVerb::open, StorageKind::mismatch, folder + " is not of this data format");
  const auto state = data_format::decode_state(state_row);
  auto membership = decode_membership(membership_row);
  if (!state || !membership)
    return failed(StorageVerb::open, StorageKind::corruption,
                  folder + ": the applied state or the membership cannot be decoded");
  SnapshotMeta meta;
  meta.last_log_id = state->applied;
  meta.timestamp_ms = state->clock_ms;
  meta.membership = std::move(*membership);
  meta.membership_id = state->membership_id;
  return meta;
}

std::string snapshot_id_of(const SnapshotManifest& nameless) {
  char text[64];
  const auto& last = nameless.meta.last_log_id;
  std::snprintf(text, sizeof text, "%llu-%llu-%016llx", static_cast<unsigned long long>(last.term.value),
                static_cast<unsigned long long>(last.index.value),
                static_cast<unsigned long long>(checksum64(encode_snapshot_manifest(nameless))));
  return text;
}

Result<SnapshotManifest> manifest_of_checkpoint(const DatabaseOptions& options, rocksdb::Env& env,
                                                const std::string& folder, std::vector<SnapshotFile> files) {
  auto meta = read_checkpoint(options, env, folder);
  if (!meta)
    return tl::unexpected(meta.error());
  SnapshotManifest manifest;
  manifest.meta = std::move(*meta);
  manifest.format = data_format::kFormatVersion;
  manifest.files = std::move(files);
  manifest.meta.snapshot_id = snapshot_id_of(manifest);
  return manifest;
}

}  // namespace kiwi
