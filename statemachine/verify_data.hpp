#pragma once

// All checksums of a data database that nobody has open, every row of it, and what it says about itself.
// Writes nothing.

#include <cstdint>
#include <optional>
#include <string>

#include "messages/snapshot_meta.hpp"
#include "storage/verify_files.hpp"

namespace kiwi {

struct DataReport {
  bool there = false;
  storage::Findings findings;
  /// The applied state as the database tells it, without an id. Nothing: it cannot be read.
  std::optional<SnapshotMeta> state;
  /// Of the whole data, as RAFT.DIGEST gives it for state->last_log_id. Empty: there is damage, or not asked
  /// for.
  std::string digest;
  std::uint64_t keys = 0;  // rows, when digest is not empty
  std::uint64_t keys_with_expiry = 0;
  std::uint64_t tables = 0;
  std::uint64_t bytes = 0;  // of all files
  bool stopped = false;     // `piece` said so
};

/// `folder`: DIR/data, or a checkpoint. Checks the mark of damage that a node leaves, CURRENT and MANIFEST,
/// every table; and, when these are whole, that every row can be decoded, that the rows are in the place
/// their content says, and that there are as many as the applied state says. `piece` hears of each table
/// twice then: when it was checked, and its share of the rows when they were read.
DataReport verify_data(rocksdb::Env* env, const std::string& folder, const storage::VerifyPiece& piece);

}  // namespace kiwi
