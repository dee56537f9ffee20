#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "messages/disk_room.hpp"
#include "messages/ids.hpp"
#include "messages/snapshot_meta.hpp"

namespace kiwi::raft {

enum class ProgressState : std::uint8_t {
  probe,      // one append at a time, until it is known where the logs meet
  replicate,  // appends are pipelined within the window
  snapshot,   // the entries it needs are purged; waits for a snapshot
};
const char* to_string(ProgressState);

/// What a leader knows about one other node, for one term. All of it starts anew with each term, so nothing
/// that arrives from an earlier one can count.
///
/// Every append carries a sequence number, echoed in its answer. An acknowledgement is a durable fact of this
/// term, however late it comes: the follower never removes what it acknowledged to this leader. So it may
/// always raise match. A rejection tells about one moment only, and counts only for an append that is in
/// flight. While probing, all probes of one place ask the same, so an answer to any of them counts, however
/// often the probe was repeated meanwhile: a round trip may take longer than the patience with a probe. For
/// the same reason a repeated question "did all of it arrive?" keeps its sequence number.
class Progress {
 public:
  struct Inflight {
    std::uint64_t sequence = 0;
    Index previous;
    Index last;  // == previous: an append without entries
    std::uint64_t bytes = 0;
  };

  Progress(NodeId node, Index next, std::uint64_t now_ticks)
      : node_(node), next_(next), heard_ticks_(now_ticks), sent_ticks_(now_ticks) {}

  NodeId node() const { return node_; }
  /// Durable there and equal to the leader's log. Never goes back. < next().
  Index match() const { return match_; }
  /// The next entry to send.
  Index next() const { return next_; }
  ProgressState state() const { return state_; }
  std::size_t inflight() const { return inflight_.size(); }
  std::uint64_t inflight_bytes() const { return inflight_bytes_; }

  /// Of its disk, as it said last.
  DiskRoom room() const { return room_; }
  void set_room(DiskRoom room) { room_ = room; }

  // --- hearing
  void heard(std::uint64_t now_ticks) {
    heard_ticks_ = now_ticks;
    answered_ = true;
  }
  /// In this term; active() begins with the benefit of the doubt.
  bool answered() const { return answered_; }
  bool active(std::uint64_t now_ticks, std::uint64_t within_ticks) const {
    return now_ticks - heard_ticks_ <= within_ticks;
  }
  /// Leadership-confirmation round (thesis 6.4) that this node has answered.
  std::uint64_t acked_round() const { return acked_round_; }
  void ack_round(std::uint64_t round);

  /// What it knows (messages/known_formats.hpp); 0: it has not said.
  std::uint32_t formats() const { return formats_; }
  void set_formats(std::uint32_t formats) { formats_ = formats; }

  // --- sending
  /// Probe state: may the next probe leave?
  bool may_probe() const { return state_ == ProgressState::probe && !paused_ && inflight_.empty(); }
  /// The last probe was lost, or its answer is late: the next one should carry no entries.
  bool cautious() const { return cautious_; }
  /// Ticks since the last append left.
  std::uint64_t idle_ticks(std::uint64_t now_ticks) const { return now_ticks - sent_ticks_; }
  /// An append of (previous, last] leaves; returns its sequence number: a new one, but for a repeated
  /// question in replicate state. There next moves on.
  std::uint64_t sent(Index previous, Index last, std::uint64_t bytes, std::uint64_t now_ticks);
  Index sent_commit() const { return sent_commit_; }
  void commit_sent(Index commit) { sent_commit_ = commit > sent_commit_ ? commit : sent_commit_; }

  // --- answers
  /// True when match rose.
  bool acknowledged(std::uint64_t sequence, Index match);
  /// The `previous` of the append that this rejection answers, if that is in flight still, or is a probe of
  /// the place that is being probed.
  std::optional<Index> rejected_previous(std::uint64_t sequence) const;
  /// Where the logs may meet, after a rejection of an append at `previous`. A follower that rejects without
  /// bringing the search forward is asked again only after it was heard again.
  void back_track(Index previous, Index next);

  // --- loss
  /// What was in flight is lost, or taken for lost. Nothing more is sent until resume().
  void lost();
  /// It is alive: a paused probe may leave.
  void resume() { paused_ = false; }
  /// The probe in flight is taken for lost and may be repeated.
  void repeat_probe();

  // --- snapshot (docs/snapshots.md)
  void need_snapshot();
  /// What is offered to it; null: nothing yet.
  const std::shared_ptr<const SnapshotManifest>& offered() const { return offered_; }
  void offer(std::shared_ptr<const SnapshotManifest> manifest, std::uint64_t now_ticks) {
    offered_ = std::move(manifest);
    build_failures_ = 0;
    received_bytes_ = 0;
    received_ticks_ = now_ticks;
  }
  /// It lost its state; its log is whole, so appends go on beside the snapshot.
  bool wants_state() const { return wants_state_; }
  /// It said that it has its state; before its first answer to a heartbeat that is not known.
  bool has_state() const { return told_state_ && !wants_state_; }
  void want_state(bool wants) {
    wants_state_ = wants;
    told_state_ = true;
    if (!wants && state_ != ProgressState::snapshot)
      offered_.reset();
  }
  bool takes_snapshot() const { return state_ == ProgressState::snapshot || wants_state_; }
  /// The snapshot must hold at least this entry.
  Index snapshot_at_least() const { return snapshot_at_least_; }
  void refused_offer(Index at_least) {
    offered_.reset();
    snapshot_at_least_ = std::max(snapshot_at_least_, at_least);
  }
  /// Asked the driver for one, or offered it, at this time.
  void offer_moved(std::uint64_t now_ticks) { offer_ticks_ = now_ticks; }
  std::uint64_t offer_idle(std::uint64_t now_ticks) const { return now_ticks - offer_ticks_; }
  /// There is none to offer: the next is asked for after `patience` ticks, doubled with each failure in a
  /// row, up to 64 times.
  void build_failed(std::uint64_t now_ticks) {
    offer_ticks_ = now_ticks;
    ++build_failures_;
  }
  std::uint64_t offer_wait(std::uint64_t patience) const {
    return patience << std::min<std::uint32_t>(build_failures_, 6);
  }
  /// It has received so many bytes of some snapshot.
  void receives(std::uint64_t bytes, std::uint64_t now_ticks);
  std::uint64_t received_bytes() const { return received_bytes_; }
  /// The log may not be purged beyond the snapshot on its way while that comes forward.
  bool receiving(std::uint64_t now_ticks, std::uint64_t within_ticks) const {
    return offered_ != nullptr && now_ticks - received_ticks_ <= within_ticks;
  }
  /// It has everything up to here, by a snapshot or otherwise; the log may go on from there.
  void has_everything_to(Index index);
  /// Not 0: it came back by a snapshot and was not level since. The log from here on is for it.
  Index held_from() const { return held_from_; }
  void level() { held_from_ = Index(0); }

 private:
  void clear_inflight();

  NodeId node_;
  Index match_;
  Index next_;
  ProgressState state_ = ProgressState::probe;
  bool paused_ = false;
  bool cautious_ = false;
  std::uint64_t sequence_ = 0;        // of the last append sent
  std::uint64_t first_probe_ = 1;     // the first at this place; answers to older appends end no probing
  std::deque<Inflight> inflight_;     // by sequence
  std::uint64_t inflight_bytes_ = 0;  // sum over inflight_
  std::uint64_t heard_ticks_ = 0;
  std::uint64_t sent_ticks_ = 0;
  std::uint64_t acked_round_ = 0;
  Index sent_commit_;
  std::shared_ptr<const SnapshotManifest> offered_;  // in snapshot state only
  Index snapshot_at_least_;
  std::uint64_t offer_ticks_ = 0;
  std::uint32_t build_failures_ = 0;  // in a row
  std::uint64_t received_bytes_ = 0;
  std::uint64_t received_ticks_ = 0;
  Index held_from_;
  bool wants_state_ = false;
  bool told_state_ = false;
  bool answered_ = false;
  std::uint32_t formats_ = 0;
  DiskRoom room_ = DiskRoom::enough;
};

}  // namespace kiwi::raft
