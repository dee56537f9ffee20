#pragma once

// A data directory of a new cluster, made of a backup.
//
//   step                                   on the disk afterwards
//   1 the mark, before anything else       KIWI-RESTORING
//   2 the data, verified and synced        ... and data/
//   3 the log store with the identity      ... and log/: begins behind the backup's index, with the
//   membership 4 the mark goes                        data/ and log/: a node
//
// With the mark the directory is no node's (storage/data_directory.hpp), so a crash anywhere leaves nothing
// that starts, and the same call begins anew. After an error the directory is left empty, as far as that can
// be done.

#include <string>

#include "messages/snapshot_meta.hpp"
#include "messages/storage_calls.hpp"
#include "messages/storage_error.hpp"
#include "statemachine/verify_data.hpp"
#include "storage/log_store.hpp"
#include "storage/verify_files.hpp"

namespace kiwi {

struct RestorePlan {
  std::string from;           // the backup
  SnapshotManifest manifest;  // as read_backup() gave it
  std::string dir;            // DIR: must not exist, be empty, or hold an unfinished restore
  storage::Identity identity;
  rocksdb::Env* env = nullptr;  // null: the system's
  bool simulated = false;
};

/// Errors: invalid_request (DIR is used), unavailable (another process has it), corruption (a file of the
/// backup is not what the manifest names), io, no_space. Gives what was found in the new data.
Result<DataReport> restore_directory(const RestorePlan& plan, const storage::VerifyPiece& piece);

/// The first thing that a new cluster's log holds behind `last`: its membership, in a term of its own, and a
/// vote for `vote` in that term. It counts as soon as it is in the log (Raft 6), so all nodes of the cluster
/// must begin with the same.
LogWrite founding_entry(LogId last, Term newest_term, NodeId vote, std::uint64_t stamp_ms,
                        const Membership& membership);

}  // namespace kiwi
