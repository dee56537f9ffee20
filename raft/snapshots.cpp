// Snapshots (Raft 7; docs/snapshots.md), and how much of the log stays. The core decides who needs a snapshot
// and what becomes of the log; the bytes travel without it.

#include <algorithm>
#include <utility>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "raft/core.hpp"

namespace kiwi::raft {

namespace {
/// How many times more log than for other laggards is kept for a follower that has just installed a snapshot.
constexpr std::uint64_t kLaggardsAfterSnapshot = 16;
/// What follows `id` in the log follows a snapshot that ends there, too (Raft 7).
bool goes_on_behind(const LogView& log, LogId id) { return log.term_at(id.index) == id.term; }

}  // namespace

// --- Compaction

void Core::data_durable(Index index) { data_durable_ = std::max(data_durable_, std::min(index, applied_)); }

/// What must stay whatever the limits say: what the data database could lose, what a live follower is about
/// to be sent, and what comes behind a snapshot that is on its way.
Index Core::purge_limit() const {
  Index limit = KIWI_MUTANT(purge_beyond_durable) ? applied_ : data_durable_;
  for (const Progress& p : progress_) {
    const bool live = p.active(now_ticks_, options_.live_ticks);
    // One that came back by a snapshot gets the log behind it, however much was written meanwhile: a second
    // snapshot would only be overtaken again. Within reason.
    if (live && p.held_from() &&
        sizes_.bytes_after(std::max(p.match(), p.held_from())) <=
            kLaggardsAfterSnapshot * options_.compaction.laggard_bytes)
      limit = std::min(limit, std::max(p.match(), p.held_from()));
    if (p.state() == ProgressState::snapshot) {
      const Index offered = p.offered() ? p.offered()->meta.last_log_id.index : Index(0);
      if (p.receiving(now_ticks_, options_.live_ticks) &&
          sizes_.bytes_after(offered) <= kLaggardsAfterSnapshot * options_.compaction.laggard_bytes)
        limit = std::min(limit, offered);
    } else if (live && sizes_.bytes_after(p.match()) <= options_.compaction.laggard_bytes) {
      limit = std::min(limit, p.match());
    }
  }
  return limit;
}

void Core::compact() {
  compaction_ticks_ = now_ticks_;
  for (Progress& p : progress_)
    if (p.state() == ProgressState::replicate &&
        sizes_.bytes_after(p.match()) <= options_.compaction.laggard_bytes / 2)
      p.level();
  if (installing_ || needs_snapshot())
    return;
  const Index wanted = sizes_.purge_to(agreed_time_ms());
  if (wanted <= log_.purged().index)
    return;
  if (wanted > data_durable_)
    out_.flush_wanted = true;
  const Index to = std::min(wanted, purge_limit());
  // The entry before a read position must stay known while reads wait there; they lie above what is applied.
  if (to <= log_.purged().index)
    return;
  KIWI_MARK("log.purged");
  ++counters_.purges;
  log_.purge_to(to);
  sizes_.purged(to);
  writes_.purge(to);
  std::erase_if(open_fetches_, [&](const OpenFetch& f) { return f.first <= to; });
}

// --- Leader: who needs one

/// What a snapshot for it must hold: the log must go on behind it. One whose log is whole needs no more of
/// this one.
Index Core::least_for(const Progress& p) const {
  const bool needs_log = p.state() == ProgressState::snapshot;
  return std::max({Index(1), p.snapshot_at_least(), needs_log ? log_.purged().index : Index(0)});
}

void Core::want_snapshot(Progress& p) {
  if (needs_snapshot())
    return;  // this leader's own state is lost
  if (p.room() != DiskRoom::enough)
    return;  // a snapshot takes the room of another state
  KIWI_MARK("snapshot.wanted");
  p.offer_moved(now_ticks_);
  out_.snapshots_wanted.push_back({p.node(), least_for(p)});
}

void Core::offer(Progress& p) {
  p.offer_moved(now_ticks_);
  InstallSnapshotRequest m;
  m.term = vote_.term;
  m.manifest = *p.offered();
  send(p.node(), std::move(m));
}

/// An offer, or the question for a snapshot to offer, is repeated until it is answered.
void Core::tick_snapshots() {
  for (Progress& p : progress_) {
    // Nothing is built for one that is not there to receive it.
    if (!p.takes_snapshot() || !p.active(now_ticks_, options_.election_ticks_max) ||
        p.offer_idle(now_ticks_) < p.offer_wait(options_.offer_ticks))
      continue;
    // One that the log has left behind is of no use: the follower could not go on from it.
    if (p.offered() && p.offered()->meta.last_log_id.index < least_for(p))
      p.refused_offer(log_.purged().index);
    if (p.offered())
      offer(p);
    else
      want_snapshot(p);
  }
}

void Core::offer_snapshot(NodeId peer, std::shared_ptr<const SnapshotManifest> manifest) {
  Progress* p = role_ == Role::leader ? progress_of(peer) : nullptr;
  if (p == nullptr || !p->takes_snapshot())
    return;
  const Index index = manifest->meta.last_log_id.index;
  if (index < least_for(*p))
    return;  // asked for again at the next turn
  KIWI_ASSERT(index <= commit_, "a snapshot holds committed entries only");
  p->offer(std::move(manifest), now_ticks_);
  offer(*p);
}

void Core::no_snapshot(NodeId peer) {
  if (Progress* p = role_ == Role::leader ? progress_of(peer) : nullptr)
    p->build_failed(now_ticks_);
}

void Core::handle(NodeId from, const InstallSnapshotResponse& m) {
  Progress* p = response_from(from, m.term, 0, m.clock_ms);
  if (p == nullptr || !p->takes_snapshot())
    return;
  const bool of_the_offered = p->offered() && p->offered()->meta.snapshot_id == m.snapshot_id;
  switch (m.state) {
    case InstallState::refused:
      if (!of_the_offered)
        return;  // about an earlier one
      KIWI_MARK("snapshot.refused");
      p->refused_offer(std::min(m.match.index, log_.last().index));
      return;
    case InstallState::receiving:
      if (of_the_offered)
        p->receives(m.received, now_ticks_);
      return;
    case InstallState::not_needed:
      KIWI_MARK("snapshot.done");
      p->want_state(false);
      p->has_everything_to(std::min(m.match.index, log_.last().index));
      return;
  }
}

// --- Follower: what is offered, and its install

void Core::answer_offer(InstallState state, std::string reason) {
  if (!leader_of_term_)
    return;
  InstallSnapshotResponse answer;
  answer.term = vote_.term;
  answer.state = state;
  answer.reason = std::move(reason);
  answer.snapshot_id = receiving_;
  answer.received = received_bytes_;
  answer.clock_ms = clocks_.own();
  if (state == InstallState::not_needed) {
    const Index index = std::min(commit_, writes_.durable());
    answer.match = log_.id_at(std::max(index, log_.purged().index));
  } else if (needs_snapshot()) {
    answer.match = log_.purged();
  }
  send(leader_of_term_, std::move(answer));
}

void Core::refuse_offer(NodeId from, const InstallSnapshotRequest& m, std::string reason) {
  InstallSnapshotResponse answer;
  answer.term = vote_.term;
  answer.state = InstallState::refused;
  answer.snapshot_id = m.manifest.meta.snapshot_id;
  answer.reason = std::move(reason);
  if (needs_snapshot())
    answer.match = log_.purged();
  answer.clock_ms = clocks_.own();
  send(from, std::move(answer));
}

void Core::handle(NodeId from, InstallSnapshotRequest& m) {
  if (!heard_leader(from, m.term)) {
    InstallSnapshotResponse answer;
    answer.term = vote_.term;
    answer.reason = "a later term has begun";
    send(from, std::move(answer));
    return;
  }
  // What this node says must be true after a crash, its term too (rule 2). It is asked again soon.
  if (writes_.durable_vote() != vote_)
    return;
  const LogId last = m.manifest.meta.last_log_id;
  if (last.index.value == 0 || last.term.value == 0 || last.term > m.term) {
    refuse_offer(from, m, "it ends with an entry that cannot be");
    return;
  }
  if (!options_.installs_snapshots) {
    refuse_offer(from, m, "this node's state machine installs no snapshots");
    return;
  }
  if (needs_snapshot() && last.index < log_.purged().index) {
    refuse_offer(from, m, "it ends before this node's log begins");
    return;
  }
  if (!needs_snapshot() && last.index <= commit_) {
    // Not before it is durable: the leader would go on behind what is.
    if (writes_.durable() >= last.index)
      answer_offer(InstallState::not_needed, "");
    return;
  }
  if (!installing_)
    out_.snapshots_offered.push_back({from, std::move(m.manifest)});
  answer_offer(InstallState::receiving, "");
}

void Core::snapshot_progress(const std::string& snapshot_id, std::uint64_t received) {
  const bool given_up = snapshot_id.empty() && !receiving_.empty();
  if (!given_up)
    receiving_ = snapshot_id;
  received_bytes_ = received;
  const auto done = [&] {
    if (given_up)
      receiving_.clear();
  };
  if (role_ == Role::leader || writes_.durable_vote() != vote_ || !hears_leader()) {
    done();
    return;
  }
  // The leader hears it without asking, so that its log waits while this comes forward.
  if (given_up)
    answer_offer(InstallState::refused, "receiving it failed");
  else if (!snapshot_id.empty())
    answer_offer(InstallState::receiving, "");
  done();
}

bool Core::begin_install(const SnapshotMeta& meta) {
  const Index index = meta.last_log_id.index;
  const bool useful = needs_snapshot() ? index >= log_.purged().index : index > commit_;
  if (!useful || installing_ || meta.last_log_id.term > vote_.term)
    return false;
  if (role_ == Role::pre_candidate) {
    pre_grants_.clear();
    set_idle_role();
    reset_election_timer();
  }
  if (role_ != Role::follower && role_ != Role::learner)
    return false;
  installing_ = meta;
  return true;
}

void Core::installed(const SnapshotMeta& meta) {
  KIWI_ASSERT(installing_ && *installing_ == meta, "only what was begun is installed");
  KIWI_ASSERT(role_ == Role::follower || role_ == Role::learner, "who installs does not campaign");
  KIWI_ASSERT(handed_ < meta.last_log_id.index || needs_snapshot(), "a snapshot takes nothing back");
  KIWI_ASSERT(applying_.empty(), "what was handed out before is applied before");
  snapshot_in_place_ = true;
  if (goes_on_behind(log_, meta.last_log_id)) {
    if (writes_.durable() >= meta.last_log_id.index)
      finish_install();
    return;  // else once its entry is durable, see persisted()
  }
  KIWI_MARK("snapshot.log_reset");
  writes_.reset(meta.last_log_id);
}

/// Raft 7: what the log holds behind the snapshot's last entry stays, if it holds that.
void Core::finish_install() {
  KIWI_ASSERT(installing_.has_value(), "an install ends that was not begun");
  const SnapshotMeta meta = std::move(*installing_);
  const LogId last = meta.last_log_id;
  const bool keeps = goes_on_behind(log_, last);
  installing_.reset();
  snapshot_in_place_ = false;
  KIWI_MARK("snapshot.installed");
  ++counters_.snapshots_installed;
  if (keeps) {
    log_.purge_to(last.index);
    sizes_.purged(last.index);
    writes_.purge(last.index);
  } else {
    log_ = LogView(last, {}, last);
    sizes_.reset(last.index);
    held_acks_.clear();
  }
  commit_ = std::max(commit_, last.index);
  handed_ = applied_ = data_durable_ = last.index;
  applying_.clear();
  applying_bytes_ = 0;
  fetched_.clear();
  open_fetches_.clear();
  last_stamp_ms_ = std::max(last_stamp_ms_, meta.timestamp_ms);
  receiving_.clear();
  received_bytes_ = 0;
  memberships_.reset(meta.membership_id, meta.membership, last.index, keeps);
  memberships_.committed(commit_);
  membership_changed();
  check_caught_up();
  out_.install_finished = true;
  if (leader_.value != 0 && writes_.durable_vote() == vote_)
    answer_offer(InstallState::not_needed, "");
}

}  // namespace kiwi::raft
