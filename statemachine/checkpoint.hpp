#pragma once

// Checkpoints of the data database: snapshots of docs/snapshots.md, for a thread of their own.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "messages/content_hash.hpp"
#include "statemachine/engine/database.hpp"
#include "statemachine/state_machine.hpp"

namespace kiwi {

class CheckpointBuilder final : public SnapshotBuilder {
 public:
  explicit CheckpointBuilder(std::shared_ptr<DatabaseSlot> slot) : slot_(std::move(slot)) {}

  /// Flushes the memtable, links the tables, reads back what is applied, and hashes what was not hashed
  /// before. Uses `parent`/building meanwhile; what a failed or interrupted call leaves is removed. Building
  /// the state that is built already gives the folder that is there. Corruption of
  /// StorageSubject::state_machine when the own data is damaged: that is written down there, and the node
  /// should stop serving it.
  Result<SnapshotManifest> build_snapshot(const std::string& parent) override;
  /// Tables only: whatever else a database has differs from node to node.
  Result<std::vector<SnapshotFile>> link_current_files(const std::string& folder) override;
  Result<void> accepts(const SnapshotManifest& manifest) const override;
  Result<void> check_received(const SnapshotMeta& meta, const std::string& folder) override;

 private:
  Result<SnapshotManifest> build_in(const std::string& parent, const std::string& building);
  Result<void> make_checkpoint(const std::string& folder);
  /// The files of a folder that nobody changes, by name.
  Result<std::vector<SnapshotFile>> hashed(const std::string& folder);
  void enter_generation();
  StorageError own_damage(std::string cause);

  std::shared_ptr<DatabaseSlot> slot_;
  /// Of tables of this opening of the database, which never change: by name and size. Holds those of the last
  /// call.
  std::map<std::pair<std::string, std::uint64_t>, ContentHash> known_;
  std::uint64_t generation_ = 0;
};

/// What the database in `folder`, which nobody has open, says about itself. Writes nothing. Corruption or
/// mismatch when it is not a whole data database of this format.
Result<SnapshotMeta> read_checkpoint(const DatabaseOptions& options, rocksdb::Env& env,
                                     const std::string& folder);
/// Corruption when the database in `folder` is whole, but not the state that `meta` names.
Result<void> check_checkpoint(const DatabaseOptions& options, rocksdb::Env& env, const SnapshotMeta& meta,
                              const std::string& folder);

/// The name of a snapshot whose manifest is `nameless` but for its id (docs/formats.md).
std::string snapshot_id_of(const SnapshotManifest& nameless);
/// The manifest, with its id, of the database in `folder`, which nobody changes and which holds nothing else,
/// from hashes of its files that were just taken.
Result<SnapshotManifest> manifest_of_checkpoint(const DatabaseOptions& options, rocksdb::Env& env,
                                                const std::string& folder, std::vector<SnapshotFile> files);

}  // namespace kiwi
