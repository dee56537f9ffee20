// The leader's side of replication: Raft 5.3 and 5.4.2, pipelining (thesis 10.2), check-quorum (thesis 6.2),
// confirmation rounds (thesis 6.4).

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "raft/core.hpp"
#include "raft/quorum.hpp"

namespace kiwi::raft {

namespace {
/// With this many appends on their way (one being synced over there, others waiting behind it) a small
/// backlog waits for the next answer: fewer and larger messages, and the follower's disk is busy all the
/// same.
constexpr std::size_t kEnoughInflight = 4;
constexpr std::uint64_t kSmallBacklogBytes = 64u << 10;
/// Reads of old entries for followers, all together.
constexpr std::size_t kMaxFollowerFetches = 4;
}  // namespace

/// An append that is unanswered for so long, by a follower that answers heartbeats, may be lost.
std::uint32_t Core::unanswered_ticks() const {
  return std::max(2 * options_.heartbeat_ticks, options_.election_ticks_min / 2);
}

Progress* Core::progress_of(NodeId id) {
  for (Progress& p : progress_)
    if (p.node() == id)
      return &p;
  return nullptr;
}

const Progress* Core::progress_of(NodeId id) const {
  for (const Progress& p : progress_)
    if (p.node() == id)
      return &p;
  return nullptr;
}

void Core::rebuild_progress() {
  std::vector<Progress> rebuilt;
  for (const Member& m : membership().members) {
    if (m.id == options_.id)
      continue;
    if (const Progress* known = progress_of(m.id))
      rebuilt.push_back(*known);
    else
      rebuilt.emplace_back(m.id, log_.last().index + 1, now_ticks_);
  }
  for (const Leaving& l : leaving_) {
    if (const Progress* known = progress_of(l.member.id))
      rebuilt.push_back(*known);
    else
      rebuilt.emplace_back(l.member.id, log_.last().index + 1, now_ticks_);
  }
  std::sort(rebuilt.begin(), rebuilt.end(),
            [](const Progress& a, const Progress& b) { return a.node() < b.node(); });
  progress_ = std::move(rebuilt);
}

// --- Time

void Core::tick_leader() {
  const auto heard = [&](NodeId id) {
    if (id == options_.id)
      return true;
    const Progress* p = progress_of(id);
    return p != nullptr && p->active(now_ticks_, options_.election_ticks_max);
  };
  if (!has_quorum(membership(), heard) && !KIWI_MUTANT(no_check_quorum)) {
    KIWI_MARK("leader.no_quorum");
    ++counters_.check_quorum_failures;
    step_down(StepDown::no_quorum);
    return;
  }
  weigh_room();
  if (in_the_way() || hand_over_log())
    return;
  hand_over_for_room();
  if (now_ticks_ - heartbeat_sent_ticks_ >= options_.heartbeat_ticks) {
    if (options_.lease)
      begin_round();  // renews the lease
    else
      broadcast_heartbeat();
    return;
  }
  // While nothing else is sent, followers learn of a commit at the next tick.
  for (Progress& p : progress_)
    if (p.sent_commit() < std::min(commit_, p.match()))
      send_heartbeat(p);
}

/// A leader whose data is lost serves nobody. Once another voter's log is level it steps down and stands
/// back, so that this one leads, and sends it a snapshot.
bool Core::hand_over_log() {
  if (!needs_snapshot() || commit_ < noop_)
    return false;
  for (const Progress& p : progress_) {
    if (!membership().is_voter(p.node()) || p.match() != log_.last().index || !p.has_state())
      continue;
    KIWI_MARK("leader.no_state");
    step_down(StepDown::no_state);
    return true;
  }
  return false;
}

/// Steps down, and says so, when the others do better without this leader.
bool Core::in_the_way() {
  if (!majority_takes_entries())
    return false;  // what stands in the way are their disks, whoever leads
  // Not so this node itself: would the others be enough?
  const auto there = [&](NodeId id) {
    const Progress* p = progress_of(id);
    return p != nullptr && p->active(now_ticks_, options_.election_ticks_max);
  };
  StallWatch::Seen seen;
  seen.last = log_.last().index;
  seen.durable = writes_.durable();
  seen.quorum = quorum_on_disk();
  seen.others = Index(
      quorum_value(membership(), [&](NodeId id) { return there(id) ? progress_of(id)->match().value : 0; }));
  seen.others_are_there = has_quorum(membership(), there);
  seen.own_disk_is_late = disk_is_late();
  for (const Progress& p : progress_)
    seen.snapshot_comes = seen.snapshot_comes || (membership().is_voter(p.node()) && p.takes_snapshot() &&
                                                  p.receiving(now_ticks_, options_.election_ticks_max));
  switch (stall_watch_.look(now_ticks_, seen)) {
    case StallWatch::Verdict::fine:
      return false;
    case StallWatch::Verdict::own_disk:
      KIWI_MARK("leader.own_disk");
      ++counters_.step_downs_own_disk;
      step_down(StepDown::own_disk);
      return true;
    case StallWatch::Verdict::no_commit:
      KIWI_MARK("leader.no_commit");
      ++counters_.step_downs_no_commit;
      step_down(StepDown::no_commit);
      return true;
  }
  return false;
}

void Core::send_heartbeat(Progress& p) {
  HeartbeatRequest m;
  m.term = vote_.term;
  m.commit = KIWI_MUTANT(heartbeat_commit_beyond) ? commit_ : std::min(commit_, p.match());
  m.round = reads_.round();
  p.commit_sent(m.commit);
  send(p.node(), m);
}

void Core::broadcast_heartbeat() {
  heartbeat_sent_ticks_ = now_ticks_;
  for (Progress& p : progress_) send_heartbeat(p);
}

// --- Answers

/// What all answers have in common. Null: it does not count.
Progress* Core::response_from(NodeId from, Term term, std::uint64_t round, std::uint64_t clock_ms) {
  adopt(term);
  if (role_ != Role::leader || term != vote_.term)
    return nullptr;
  Progress* p = progress_of(from);
  if (p == nullptr)
    return nullptr;
  p->heard(now_ticks_);
  if (clock_ms != 0) {
    clocks_.heard(from, clock_ms);
    refresh_agreed_clock();
  }
  p->ack_round(KIWI_MUTANT(round_not_echoed) ? reads_.round() : round);
  check_rounds();
  return p;
}

void Core::handle(NodeId from, const HeartbeatResponse& m) {
  Progress* p = response_from(from, m.term, m.round, m.clock_ms);
  if (p == nullptr)
    return;
  p->resume();
  // An answer to a leader of an earlier term, come late, says nothing of the follower.
  if (m.formats != 0) {
    p->want_state(m.wants_snapshot);
    p->set_formats(m.formats);
    if (p->room() != m.room) {
      p->set_room(m.room);
      weigh_room();
    }
  }
  const std::uint64_t idle = p->idle_ticks(now_ticks_);
  if (p->state() == ProgressState::probe && idle >= unanswered_ticks() && !KIWI_MUTANT(lost_append_forgotten))
    p->repeat_probe();
  // "Did all of it arrive?" An append without entries at the end of what was sent: acknowledged once that is
  // durable, rejected when something is missing. A slow disk over there costs no second sending. Once in a
  // while also when all is quiet, so that a restarted follower hears the true commit index.
  const std::uint32_t patience = p->inflight() > 0 ? unanswered_ticks() : options_.election_ticks_max;
  if (p->state() == ProgressState::replicate && idle >= patience && log_.term_at(p->next() - 1) &&
      !KIWI_MUTANT(lost_append_forgotten)) {
    KIWI_MARK("follower.asked_again");
    send_append(*p, p->next() - 1);
  }
}

void Core::handle(NodeId from, const AppendResponse& m) {
  Progress* p = response_from(from, m.term, m.round, m.clock_ms);
  if (p == nullptr)
    return;
  if (m.success) {
    KIWI_ASSERT(m.match <= log_.last().index, "a follower acknowledges more than there is");
    if (p->acknowledged(m.sequence, m.match))
      advance_commit();
    return;
  }
  const auto previous = p->rejected_previous(m.sequence);
  if (!previous) {
    KIWI_MARK("append.late_rejection");
    return;  // about an append that is answered, or given up, already
  }
  ++counters_.append_mismatches;
  p->back_track(*previous, next_after_rejection(*previous, m.hint));
}

/// Raft 5.3, end: skips a whole term per round trip. If this log has the follower's conflicting term, the
/// logs may meet at its last entry here; else not before the first entry of it there.
Index Core::next_after_rejection(Index previous, LogId hint) const {
  if (hint.index.value == 0)
    return previous;
  if (hint.term.value != 0) {
    const auto here = log_.last_of_term(hint.term);
    if (here && *here >= hint.index) {
      if (previous > *here + 2)
        KIWI_MARK("append.backtracked_term");
      return std::min(previous, *here + 1);
    }
  }
  return std::min(previous, hint.index);
}

// --- Commit, rounds, time

Index Core::quorum_on_disk() const {
  return Index(quorum_value(membership(), [&](NodeId id) -> std::uint64_t {
    if (id == options_.id)
      return KIWI_MUTANT(leader_counts_unsynced) ? log_.last().index.value : writes_.durable().value;
    const Progress* p = progress_of(id);
    return p == nullptr ? 0 : p->match().value;
  }));
}

/// Raft 5.4.2: an entry of an earlier term is never committed by counting. The leader counts itself as far
/// as its own disk is (thesis 10.2.1).
void Core::advance_commit() {
  if (role_ != Role::leader)
    return;
  const Index reached = quorum_on_disk();
  if (reached <= commit_ || (reached < noop_ && !KIWI_MUTANT(commit_earlier_term)))
    return;
  KIWI_ASSERT(log_.term_at(reached) == vote_.term || KIWI_MUTANT(commit_earlier_term),
              "entries from the no-op on are of the own term");
  if (reached > writes_.durable())
    KIWI_MARK("leader.behind_others");
  if (commit_ < noop_)
    KIWI_MARK("leader.noop_committed");
  raise_commit(reached);
  reads_.confirm_by_commit(commit_);
}

void Core::check_rounds() {
  if (role_ != Role::leader)
    return;
  if (KIWI_MUTANT(reads_unconfirmed)) {
    reads_.confirm_round(reads_.round());
    return;
  }
  const std::uint64_t answered = quorum_value(membership(), [&](NodeId id) -> std::uint64_t {
    if (id == options_.id)
      return reads_.round();
    const Progress* p = progress_of(id);
    return p == nullptr ? 0 : p->acked_round();
  });
  reads_.confirm_round(answered);
  if (options_.lease) {
    lease_.round_answered(answered, lease_clock_us(), promise_us());
    confirm_by_lease();
  }
}

void Core::refresh_agreed_clock() {
  if (role_ == Role::leader)
    agreed_clock_ms_ = clocks_.agreed(membership(), options_.id);
}

// --- Sending

bool Core::hold_for_batch(const Progress& p, Index last) const {
  return p.inflight() >= kEnoughInflight && log_.cached(p.next()) && last == let_go_ &&
         log_.bytes_after(p.next() - 1) < kSmallBacklogBytes;
}

void Core::replicate_to(Progress& p) {
  const Index end = let_go_;
  while (p.state() != ProgressState::snapshot) {
    if (waits_for_room(p))
      return;
    if (!log_.term_at(p.next() - 1)) {
      p.need_snapshot();
      if (p.active(now_ticks_, options_.election_ticks_max) &&
          p.offer_idle(now_ticks_) >= p.offer_wait(options_.offer_ticks))
        want_snapshot(p);
      return;
    }
    if (p.state() == ProgressState::probe) {
      if (!p.may_probe())
        return;
      KIWI_MARK("follower.probed");
      const bool empty = p.cautious() || p.next() > end || !log_.cached(p.next());
      send_append(p, empty ? p.next() - 1 : log_.fit(p.next(), end, options_.max_append_bytes));
      return;
    }
    if (p.next() > end)
      return;
    if (p.inflight() >= options_.max_inflight_appends || p.inflight_bytes() >= options_.max_inflight_bytes) {
      KIWI_MARK("follower.window_full");
      return;
    }
    if (hold_for_batch(p, end))
      return;
    if (log_.cached(p.next())) {
      send_append(p, log_.fit(p.next(), end, options_.max_append_bytes));
      continue;
    }
    std::size_t open = 0;
    for (const OpenFetch& f : open_fetches_) open += f.purpose == FetchFor::follower ? 1 : 0;
    if (open < kMaxFollowerFetches && !fetching(FetchFor::follower, p.node()))
      fetch(FetchFor::follower, p.node(), p.next(), std::min(log_.cached_first() - 1, writes_.durable()),
            options_.max_append_bytes);
    return;
  }
}

/// (next - 1, last], from memory.
void Core::send_append(Progress& p, Index last) {
  std::vector<Entry> entries;
  std::uint64_t bytes = 0;
  if (last >= p.next()) {
    log_.copy(p.next(), last, entries);
    bytes = log_.bytes_after(p.next() - 1) - log_.bytes_after(last);
  }
  send_entries(p, std::move(entries), bytes);
}

void Core::send_entries(Progress& p, std::vector<Entry> entries, std::uint64_t bytes) {
  AppendRequest m;
  m.term = vote_.term;
  m.previous = log_.id_at(p.next() - 1);
  m.commit = commit_;
  m.round = reads_.round();
  const Index last = m.previous.index + entries.size();
  m.sequence = p.sent(m.previous.index, last, bytes, now_ticks_);
  m.entries = std::move(entries);
  p.commit_sent(std::min(commit_, last));
  send(p.node(), std::move(m));
}

}  // namespace kiwi::raft
