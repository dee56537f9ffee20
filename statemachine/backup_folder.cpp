#include "statemachine/backup_folder.hpp"

#include <algorithm>
#include <utility>

#include "messages/codec.hpp"
#include "messages/content_hash.hpp"
#include "rocksdb/cache.h"
#include "rocksdb/env.h"
#include "statemachine/checkpoint.hpp"
#include "statemachine/data_format.hpp"
#include "statemachine/engine/storage_failure.hpp"
#include "storage/durable_dir.hpp"
#include "storage/snapshot_files.hpp"

namespace kiwi {
namespace {

constexpr std::uint64_t kPieceBytes = 256u << 10;

tl::unexpected<StorageError> failed(StorageKind kind, std::string cause) {
  return tl::unexpected(StorageError{StorageSubject::snapshot, StorageVerb::write, kind, std::move(cause),
                                     StorageOutcome::not_written});
}

rocksdb::Env* or_default(rocksdb::Env* env) { return env == nullptr ? rocksdb::Env::Default() : env; }

/// Copies one file and syncs it; names its content.
Result<SnapshotFile> copy_file(storage::SnapshotFiles& files, const std::string& from, const std::string& to,
                               const std::string& name, std::uint64_t bytes,
                               const storage::VerifyPiece& piece) {
  ContentHasher hasher;
  const auto path = to + "/" + name;
  for (std::uint64_t at = 0; at < bytes || at == 0;) {
    const auto part = files.read(from + "/" + name, at, std::min(kPieceBytes, bytes - at));
    if (!part)
      return tl::unexpected(part.error());
    hasher.add(*part);
    if (auto appended = files.append(path, *part); !appended)
      return tl::unexpected(appended.error());
    at += part->size();
    if (piece && !piece(path, part->size()))
      return failed(StorageKind::unavailable, "stopped");
    if (part->empty())
      break;
  }
  if (auto synced = files.sync_file(path); !synced)
    return tl::unexpected(synced.error());
  return SnapshotFile{name, bytes, hasher.hash().low, hasher.hash().high};
}

/// The first damage as an error.
Result<void> whole(const DataReport& report) {
  for (const auto& f : report.findings)
    if (f.kind != storage::FindingKind::note)
      return failed(StorageKind::corruption, f.what + ", " + f.where + ": " + f.why);
  if (!report.there || !report.state)
    return failed(StorageKind::corruption, "the files hold no data database");
  return {};
}

Result<void> refuse_used(storage::SnapshotFiles& files, const std::string& folder) {
  const auto there = files.list(folder);
  if (!there)
    return tl::unexpected(there.error());
  if (there->files.empty() && there->folders.empty())
    return {};
  const bool finished = there->files.contains(storage::kSnapshotManifestName);
  return failed(StorageKind::invalid_request,
                folder + " is not empty: it holds " +
                    (finished ? "a backup" : "files, perhaps of a backup that was not finished"));
}

}  // namespace

Result<BackupMade> write_backup(rocksdb::Env* given, const std::string& from, std::vector<std::string> names,
                                const std::string& expected_id, const std::string& folder,
                                const storage::VerifyPiece& piece) {
  // A snapshot's id depends on the order of its files.
  std::sort(names.begin(), names.end());
  auto* const env = or_default(given);
  const auto files = storage::snapshot_files(env);
  if (auto free = refuse_used(*files, folder); !free)
    return tl::unexpected(free.error());
  if (auto made = files->make_folder(folder); !made)
    return tl::unexpected(made.error());
  std::vector<SnapshotFile> copied;
  for (const auto& name : names) {
    std::uint64_t bytes = 0;
    if (auto status = env->GetFileSize(from + "/" + name, &bytes); !status.ok())
      return failed(StorageKind::io, from + "/" + name + ": " + status.ToString());
    auto file = copy_file(*files, from, folder, name, bytes, piece);
    if (!file)
      return tl::unexpected(file.error());
    copied.push_back(std::move(*file));
  }
  if (auto synced = files->sync_folder(folder); !synced)
    return tl::unexpected(synced.error());
  BackupMade made;
  made.data = verify_data(env, folder, piece);
  if (auto good = whole(made.data); !good)
    return tl::unexpected(good.error());
  DatabaseOptions options;
  options.dir = folder;
  options.env = env;
  auto manifest = manifest_of_checkpoint(options, *env, folder, std::move(copied));
  if (!manifest)
    return tl::unexpected(manifest.error());
  if (!expected_id.empty() && manifest->meta.snapshot_id != expected_id)
    return failed(StorageKind::corruption, "the files copied are not those of snapshot " + expected_id +
                                               ": together they are snapshot " + manifest->meta.snapshot_id);
  made.manifest = std::move(*manifest);
  if (auto written = files->write_durably(folder, storage::kSnapshotManifestName,
                                          encode_snapshot_manifest(made.manifest));
      !written)
    return tl::unexpected(written.error());
  return made;
}

Result<std::vector<std::string>> live_files_of(rocksdb::Env* given, const std::string& folder) {
  auto* const env = or_default(given);
  DatabaseOptions options;
  options.dir = folder;
  options.env = env;
  auto o = rocksdb_options(options, rocksdb::NewLRUCache(1u << 20, 0), true);
  o.env = env;
  rocksdb::DB* raw = nullptr;
  if (auto status = rocksdb::DB::OpenForReadOnly(o, folder, &raw); !status.ok())
    return tl::unexpected(state_machine_error(StorageVerb::open, status, folder));
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::string current;
  if (auto status = rocksdb::ReadFileToString(env, folder + "/CURRENT", &current); !status.ok())
    return tl::unexpected(state_machine_error(StorageVerb::open, status, folder + "/CURRENT"));
  std::vector<std::string> names{"CURRENT", current.substr(0, current.find('\n'))};
  for (auto& table : storage::live_tables(*db)) names.push_back(std::move(table));
  std::sort(names.begin(), names.end());
  return names;
}

Result<SnapshotManifest> read_backup(rocksdb::Env* given, const std::string& folder) {
  auto* const env = or_default(given);
  const auto path = folder + "/" + storage::kSnapshotManifestName;
  if (env->FileExists(path).IsNotFound())
    return failed(StorageKind::mismatch, folder + " holds no backup, or one that was not finished: " +
                                             storage::kSnapshotManifestName + " is missing");
  std::string bytes;
  if (auto status = rocksdb::ReadFileToString(env, path, &bytes); !status.ok())
    return failed(StorageKind::io, path + ": " + status.ToString());
  auto manifest = decode_snapshot_manifest(bytes);
  if (!manifest)
    return failed(StorageKind::corruption, path + ": " + manifest.error().what);
  if (manifest->format != data_format::kFormatVersion)
    return failed(StorageKind::mismatch, folder + " has data format " + std::to_string(manifest->format) +
                                             "; this program knows only " +
                                             std::to_string(data_format::kFormatVersion));
  auto nameless = *manifest;
  nameless.meta.snapshot_id.clear();
  if (snapshot_id_of(nameless) != manifest->meta.snapshot_id)
    return failed(StorageKind::corruption, path + ": its id is not that of its content");
  return std::move(*manifest);
}

Result<DataReport> unpack_backup(rocksdb::Env* given, const std::string& folder,
                                 const SnapshotManifest& manifest, const std::string& data,
                                 const storage::VerifyPiece& piece) {
  auto* const env = or_default(given);
  const auto files = storage::snapshot_files(env);
  if (auto removed = files->remove_folder(data); !removed)
    return tl::unexpected(removed.error());
  if (auto made = files->make_folder(data); !made)
    return tl::unexpected(made.error());
  for (const auto& named : manifest.files) {
    const auto path = folder + "/" + named.file;
    if (env->FileExists(path).IsNotFound())
      return failed(StorageKind::corruption, "file of the backup, " + path + ": it is missing");
    std::uint64_t bytes = 0;
    if (auto status = env->GetFileSize(path, &bytes); !status.ok())
      return failed(StorageKind::io, path + ": " + status.ToString());
    if (bytes != named.bytes)
      return failed(StorageKind::corruption, "file of the backup, " + path + ": it has " +
                                                 std::to_string(bytes) + " bytes and must have " +
                                                 std::to_string(named.bytes));
    const auto copied = copy_file(*files, folder, data, named.file, bytes, piece);
    if (!copied)
      return tl::unexpected(copied.error());
    if (*copied != named)
      return failed(StorageKind::corruption,
                    "file of the backup, " + path + ": checksum mismatch, it is not what the manifest names");
  }
  if (auto synced = files->sync_folder(data); !synced)
    return tl::unexpected(synced.error());
  auto report = verify_data(env, data, piece);
  if (auto good = whole(report); !good)
    return tl::unexpected(good.error());
  if (report.state->last_log_id != manifest.meta.last_log_id ||
      report.state->timestamp_ms != manifest.meta.timestamp_ms)
    return failed(StorageKind::corruption,
                  "the backup holds the state as of " + to_string(report.state->last_log_id) +
                      ", and its manifest says " + to_string(manifest.meta.last_log_id));
  return report;
}

}  // namespace kiwi
