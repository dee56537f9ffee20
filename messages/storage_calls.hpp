#pragma once

// What the Raft driver asks of storage, and the answers. Every call carries the epoch of the storage actor it
// is meant for and a sequence number, both stamped by the adaptor; an answer names what it completed (rule
// 3).

#include <cstdint>
#include <optional>
#include <vector>

#include "messages/entry.hpp"
#include "messages/membership.hpp"
#include "messages/reply.hpp"
#include "messages/snapshot_meta.hpp"
#include "messages/storage_error.hpp"
#include "messages/vote.hpp"

namespace kiwi {

/// Stamped by the adaptor. `epoch` names one life of a storage actor; `sequence` counts its calls.
struct CallStamp {
  static constexpr const char* name = "CallStamp";
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  auto fields() { return std::tie(epoch, sequence); }
  friend bool operator==(const CallStamp&, const CallStamp&) = default;
};

/// Binds a peer's node id to one life of its data directory (rule 11).
struct PeerBinding {
  static constexpr const char* name = "PeerBinding";
  NodeId node;
  InstanceId instance;
  auto fields() { return std::tie(node, instance); }
  friend bool operator==(const PeerBinding&, const PeerBinding&) = default;
};

/// One step of the ordered durable stream (rule 2): all of it becomes durable, with everything before it, or
/// the store is poisoned. Applied in the order: reset, truncation, entries, vote, binding, purge.
struct LogWrite {
  static constexpr const char* name = "LogWrite";
  CallStamp stamp;
  std::uint64_t write = 0;  // the core's own number of this write, echoed
  bool has_vote = false;
  Vote vote;
  Index truncate_from;         // 0: nothing is removed; else entries from here on go first
  std::vector<Entry> entries;  // contiguous
  bool has_binding = false;
  PeerBinding binding;
  Index purge_to;  // 0: nothing; else entries up to here go
  /// Not 0/0: all entries go, and the log begins behind this one, which a snapshot holds (Raft 7).
  LogId reset_to;
  /// With reset_to: the snapshot's membership and the entry that brought it; id 0/0: the initial one.
  LogId reset_membership_id;
  Membership reset_membership;
  /// Nothing else waits for the caller's thread: a short write may be done there, if the disk is quick.
  bool at_once = false;
  auto fields() {
    return std::tie(stamp, write, has_vote, vote, truncate_from, entries, has_binding, binding, purge_to,
                    reset_to, reset_membership_id, reset_membership, at_once);
  }
};

struct LogWritten {
  static constexpr const char* name = "LogWritten";
  CallStamp stamp;
  std::uint64_t write = 0;
  LogId last;  // of the log as it is durable now
  auto fields() { return std::tie(stamp, write, last); }
};

/// Reads entries [first, last], as many as fit into max_bytes but at least one.
struct LogRead {
  static constexpr const char* name = "LogRead";
  CallStamp stamp;
  Index first;
  Index last;
  std::uint64_t max_bytes = 0;
  auto fields() { return std::tie(stamp, first, last, max_bytes); }
};

struct LogEntries {
  static constexpr const char* name = "LogEntries";
  CallStamp stamp;
  std::vector<Entry> entries;
  auto fields() { return std::tie(stamp, entries); }
};

/// Entries in log order, starting right after what was applied last.
struct ApplyBatch {
  static constexpr const char* name = "ApplyBatch";
  CallStamp stamp;
  std::vector<Entry> entries;
  auto fields() { return std::tie(stamp, entries); }
};

/// What is applied, in memory now and after a restart at the latest by replay.
struct AppliedState {
  static constexpr const char* name = "AppliedState";
  LogId applied;
  std::uint64_t stamp_ms = 0;  // the largest stamp applied: the machine's clock (rule 8)
  Membership membership;       // as of `applied`
  LogId membership_id;
  auto fields() { return std::tie(applied, stamp_ms, membership, membership_id); }
  friend bool operator==(const AppliedState&, const AppliedState&) = default;
};

struct Applied {
  static constexpr const char* name = "Applied";
  CallStamp stamp;
  LogId applied;
  std::uint64_t stamp_ms = 0;
  std::vector<Reply> replies;          // one per entry; nil for entries that are not commands
  std::uint64_t next_deadline_ms = 0;  // the earliest expiry that is known; 0: none (rule 8)
  Index durable;                       // what a crash now would come back to: the log may go up to there
  auto fields() { return std::tie(stamp, applied, stamp_ms, replies, next_deadline_ms, durable); }
};

/// Asks for what is applied now to become durable in the background; answered at once, with what is durable
/// already.
struct FlushState {
  static constexpr const char* name = "FlushState";
  CallStamp stamp;
  auto fields() { return std::tie(stamp); }
};
struct StateFlushing {
  static constexpr const char* name = "StateFlushing";
  CallStamp stamp;
  Index durable;
  auto fields() { return std::tie(stamp, durable); }
};

/// Replaces the whole state by a received snapshot (docs/snapshots.md, install: steps 2 and 3). Calls before
/// it are done on the old state, calls behind it on the new one.
struct InstallSnapshot {
  static constexpr const char* name = "InstallSnapshot";
  CallStamp stamp;
  SnapshotMeta meta;
  std::string folder;  // whole, verified and synced
  auto fields() { return std::tie(stamp, meta, folder); }
};
struct SnapshotInstalled {
  static constexpr const char* name = "SnapshotInstalled";
  CallStamp stamp;
  AppliedState state;  // now
  auto fields() { return std::tie(stamp, state); }
};

/// A query against the applied state.
struct StateQuery {
  static constexpr const char* name = "StateQuery";
  std::uint64_t token = 0;   // the asker's, echoed
  std::uint64_t now_ms = 0;  // the leader's time; 0: a stale read, which uses the applied stamp (rule 8)
  Bytes payload;             // an encoded ClientRequest
  auto fields() { return std::tie(token, now_ms, payload); }
};

struct StateQueryBatch {
  static constexpr const char* name = "StateQueryBatch";
  CallStamp stamp;
  std::vector<StateQuery> queries;
  auto fields() { return std::tie(stamp, queries); }
};

struct StateAnswer {
  static constexpr const char* name = "StateAnswer";
  std::uint64_t token = 0;
  /// Not 0: the query met a deadline that passed by now_ms but not by the applied stamp. `reply` is complete
  /// and treats that key as expired, but it must be held back until an entry with at least this stamp is
  /// applied, so that no later leader can show the key alive again (rule 8). Not asking again keeps rule 13:
  /// the reply is of the read's own place in the connection's order.
  std::uint64_t needs_tick_ms = 0;
  Reply reply;
  /// Not answered: the replies of this batch are too large together. Nothing was done.
  bool overloaded = false;
  auto fields() { return std::tie(token, needs_tick_ms, reply, overloaded); }
};

struct StateAnswers {
  static constexpr const char* name = "StateAnswers";
  CallStamp stamp;
  Index applied;
  std::vector<StateAnswer> answers;  // in the order of the queries
  auto fields() { return std::tie(stamp, applied, answers); }
};

}  // namespace kiwi
