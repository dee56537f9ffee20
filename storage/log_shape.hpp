#pragma once

// What the log store keeps in memory about its log, and the batch that takes the log from one state to the
// next.

#include <rocksdb/write_batch.h>

#include <set>
#include <vector>

#include "messages/storage_calls.hpp"
#include "messages/term_run.hpp"
#include "storage/log_format.hpp"
#include "storage/log_members.hpp"

namespace kiwi::storage {

/// A value: write() advances a copy and keeps it once the batch is durable.
struct LogShape {
  LogState state;
  std::vector<TermRun> runs;  // of the entries after state.purged
  std::set<NodeId> bound;     // peers with a binding
  LogMembers members;

  /// The shape after one step. Asserts that the step fits: entries without a gap, nothing at or below the
  /// purge point truncated, no purge beyond the end, no reset below the purge point. All of these would be
  /// bugs of the caller.
  void apply(const LogWrite& step);

  /// Whether this very entry is in the log, or is the last one that was purged.
  bool holds(LogId id) const;

 private:
  /// Requires state.purged.index <= index <= state.last.index.
  Term term_of(Index index) const;
  void reset_to(LogId id);
  void truncate_from(Index first);
  void append(const Entry& entry);
  void purge_to(Index index);
};

/// Fills `batch` with `after` and then the steps, which lead from `before` to it, in order. `family`: of
/// entries.
void put_steps(rocksdb::WriteBatch& batch, rocksdb::ColumnFamilyHandle* family, const LogState& before,
               const LogState& after, const std::vector<LogWrite>& steps);
void put_state(rocksdb::WriteBatch& batch, const LogState& state);
void put_identity(rocksdb::WriteBatch& batch, const Identity& identity);
/// The membership as of the purge point, when it is another one than before.
void put_members(rocksdb::WriteBatch& batch, const LogShape& before, const LogShape& after);
void remove_binding(rocksdb::WriteBatch& batch, NodeId node);

/// Appends a filler, which is in the write-ahead log only, so that the batch ends at a sector boundary when
/// it is written at `offset` of the file: no later write shares a sector with it, so a sector that is torn or
/// lost in a power failure never holds anything but the one un-synced batch.
void fill_sector(rocksdb::WriteBatch& batch, std::uint64_t offset);
inline constexpr std::uint64_t kSectorBytes = 512;

}  // namespace kiwi::storage
