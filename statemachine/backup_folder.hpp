#pragma once

// A backup: the files of a data database as of one index, in a folder of its own, and last of all their
// manifest. A folder without the manifest is no backup.
//
//   FOLDER/*.sst, CURRENT, MANIFEST-*, ...   as in a built snapshot
//   FOLDER/MANIFEST-OF-SNAPSHOT              messages/codec.hpp: encode_snapshot_manifest
//
// All functions go through the Env that is given; null: the system's. An error of kind corruption says that
// bytes are not what they must be; `piece` hears of every byte that was copied or checked, and may wait.

#include <string>
#include <vector>

#include "messages/snapshot_meta.hpp"
#include "messages/storage_error.hpp"
#include "statemachine/verify_data.hpp"
#include "storage/verify_files.hpp"

namespace kiwi {

struct BackupMade {
  SnapshotManifest manifest;
  DataReport data;  // of the copy
};

/// Copies `names` of `from`, a database that nobody changes, to `folder`, which must not exist or be empty
/// (else invalid_request). The copy is verified block by block and row by row, everything is synced, and then
/// the manifest is written. `expected_id`: of the snapshot in `from`, which names its content; empty: not
/// known.
Result<BackupMade> write_backup(rocksdb::Env* env, const std::string& from, std::vector<std::string> names,
                                const std::string& expected_id, const std::string& folder,
                                const storage::VerifyPiece& piece);

/// The files that the database in `folder`, which nobody has open, consists of.
Result<std::vector<std::string>> live_files_of(rocksdb::Env* env, const std::string& folder);

/// The manifest of a finished backup; mismatch when `folder` holds none, corruption when it cannot be read.
Result<SnapshotManifest> read_backup(rocksdb::Env* env, const std::string& folder);

/// Copies the backup to `data`, made anew, durably, every file compared with the manifest and the state with
/// its meta. Gives what verify_data() found in the copy.
Result<DataReport> unpack_backup(rocksdb::Env* env, const std::string& folder,
                                 const SnapshotManifest& manifest, const std::string& data,
                                 const storage::VerifyPiece& piece);

}  // namespace kiwi
