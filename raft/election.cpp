// Elections: Raft 5.2 and 5.4.1; pre-vote, thesis 9.6; disruptive servers, thesis 4.2.3; check-quorum, 6.2.

#include <algorithm>

#include "messages/assert.hpp"
#include "raft/core.hpp"
#include "raft/quorum.hpp"

namespace kiwi::raft {

bool Core::promotable() const { return membership().is_voter(options_.id); }

/// The only voter wins every election by itself.
bool Core::alone() const {
  return has_quorum(membership(), [&](NodeId id) { return id == options_.id; });
}

/// Within the shortest election time-out nobody can have a reason to replace this leader.
bool Core::hears_leader() const {
  return leader_.value != 0 && now_ticks_ - leader_heard_ticks_ < options_.election_ticks_min;
}

void Core::reset_election_timer() {
  const std::uint64_t span = options_.election_ticks_max - options_.election_ticks_min + 1;
  timer_started_ticks_ = now_ticks_;
  timeout_ticks_ = options_.election_ticks_min + static_cast<std::uint32_t>(random() % span);
}

void Core::tick_election() {
  if (!promotable())
    return;
  if (alone()) {
    if (role_ != Role::candidate)
      campaign(false);
    return;
  }
  if (now_ticks_ - timer_started_ticks_ < timeout_ticks_)
    return;
  // With a disk that does not even take the last vote nobody can win; it would only drive the term up (T16).
  if (writes_.durable_vote() == vote_)
    pre_campaign();
  else
    reset_election_timer();
}

void Core::set_idle_role() {
  const bool learns = !promotable() && has_cluster();
  role_ = learns ? Role::learner : Role::follower;
}

void Core::stop_leading() {
  ++counters_.step_downs;
  out_.lost_leadership = true;
  reads_.fail_all(out_.failed_reads);
  progress_.clear();
  drop_follower_fetches();
}

/// Enters a later term, or learns who leads this one. `leader` 0: not known.
void Core::follow(Term term, NodeId leader) {
  KIWI_ASSERT(term >= vote_.term, "terms never go back");
  const bool changed = term > vote_.term || leader != leader_ || role_ == Role::leader ||
                       role_ == Role::candidate || role_ == Role::pre_candidate;
  if (term > vote_.term) {
    vote_ = Vote{term, NodeId(0)};
    leader_of_term_ = NodeId(0);
    // Whatever was promised in an earlier term means nothing to the nodes of this one.
    held_grant_ = NodeId(0);
    held_heartbeat_round_.reset();
    held_rejection_.reset();
    held_acks_.clear();
  }
  if (role_ == Role::leader)
    stop_leading();
  set_idle_role();
  leader_ = leader;
  grants_.clear();
  vote_requests_held_ = false;
  out_.state_changed = out_.state_changed || changed;
}

void Core::adopt(Term term) {
  if (term <= vote_.term)
    return;
  // Raft 5.2 restarts the timer for a leader or a granted vote only: else hopeless candidates could keep
  // those with the better logs from standing. A leader had no timer yet.
  if (role_ == Role::leader)
    reset_election_timer();
  follow(term, NodeId(0));
}

bool Core::heard_leader(NodeId from, Term term) {
  if (term < vote_.term)
    return false;
  if (term == vote_.term) {
    // Two leaders in one term: somebody voted twice, and nothing can be trusted any more.
    KIWI_ASSERT(role_ != Role::leader, "another node leads in this leader's term");
    KIWI_ASSERT(!leader_of_term_ || leader_of_term_ == from, "two nodes lead in one term");
  }
  if (term > vote_.term || leader_ != from || role_ == Role::candidate || role_ == Role::pre_candidate)
    follow(term, from);
  leader_of_term_ = from;
  leader_heard_ticks_ = now_ticks_;
  reset_election_timer();
  return true;
}

// --- Campaigns

void Core::pre_campaign() {
  ++counters_.pre_votes_started;
  role_ = Role::pre_candidate;
  leader_ = NodeId(0);
  vote_requests_held_ = false;
  out_.state_changed = true;
  reset_election_timer();
  grants_.assign(1, options_.id);  // promises nothing, so it need not be durable
  request_votes(vote_.term + 1, true, false);
}

void Core::campaign(bool transfer) {
  ++counters_.elections_started;
  follow(vote_.term + 1, NodeId(0));
  vote_.voted_for = options_.id;
  role_ = Role::candidate;
  out_.state_changed = true;
  campaign_is_transfer_ = transfer;
  vote_requests_held_ = true;  // rule 2: release_held() sends them, and counts the own vote
  reset_election_timer();
}

/// Entries that are not durable yet may be gone after a crash: a candidate does not boast of them (T08).
LogId Core::durable_log_id() const { return log_.id_at(writes_.durable()); }

void Core::request_votes(Term term, bool pre_vote, bool transfer) {
  VoteRequest request;
  request.term = term;
  request.last_log_id = durable_log_id();
  request.pre_vote = pre_vote;
  request.transfer = transfer;
  for (const Member& m : membership().members)
    if (m.id != options_.id && membership().is_voter(m.id))
      send(m.id, request);
}

void Core::count_votes() {
  const bool won = has_quorum(membership(), [&](NodeId id) {
    return std::find(grants_.begin(), grants_.end(), id) != grants_.end();
  });
  if (!won)
    return;
  if (role_ == Role::pre_candidate)
    campaign(false);
  else if (role_ == Role::candidate)
    become_leader();
}

void Core::become_leader() {
  KIWI_ASSERT(role_ == Role::candidate && vote_.voted_for == options_.id, "only a candidate can win");
  KIWI_ASSERT(writes_.durable_vote() == vote_, "a leader's own vote is durable");
  KIWI_ASSERT(!leader_of_term_, "this term has a leader already");
  ++counters_.elections_won;
  role_ = Role::leader;
  leader_ = options_.id;
  leader_of_term_ = options_.id;
  grants_.clear();
  out_.state_changed = true;
  progress_.clear();
  rebuild_progress();
  clocks_.forget();
  told_ms_ = 0;
  told_at_ = Index(0);
  refresh_agreed_clock();
  // Raft 8: until an entry of the own term is committed, nobody knows what is.
  noop_ = log_.last().index + 1;
  Entry noop;
  noop.id = {vote_.term, noop_};
  noop.kind = EntryKind::blank;
  noop.stamp_ms = agreed_time_ms();
  append_entry(std::move(noop));
  broadcast_heartbeat();
}

// --- Messages

void Core::handle(NodeId from, const VoteRequest& m) {
  VoteResponse answer;
  answer.pre_vote = m.pre_vote;
  const bool log_is_enough = m.last_log_id >= log_.last();
  const bool too_early = !m.transfer && hears_leader();
  if (m.pre_vote) {
    // Changes nothing here. A granted pre-vote echoes the term that was asked for.
    answer.granted = m.term > vote_.term && log_is_enough && !too_early && role_ != Role::leader;
    answer.term = answer.granted ? m.term : vote_.term;
    send(from, answer);
    return;
  }
  // A follower that hears its leader does not even learn the new term from a candidate (thesis 4.2.3). A
  // leader does: the candidate's term will reach it anyhow, with the first answer to a heartbeat.
  if (m.term < vote_.term || (m.term > vote_.term && too_early && role_ != Role::leader)) {
    answer.term = vote_.term;
    send(from, answer);
    return;
  }
  adopt(m.term);
  const bool free = !vote_.voted_for || vote_.voted_for == from;
  if (!free || !log_is_enough || leader_of_term_) {
    answer.term = vote_.term;
    send(from, answer);
    return;
  }
  if (!vote_.voted_for) {
    ++counters_.votes_granted;
    vote_.voted_for = from;
    reset_election_timer();
  }
  held_grant_ = from;
  release_held();
}

void Core::handle(NodeId from, const VoteResponse& m) {
  if (m.pre_vote) {
    if (role_ != Role::pre_candidate)
      return;
    if (!m.granted)
      adopt(m.term);  // the voter's real term: without it a node that fell behind could never stand again
    if (!m.granted || m.term != vote_.term + 1)
      return;
  } else {
    if (!m.granted)
      adopt(m.term);
    if (!m.granted || m.term != vote_.term || role_ != Role::candidate)
      return;
  }
  if (std::find(grants_.begin(), grants_.end(), from) == grants_.end())
    grants_.push_back(from);
  count_votes();
}

void Core::handle(NodeId from, const TimeoutNowRequest& m) {
  if (m.term < vote_.term) {
    HeartbeatResponse answer;
    answer.term = vote_.term;
    send(from, answer);
    return;
  }
  if (m.term == vote_.term && from == leader_ && role_ == Role::follower && promotable())
    campaign(true);
}

}  // namespace kiwi::raft
