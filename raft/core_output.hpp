#pragma once

// What a core wants done.

#include <cstdint>
#include <optional>
#include <vector>

#include "messages/entry.hpp"
#include "messages/ids.hpp"
#include "messages/peer_messages.hpp"
#include "messages/vote.hpp"
#include "raft/membership_change.hpp"

namespace kiwi::raft {

enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader, learner };
const char* to_string(Role);

/// Why a leader ceased to lead.
enum class StepDown : std::uint8_t {
  later_term,  // somebody campaigns or leads in a later one
  no_quorum,   // it heard no majority for the longest election time-out (check-quorum)
  own_disk,    // a majority works without it, but its own disk is too slow or hangs (stall_watch.hpp)
  no_commit,   // it is answered, but nothing it appends reaches a majority (stall_watch.hpp)
  no_state,    // its data is lost; it led only to bring another's log level with its own
  no_voter,    // it is no voter of the committed membership any more (Raft 6)
};
const char* to_string(StepDown);

struct Outgoing {
  NodeId to;
  PeerMessage message;
};

/// Leader: this peer needs a snapshot of at least this index. Answered by offer_snapshot or no_snapshot.
struct SnapshotWanted {
  NodeId peer;
  Index at_least;
};
/// Follower: the leader offers this, and it is ahead of what is here.
struct SnapshotOffered {
  NodeId from;
  SnapshotManifest manifest;
};

/// A read that may be served: once exactly `at` is applied (or at once, if `at` is applied already) and
/// before anything later is. `now_ms` is the time for it (rule 8): the leader's time when nothing follows
/// `at` in the log, else no later than the stamp of the entry after `at`, so that no read sees a key expired
/// that an entry ordered behind it finds alive. Never 0; a value below the stamp of `at` means that stamp.
struct ReadyRead {
  std::uint64_t token = 0;
  Index at;
  std::uint64_t now_ms = 0;
};

/// Asks for entries that are no longer in memory; answered by Core::entries_read or Core::read_failed.
struct Fetch {
  std::uint64_t number = 0;
  Index first;
  Index last;
  std::uint64_t max_bytes = 0;
};

/// What the core wants done. Handle the members in this order. Everything in here may go at once: messages
/// that promise something durable are kept inside the core until persisted() (rule 2).
struct Output {
  /// Not 0: one step of the durable stream has this number; report it with persisted(). Steps are numbered
  /// 1, 2, 3, ... and must become durable in that order.
  std::uint64_t write = 0;
  std::optional<Vote> vote;
  Index truncate_from;  // 0: none
  std::vector<Entry> entries;
  Index purge_to;  // 0: none
  LogId reset_to;  // 0/0: none
  // With purge_to and reset_to the log keeps the membership as of there, in the same step: its entry may be
  // among those that go, and the data database, which has it too, may be lost. A node that came back with
  // voters of long ago could win against its cluster.

  std::vector<Outgoing> messages;
  std::vector<Fetch> fetches;

  /// To be applied, in order, right after what was handed out before. All are committed, and durable here.
  std::vector<Entry> apply;
  /// Merge with `apply` by `at`; sorted by `at`.
  std::vector<ReadyRead> reads;
  /// Reads that will not be answered: this node does not lead any more. Surely without effect.
  std::vector<std::uint64_t> failed_reads;

  std::vector<SnapshotWanted> snapshots_wanted;
  std::vector<SnapshotOffered> snapshots_offered;
  /// The log follows the installed snapshot durably: nothing of the old state is needed any more.
  bool install_finished = false;
  /// The log should be purged, but the data database is not durable that far: ask it for a flush.
  bool flush_wanted = false;

  /// Role, term or leader changed; ask the core for the values.
  bool state_changed = false;
  /// The newest membership, or who else must be reached, changed: see Core::membership() and Core::peers().
  bool membership_changed = false;
  /// What became of Core::transfer_leadership. Once per call that was not refused, at the latest two of the
  /// longest election time-outs later, but not after a restart.
  std::optional<TransferEnd> transfer_ended;
  /// This node led and does not any more: the fate of proposals not yet applied is unknown (rule 9).
  bool lost_leadership = false;
  StepDown step_down = StepDown::later_term;  // meaningful with lost_leadership only

  bool empty() const;
};

}  // namespace kiwi::raft
