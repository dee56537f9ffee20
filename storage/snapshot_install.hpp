#pragma once

// A received snapshot becomes the data database: the steps of docs/snapshots.md, "Install", that concern
// files, and the way on after a crash between any two of them. Knows nothing of what is in the database.
//
//   step                     on the disk afterwards                             mark, also the name of the
//                                                                               crash point
//   begin_install            data, incoming/<id> without kiwi's own files       install.staged
//                            ... and snapshots/INSTALL: the new state counts    install.intent
//   swap_data                data.old, incoming/<id>                            install.old_aside
//                            data.old, data                                     install.new_in_place
//   (the log follows)
//   finish_install           data.old, data, no INSTALL                         install.intent_removed
//                            data                                               install.old_removed
//
// Each step is durable before the next begins. All functions take the node's directory, DIR, and go through
// the Env that is given; null: the system's. Errors are of StorageSubject::snapshot.

#include <optional>
#include <string>
#include <string_view>

#include "messages/snapshot_meta.hpp"
#include "messages/storage_error.hpp"

namespace rocksdb {
class Env;
}

namespace kiwi::storage {

std::string data_folder(const std::string& dir);
std::string built_folder(const std::string& dir);
std::string incoming_folder(const std::string& dir, const std::string& snapshot_id);

bool has_data(rocksdb::Env* env, const std::string& dir);

/// Step 2. Requires all files of the snapshot in its incoming folder, verified and synced. What lies there
/// and is no file of a database goes first. Once the intent may be durable, only the next start or
/// swap_data() knows which state counts: after an error the node stops.
Result<void> begin_install(rocksdb::Env* env, const std::string& dir, const SnapshotMeta& meta);
/// The intent, when there is one: step 3 and what follows must be done before anything else. Corruption when
/// it cannot be read.
Result<std::optional<SnapshotMeta>> pending_install(rocksdb::Env* env, const std::string& dir);
/// Step 3, or what is left of it. Requires the intent, and the data database closed. Corruption when neither
/// the received files nor a database in their place are there.
Result<void> swap_data(rocksdb::Env* env, const std::string& dir, const SnapshotMeta& meta);
/// Step 5. Requires that the log follows the new state durably. Also right when there is no intent: then it
/// clears away what a crash left.
Result<void> finish_install(rocksdb::Env* env, const std::string& dir);

/// Moves DIR/data, which is damaged, to the first free DIR/data.damaged-N, durably. Gives that name, without
/// DIR; empty when there is no DIR/data.
Result<std::string> set_data_aside(rocksdb::Env* env, const std::string& dir);
inline constexpr std::string_view kDamagedDataPrefix = "data.damaged-";

}  // namespace kiwi::storage
