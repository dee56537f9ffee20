// The follower's side of replication: Raft 5.3, and what it may say before its disk is done (rule 2).

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "raft/core.hpp"

namespace kiwi::raft {

namespace {

/// What no leader sends, whatever happened: not worth an answer.
bool well_formed(const AppendRequest& m) {
  LogId before = m.previous;
  if (before.term > m.term || (before.index.value == 0) != (before.term.value == 0))
    return false;
  for (const Entry& e : m.entries) {
    if (e.id.index != before.index + 1 || e.id.term < before.term || e.id.term > m.term)
      return false;
    before = e.id;
  }
  return true;
}

}  // namespace

void Core::handle(NodeId from, AppendRequest& m) {
  if (m.term < vote_.term && !KIWI_MUTANT(stale_leader_obeyed)) {
    KIWI_MARK("append.stale_term");
    AppendResponse answer;
    answer.term = vote_.term;  // and no sequence: the sender may lead this very term by now
    send(from, answer);
    return;
  }
  if (!well_formed(m))
    return;
  heard_leader(from, m.term);
  if (installing_)
    return;  // the log is about to begin anew; a lost message to the leader
  if (no_room_for(m)) {
    KIWI_MARK("append.no_room");
    return;  // as above; the leader knows why, and waits
  }

  const Index previous = m.previous.index;
  const Index match = previous + m.entries.size();
  // At or below the commit index both logs are the same (leader completeness, Raft 5.4.3): what may be
  // purged here needs no comparison, and a difference there would be the end of all safety.
  const auto term_here = log_.term_at(previous);
  const bool agrees = previous < log_.purged().index || (term_here && *term_here == m.previous.term) ||
                      (KIWI_MUTANT(previous_unchecked) && term_here);
  if (!agrees) {
    KIWI_ASSERT(previous > commit_, "a leader denies a committed entry");
    KIWI_MARK("append.rejected");
    AppendResponse answer;
    answer.term = vote_.term;
    answer.round = m.round;
    answer.sequence = m.sequence;
    answer.hint = term_here ? LogId{*term_here, std::max(log_.first_of_term_at(previous), commit_ + 1)}
                            : LogId{Term(0), log_.last().index + 1};
    held_rejection_ = answer;
    release_held();
    return;
  }

  for (Entry& e : m.entries) {
    const Index at = e.id.index;
    if (at <= log_.purged().index)
      continue;
    const auto here = log_.term_at(at);
    if (here && (*here == e.id.term || KIWI_MUTANT(conflict_kept))) {
      KIWI_MARK("append.repeated");
      continue;  // the same entry (log matching, Raft 5.3); never cut what matches
    }
    if (here)
      truncate_from(at);
    if (KIWI_MUTANT(local_clock_stamps))
      e.stamp_ms = clocks_.own();
    append_entry(std::move(e));
  }
  if (KIWI_MUTANT(truncate_on_shorter_append) && log_.last().index > match)
    truncate_from(match + 1);
  raise_commit(std::min(m.commit, KIWI_MUTANT(commit_beyond_match) ? log_.last().index : match));
  if (!caught_up_ && !catch_up_to_) {
    catch_up_to_ = m.commit;
    check_caught_up();
  }

  // Ascending by match: an answer that says less than the last one held travels with it.
  if (!held_acks_.empty() && held_acks_.back().match >= match) {
    HeldAck& back = held_acks_.back();
    back.round = std::max(back.round, m.round);
    back.sequence = std::max(back.sequence, m.sequence);
  } else {
    held_acks_.push_back({match, m.round, m.sequence});
  }
  release_held();
}

void Core::handle(NodeId from, const HeartbeatRequest& m) {
  if (!heard_leader(from, m.term)) {
    HeartbeatResponse answer;
    answer.term = vote_.term;
    send(from, answer);
    return;
  }
  // It is at most what this node acknowledged as durable in this term, so it must be here.
  KIWI_ASSERT(m.commit <= log_.last().index || KIWI_MUTANT(heartbeat_commit_beyond),
              "this node lost entries that it had acknowledged");
  raise_commit(KIWI_MUTANT(heartbeat_commit_beyond) ? std::min(m.commit, log_.last().index) : m.commit);
  held_heartbeat_round_ = std::max(held_heartbeat_round_.value_or(0), m.round);
  release_held();
}

void Core::truncate_from(Index from) {
  KIWI_ASSERT(role_ != Role::leader, "a leader never removes entries (Raft 5.3)");
  KIWI_ASSERT(from > commit_, "a committed entry is never removed");
  KIWI_MARK("log.overwritten");
  log_.truncate_from(from);
  sizes_.truncated_from(from);
  writes_.truncated(from);
  std::erase_if(held_acks_, [&](const HeldAck& a) { return a.match >= from; });
  std::erase_if(open_fetches_, [&](const OpenFetch& f) { return f.last >= from; });
  if (memberships_.truncate_from(from)) {
    KIWI_MARK("membership.rolled_back");
    membership_changed();
  }
}

void Core::raise_commit(Index commit) {
  if (commit <= commit_)
    return;
  commit_ = commit;
  memberships_.committed(commit_);
  if (role_ != Role::leader && log_.term_at(commit_) == vote_.term)
    stall_watch_.another_commits();
}

/// Rule 2: sends what the disk has made true by now.
void Core::release_held() {
  if (writes_.durable_vote() != vote_)
    return;
  if (vote_requests_held_) {
    vote_requests_held_ = false;
    reset_election_timer();  // the others have not been asked before now, however long the disk took
    request_votes();
    grants_.assign(1, options_.id);
    count_votes();
    return;
  }
  if (held_grant_) {
    VoteResponse grant;
    grant.term = vote_.term;
    grant.granted = true;
    KIWI_ASSERT(vote_.voted_for == held_grant_, "one vote per term");
    KIWI_MARK("vote.synced");
    send(held_grant_, grant);
    held_grant_ = NodeId(0);
  }
  if (held_heartbeat_round_) {
    HeartbeatResponse answer;
    answer.term = vote_.term;
    answer.round = *held_heartbeat_round_;
    answer.clock_ms = clocks_.own();
    answer.wants_snapshot = needs_snapshot() && !installing_;
    answer.formats = options_.formats;
    answer.room = room_;
    send(leader_of_term_, answer);
    held_heartbeat_round_.reset();
  }
  if (held_rejection_) {
    held_rejection_->clock_ms = clocks_.own();
    send(leader_of_term_, *held_rejection_);
    held_rejection_.reset();
  }
  // One answer for all that became durable together: the later ones include the earlier ones.
  AppendResponse ack;
  const Index acknowledged = KIWI_MUTANT(ack_before_sync) ? log_.last().index : writes_.durable();
  while (!held_acks_.empty() && held_acks_.front().match <= acknowledged) {
    const HeldAck& held = held_acks_.front();
    ack.success = true;
    ack.match = std::max(ack.match, held.match);
    ack.round = std::max(ack.round, held.round);
    ack.sequence = std::max(ack.sequence, held.sequence);
    held_acks_.pop_front();
  }
  if (ack.success) {
    ack.term = vote_.term;
    ack.clock_ms = clocks_.own();
    send(leader_of_term_, ack);
  }
}

}  // namespace kiwi::raft
