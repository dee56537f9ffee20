#pragma once

// What a core is made from.

#include <cstdint>
#include <utility>
#include <vector>

#include "messages/ids.hpp"
#include "messages/known_formats.hpp"
#include "messages/membership.hpp"
#include "messages/term_run.hpp"
#include "messages/vote.hpp"
#include "raft/log_sizes.hpp"

namespace kiwi::raft {

struct Options {
  NodeId id;
  /// Draws the election time-outs.
  std::uint64_t seed = 1;
  /// An election time-out is drawn anew each time from [min, max] ticks.
  std::uint32_t election_ticks_min = 10;
  std::uint32_t election_ticks_max = 20;
  std::uint32_t heartbeat_ticks = 2;
  /// One append request carries at most this many bytes (weight_bytes), but at least one entry.
  std::uint64_t max_append_bytes = 1u << 20;
  /// Window per follower in replicate state: unacknowledged appends and their bytes.
  std::uint32_t max_inflight_appends = 64;
  std::uint64_t max_inflight_bytes = 4u << 20;
  /// Leader: proposals are refused (overloaded) while more bytes than this are not yet committed, or not yet
  /// on the own disk: the others may commit without it, but it must keep in memory what it has not written.
  std::uint64_t max_uncommitted_bytes = 64u << 20;
  /// Entries handed out to be applied and not yet reported applied.
  std::uint64_t max_applying_bytes = 8u << 20;
  /// A node that does not lead hands out what is committed once so many entries wait, or at the next tick:
  /// who reads there reads what is a tick old anyway, and each batch costs two threads a switch. 0: at once.
  std::uint32_t follower_apply_entries = 0;
  /// Leader: while entries are on their way to its own disk, new ones wait, up to so many bytes
  /// (weight_bytes), and then go together: to the disk, which could not have begun with them earlier, and to
  /// the followers. An entry is applied when it is on the own disk, so none waits longer for that, and
  /// for its followers by at most a round trip. 0: each goes at once.
  std::uint64_t hold_back_bytes = 0;
  /// Entries that are durable and applied stay in memory up to this, for lagging followers.
  std::uint64_t max_cached_bytes = 32u << 20;
  /// Reads waiting for confirmation; more are refused.
  std::uint32_t max_pending_reads = 100'000;
  /// The leader serves reads without a round while its lease holds, and every node keeps the promise that
  /// leases rest on (docs/reads.md). All nodes of a cluster must have the same.
  bool lease = false;
  /// Real length of a tick, microseconds; used with `lease` only.
  std::uint64_t tick_us = 50'000;
  CompactionLimits compaction;
  /// False: the state machine has no snapshots; an offer is refused.
  bool installs_snapshots = true;
  /// Between two offers of a snapshot, and two looks at what could be purged.
  std::uint32_t offer_ticks = 10;
  /// A follower that was heard within this counts as live for compaction, and one that receives a snapshot as
  /// receiving when that came forward within it.
  std::uint32_t live_ticks = 200;
  /// What this node announces (messages/known_formats.hpp). Lower in tests: a program that knows less.
  std::uint32_t formats = kKnownFormats;
};

/// What the log store and the state machine found at start.
struct Restored {
  Vote vote;
  /// Everything up to here is gone from the log (0/0: nothing).
  LogId purged;
  /// Terms of the log that is there: each run starts at `first` and lasts to the next run or to `last`.
  std::vector<TermRun> runs;
  LogId last;  // equals `purged` when the log is empty
  /// Oldest first: the membership as of purged or applied (or the initial one, with id 0/0), then one for
  /// each membership entry in the log after it. Empty: this node belongs to no cluster yet.
  std::vector<std::pair<LogId, Membership>> memberships;
  LogId applied;                    // by the state machine, durably
  std::uint64_t last_stamp_ms = 0;  // of the last entry, or of the applied state if later
  std::vector<LogMark> marks;       // of the entries that are there, see LogSizes
  std::uint64_t entry_bytes = 0;
};

}  // namespace kiwi::raft
