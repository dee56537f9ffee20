#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "messages/disk_room.hpp"
#include "messages/entry.hpp"
#include "messages/ids.hpp"
#include "messages/membership.hpp"
#include "messages/snapshot_meta.hpp"

namespace kiwi {

// What nodes say to each other. Every message carries the sender's term; a message of a lower term is
// answered with the receiver's own term, never dropped.

/// Raft 5.2 and thesis 9.6. With pre_vote set nothing is promised and nothing becomes durable: `term` is the
/// term the sender *would* campaign in. `transfer`: the leader itself asked for this campaign (thesis 3.10).
/// `round` counts the sender's pre-votes since it started, and is echoed: a pre-vote says what is true now,
/// so one that was given in an earlier round does not count in a later one.
struct VoteRequest {
  static constexpr const char* name = "VoteRequest";
  Term term;
  LogId last_log_id;  // of the sender's log, with what is not yet durable left out
  bool pre_vote = false;
  bool transfer = false;
  std::uint64_t round = 0;
  auto fields() { return std::tie(term, last_log_id, round, pre_vote, transfer); }
};

/// `term` is the voter's own term for a refusal, and the asked-for term for a grant (of either kind).
struct VoteResponse {
  static constexpr const char* name = "VoteResponse";
  Term term;
  bool pre_vote = false;
  bool granted = false;
  std::uint64_t round = 0;  // of the request, for a pre-vote
  /// A refusal, because a committed membership says that the asker was removed for good.
  bool removed = false;
  auto fields() { return std::tie(term, round, pre_vote, granted, removed); }
};

/// Raft 5.3. `round` is the leader's latest leadership-confirmation round (thesis 6.4), echoed in the reply.
/// `sequence` counts the appends to this follower within the leader's term; echoed too.
struct AppendRequest {
  static constexpr const char* name = "AppendRequest";
  Term term;
  LogId previous;
  Index commit;
  std::uint64_t round = 0;
  std::uint64_t sequence = 0;
  std::vector<Entry> entries;
  auto fields() { return std::tie(term, previous, commit, round, sequence, entries); }
};

/// On success `match` is the last entry of the request (or `previous`): it is durable here and equals the
/// leader's. On a mismatch `match` is 0 and `hint` says the conflicting term and its first index, or
/// (term 0, last index + 1) when the log is too short (Raft 5.3, last paragraphs).
struct AppendResponse {
  static constexpr const char* name = "AppendResponse";
  Term term;
  bool success = false;
  Index match;
  LogId hint;
  std::uint64_t round = 0;
  std::uint64_t sequence = 0;
  std::uint64_t clock_ms = 0;  // the follower's own clock, Unix milliseconds (safety rule 8)
  auto fields() { return std::tie(term, success, match, hint, round, sequence, clock_ms); }
};

/// Says "I lead", carries the commit index and the round. Never queues behind appends.
struct HeartbeatRequest {
  static constexpr const char* name = "HeartbeatRequest";
  Term term;
  Index commit;  // at most what this follower is known to match
  std::uint64_t round = 0;
  auto fields() { return std::tie(term, commit, round); }
};

struct HeartbeatResponse {
  static constexpr const char* name = "HeartbeatResponse";
  Term term;
  std::uint64_t round = 0;
  std::uint64_t clock_ms = 0;
  /// Its state is lost, and its log does not reach back far enough to make it again.
  bool wants_snapshot = false;
  DiskRoom room = DiskRoom::enough;
  /// The newest of messages/known_formats.hpp that it knows; 0: this answer says nothing but the term.
  std::uint32_t formats = 0;
  auto fields() { return std::tie(term, round, clock_ms, wants_snapshot, room, formats); }
};

/// Raft 7: the leader offers a snapshot; the follower fetches it (docs/snapshots.md). Repeated until it is
/// answered.
struct InstallSnapshotRequest {
  static constexpr const char* name = "InstallSnapshotRequest";
  Term term;
  SnapshotManifest manifest;
  auto fields() { return std::tie(term, manifest); }
};

enum class InstallState : std::uint8_t {
  refused,    // with a reason; offer another one later, of at least match.index
  receiving,  // `received` bytes of `snapshot_id` are here
  not_needed  // `match` is committed and durable here, by a snapshot or by the log: go on from there
};

struct InstallSnapshotResponse {
  static constexpr const char* name = "InstallSnapshotResponse";
  Term term;
  InstallState state = InstallState::refused;
  LogId match;              // see state
  std::string snapshot_id;  // receiving only; not always the one that is offered
  std::uint64_t received = 0;
  std::string reason;
  std::uint64_t clock_ms = 0;
  auto fields() { return std::tie(term, state, match, snapshot_id, received, reason, clock_ms); }
};

/// The receiver of a snapshot asks its sender for bytes of one file. No term: bytes are named by their
/// content, so it does not matter who leads meanwhile.
struct SnapshotFetch {
  static constexpr const char* name = "SnapshotFetch";
  std::string snapshot_id;
  std::uint32_t file = 0;  // place in the manifest
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;  // at most kMaxSnapshotPartBytes
  auto fields() { return std::tie(snapshot_id, file, offset, bytes); }
};

enum class PartCoding : std::uint8_t { plain, lz4 };

struct SnapshotPart {
  static constexpr const char* name = "SnapshotPart";
  std::string snapshot_id;
  std::uint32_t file = 0;
  std::uint64_t offset = 0;
  bool gone = false;        // the sender has this snapshot no more; the rest is empty
  std::uint32_t bytes = 0;  // of `data` once decoded
  PartCoding coding = PartCoding::plain;
  std::uint64_t checksum = 0;  // XXH3 of the decoded bytes
  Bytes data;
  auto fields() { return std::tie(snapshot_id, file, offset, gone, bytes, coding, checksum, data); }
};

/// Thesis 3.10: the leader asks its successor to campaign at once. Repeated until it does, or the leader
/// gives up.
struct TimeoutNowRequest {
  static constexpr const char* name = "TimeoutNowRequest";
  Term term;
  auto fields() { return std::tie(term); }
};

/// The order is the wire's message number: append at the end only.
using PeerMessage = std::variant<VoteRequest, VoteResponse, AppendRequest, AppendResponse, HeartbeatRequest,
                                 HeartbeatResponse, InstallSnapshotRequest, InstallSnapshotResponse,
                                 TimeoutNowRequest, SnapshotFetch, SnapshotPart>;

/// First message of each connection, both ways. `reason` is empty unless the answer is a refusal.
struct Hello {
  static constexpr const char* name = "Hello";
  std::uint32_t protocol_version = 0;
  ClusterId cluster;
  NodeId node;    // the sender
  NodeId target;  // whom the sender believes to talk to
  InstanceId instance;
  std::uint8_t lane = 0;  // 0: control (votes, heartbeats, acknowledgements), 1: bulk (appends, snapshots)
  std::string reason;
  NodeAddress address;   // of the sender: who does not know it yet can answer it there
  bool invites = false;  // the target is a member as the sender sees it: a fresh node may join its cluster
  bool removed = false;  // the target was removed from the cluster; in a refusal, or in a call made to say so
  auto fields() {
    return std::tie(protocol_version, cluster, node, target, instance, lane, reason, address, invites,
                    removed);
  }
};

inline constexpr std::uint32_t kPeerProtocolVersion = 6;

}  // namespace kiwi
