#pragma once

// The durable log of one replica on RocksDB: entries, vote, purge point, identity, peer bindings.
// Knows nothing of Raft's protocol. Not thread-safe: one owner, the log store actor (or its thread).
// On-disk format: drawn in storage/log_format.hpp.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "messages/entry.hpp"
#include "messages/ids.hpp"
#include "messages/membership.hpp"
#include "messages/scrub_figures.hpp"
#include "messages/storage_calls.hpp"
#include "messages/storage_error.hpp"
#include "messages/term_run.hpp"
#include "messages/vote.hpp"

namespace rocksdb {
class Env;
class DB;
}  // namespace rocksdb

namespace kiwi::storage {

/// Who this data directory is. Written once, when the directory is made (rule 11).
struct Identity {
  ClusterId cluster;  // 0: belongs to no cluster yet
  NodeId node;
  InstanceId instance;
  NodeAddress address;
  Membership initial_membership;  // empty: none yet
  /// Where a cluster comes from that did not begin empty: a backup, or a lone survivor. It goes into the
  /// cluster id (messages/cluster_id.hpp). Empty: it began empty.
  std::string origin;
};

/// What create() makes, and the oldest that open() knows (log_format.hpp).
inline constexpr std::uint32_t kLogFormatVersion = 2;
inline constexpr std::uint32_t kOldestLogFormatVersion = 1;

struct LogStoreOptions {
  std::string dir;              // DIR/log
  rocksdb::Env* env = nullptr;  // null: RocksDB's default; else a simulated one
  bool simulated = false;       // true: no background threads, flush only when asked (see the spike's traps)
  /// Of one memtable, and about of one write-ahead-log file; up to four of each exist for a while.
  std::uint64_t write_buffer_bytes = 16u << 20;
  /// The state machine's durable applied index: a log that ends below it is damaged (rule 5). 0: unknown.
  Index durable_applied;
  /// Not 0/0: a snapshot that ends here was installed, and the log must begin behind it (docs/snapshots.md,
  /// install, step 4). What the log holds beyond it stays if the log holds this very entry; else all of it
  /// goes. Done, durably, before open() returns; durable_applied is not looked at.
  LogId installed;
  /// Of that snapshot, see LogWrite::reset_membership.
  LogId installed_membership_id;
  Membership installed_membership;
  /// That create() makes. A directory keeps its own; only tests ask for an older one.
  std::uint32_t format = kLogFormatVersion;
};

/// What open() found.
struct Recovered {
  Identity identity;
  Vote vote;
  LogId purged;
  LogId last;  // equals purged when there is no entry
  std::vector<TermRun> runs;
  /// As of `purged`, when an entry up to there brought it; else the initial one counts.
  std::optional<std::pair<LogId, Membership>> base_membership;
  /// Membership entries in the log, oldest first.
  std::vector<std::pair<LogId, Membership>> memberships;
  std::vector<PeerBinding> bindings;
  std::uint64_t last_stamp_ms = 0;
  std::uint64_t torn_bytes = 0;  // cut from the end of the write-ahead log
  std::uint64_t entries = 0;
  std::vector<LogMark> marks;     // of the entries that are there
  std::uint64_t entry_bytes = 0;  // weight_bytes of all entries, in the marks' count: of the last one
};

struct LogStoreStats {
  std::uint64_t syncs = 0;
  std::uint64_t entries_written = 0;
  std::uint64_t bytes_written = 0;  // payload bytes
  std::uint64_t sync_total_us = 0;
  std::uint64_t sync_max_us = 0;
  std::uint64_t last_sync_us = 0;
};

class LogStore {
 public:
  /// True when `dir` holds a log store (even a damaged one).
  static bool exists(const LogStoreOptions& options);
  /// Makes a new, empty store with this identity, durably. Fails if one exists.
  static Result<void> create(const LogStoreOptions& options, const Identity& identity);
  /// Opens and recovers. A torn tail is cut; damage before the end is StorageKind::corruption with the first
  /// bad index; an unknown format version is StorageKind::mismatch. What was recovered is durable in a new
  /// synced file before this returns (rule 4).
  /// Refusals: StorageKind::corruption (damage; nothing on disk is changed), mismatch (no store, a foreign
  /// directory, an unknown format), unavailable (open elsewhere), io, no_space.
  /// Not detectable: damage to the newest batch alone looks like a torn one and is cut; so is what a cleanly
  /// shortened newest write-ahead log lacks, unless durable_applied knows better. See docs/formats.md.
  static Result<std::unique_ptr<LogStore>> open(const LogStoreOptions& options, Recovered& recovered);
  ~LogStore();

  /// Makes the steps durable, in order, with one synced write. After the first failure the store is poisoned:
  /// every later call, reads too, fails with the first error and outcome not_written (rule 4). The failed
  /// write itself is always `unknown`, ENOSPC (StorageKind::no_space) included: its record may lie whole in
  /// the file. Steps that do not fit the log (a gap, a truncation at or below the purge point, a reset below
  /// it, a purge beyond the end) are bugs and assert. A purge costs no more than any other step; its bytes
  /// leave the disk soon after (log_purge.hpp).
  Result<LogId> write(const std::vector<LogWrite>& group);
  /// As write(), the sync included, but only if RocksDB has no reason to hold the writer up: no result means
  /// that it has, and that nothing was written.
  std::optional<Result<LogId>> write_at_once(const std::vector<LogWrite>& group);
  /// Does a write of so many bytes need no more than an append and a sync, as far as one can tell before? Not
  /// where its file is to be zeroed further ahead (zeroed_ahead.hpp), or will be full and its memtable be
  /// flushed.
  bool is_plain(std::uint64_t bytes) const;
  /// Entries [first, last], as many as fit into max_bytes, at least one. Each is checked against its checksum
  /// and its index. Below the purge point or above the end: StorageKind::invalid_request. An I/O error or
  /// damage poisons the store.
  Result<std::vector<Entry>> read(Index first, Index last, std::uint64_t max_bytes) const;
  /// Turns a directory without a cluster into one of this cluster (RAFT.CLUSTER INIT). Durable on return.
  Result<void> adopt_cluster(ClusterId cluster, const Membership& initial);
  /// Makes this directory one of another cluster: writes the identity, forgets all bindings, and does `step`,
  /// all in one write: after a crash either all of it is there or nothing. Requires the node, instance and
  /// address to stay (asserted). For a node that is not running (kiwi-node recover).
  Result<void> begin_new_cluster(const Identity& identity, const LogWrite& step);

  /// Reads at most this much of the tables again, and compares them with their checksums (table_scrub.hpp);
  /// the vote and the state of the log at the end of a round. True: a round is done. Damage poisons the
  /// store.
  Result<bool> scrub(std::uint64_t max_bytes);
  const ScrubFigures& scrub_figures() const;

  LogId last() const;
  LogId purged() const;
  bool poisoned() const;
  const LogStoreStats& stats() const;
  /// Bytes on disk, about.
  std::uint64_t disk_bytes() const;
  /// What flushes and compactions of what is written already may take of the disk before they give as much
  /// back: what is not in a table yet, and the tables that wait to be written anew.
  std::uint64_t pending_bytes() const;

 private:
  struct Impl;
  explicit LogStore(std::unique_ptr<Impl> impl);
  std::optional<Result<LogId>> write_group(const std::vector<LogWrite>& group, bool may_wait);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kiwi::storage
