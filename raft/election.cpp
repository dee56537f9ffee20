// Elections: Raft 5.2 and 5.4.1; pre-vote, thesis 9.6; disruptive servers, thesis 4.2.3; check-quorum, 6.2.

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "raft/core.hpp"
#include "raft/quorum.hpp"

namespace kiwi::raft {

namespace {
/// Election time-outs that a node without room waits instead of one.
constexpr std::uint32_t kPatienceWithoutRoom = 3;
}  // namespace

/// A node that its newest membership leaves out stands all the same as long as it does not know that to be
/// committed: nobody else may have that membership's entry (thesis 4.2.2). It counts itself for nothing.
bool Core::promotable() const {
  const auto& all = memberships_.all();
  return std::any_of(all.begin(), all.end(), [&](const auto& m) { return m.second.is_voter(options_.id); });
}

/// The only voter wins every election by itself.
bool Core::alone() const {
  return has_quorum(membership(), [&](NodeId id) { return id == options_.id; });
}

/// Within the shortest election time-out nobody can have a reason to replace this leader, unless its process
/// is known to be gone.
bool Core::hears_leader() const {
  return leader_.value != 0 && leader_ != lost_leader_ &&
         now_ticks_ - leader_heard_ticks_ < options_.election_ticks_min;
}

/// This disk has not answered for longer than an election may take: whoever needs a vote of this node, be it
/// this node itself, would get it too late.
bool Core::disk_is_late() const { return writes_.oldest_ticks(now_ticks_) >= options_.election_ticks_max; }

void Core::reset_election_timer() {
  const std::uint64_t span = options_.election_ticks_max - options_.election_ticks_min + 1;
  timer_started_ticks_ = now_ticks_;
  timeout_ticks_ = options_.election_ticks_min + static_cast<std::uint32_t>(random() % span);
}

void Core::tick_election() {
  if ((!promotable() && !asked_as_voter()) || installing_ || removed())
    return;
  std::uint64_t patience = timeout_ticks_;
  if (needs_snapshot()) {
    // Without its state it leads only when nobody else can, because the others' logs are shorter, and only to
    // bring one of them level: see hand_over_log(). An empty log does not say which time it is.
    if (alone() || log_.last() == log_.purged())
      return;
    patience += 4 * std::uint64_t{options_.election_ticks_max};
  } else if (alone()) {
    if (role_ != Role::candidate)
      campaign(false);
    return;
  }
  if (room_ != DiskRoom::enough)
    patience *= kPatienceWithoutRoom;  // those who have it stand first
  if ((now_ticks_ - timer_started_ticks_ < patience && !hurries()) || promised())
    return;  // ticks may come in a burst; the promise goes by the clock
  // With a disk that does not even take the last vote nobody can win; it would only drive the term up (T16).
  // With one that is late for entries it would win and stand in the way at once (D09).
  if (writes_.durable_vote() == vote_ && !disk_is_late() && now_ticks_ >= stand_back_until_ticks_) {
    if (!promotable())
      KIWI_MARK("membership.stood_unasked");
    pre_campaign();
  } else {
    early_ticks_ = 0;
    reset_election_timer();
  }
}

void Core::set_idle_role() {
  const bool learns = !promotable() && has_cluster();
  role_ = learns ? Role::learner : Role::follower;
}

void Core::stop_leading() {
  if (reads_.size() > 0)
    KIWI_MARK("read.failed_at_step_down");
  ++counters_.step_downs;
  out_.lost_leadership = true;
  reads_.fail_all(out_.failed_reads);
  progress_.clear();
  leaving_.clear();
  promotion_ = Promotion();
  if (transfer_ && !transfer_->requested)
    transfer_.reset();
  drop_follower_fetches();
}

/// Stops leading without being told to. Who was in the way lets the others go first.
void Core::step_down(StepDown why) {
  out_.step_down = why;
  follow(vote_.term, NodeId(0));
  reset_election_timer();
  if (why == StepDown::own_disk || why == StepDown::no_commit || why == StepDown::no_state)
    stand_back_until_ticks_ = now_ticks_ + 2 * std::uint64_t{options_.election_ticks_max};
}

/// Enters a later term, or learns who leads this one. `leader` 0: not known.
void Core::follow(Term term, NodeId leader) {
  KIWI_ASSERT(term >= vote_.term, "terms never go back");
  const bool changed = term > vote_.term || leader != leader_ || role_ == Role::leader ||
                       role_ == Role::candidate || role_ == Role::pre_candidate;
  if (term > vote_.term) {
    vote_ = Vote{term, NodeId(0)};
    leader_of_term_ = NodeId(0);
    grants_.clear();
    // Whatever was promised in an earlier term means nothing to the nodes of this one.
    held_grant_ = NodeId(0);
    held_heartbeat_round_.reset();
    held_rejection_.reset();
    held_acks_.clear();
  }
  if (role_ == Role::leader)
    stop_leading();
  else if (role_ == Role::candidate)
    KIWI_MARK("election.lost");
  set_idle_role();
  leader_ = leader;
  pre_grants_.clear();
  vote_requests_held_ = false;
  out_.state_changed = out_.state_changed || changed;
}

void Core::adopt(Term term) {
  if (term <= vote_.term)
    return;
  // Raft 5.2 restarts the timer for a leader or a granted vote only: else hopeless candidates could keep
  // those with the better logs from standing. A leader had no timer yet.
  if (role_ == Role::leader) {
    KIWI_MARK("leader.later_term");
    reset_election_timer();
  }
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
  promise();
  if (transfer_ && term > transfer_->term)
    end_transfer(from == transfer_->target ? TransferEnd::Outcome::done : TransferEnd::Outcome::other);
  reset_election_timer();
  return true;
}

// --- Campaigns

void Core::pre_campaign() {
  ++counters_.pre_votes_started;
  if (hurries()) {
    ++counters_.early_pre_votes;
    KIWI_MARK("election.early");
  }
  early_ticks_ = 0;
  ++pre_vote_round_;
  if (role_ == Role::candidate)
    KIWI_MARK("election.split");
  role_ = Role::pre_candidate;
  leader_ = NodeId(0);
  vote_requests_held_ = false;
  out_.state_changed = true;
  reset_election_timer();
  pre_grants_.assign(1, options_.id);  // promises nothing, so it need not be durable
  request_votes();
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

/// What a pre-candidate, or a candidate, asks for.
VoteRequest Core::vote_request() const {
  VoteRequest request;
  request.pre_vote = role_ == Role::pre_candidate;
  request.term = request.pre_vote ? vote_.term + 1 : vote_.term;
  request.last_log_id = durable_log_id();
  request.round = pre_vote_round_;
  request.transfer = !request.pre_vote && campaign_is_transfer_;
  return request;
}

void Core::request_votes() {
  const VoteRequest request = vote_request();
  for (const Member& m : membership().members)
    if (m.id != options_.id && membership().is_voter(m.id))
      send(m.id, request);
}

/// Two that ask for the same term at the same time would grant each other what they ask, then each would vote
/// for itself, and an election time-out be lost. With equal logs the one with the lower id goes first. Only
/// for about as long as such questions cross: the one that goes first may have no majority, and then must not
/// stand in the way.
bool Core::asks_first(NodeId other, const VoteRequest& m) const {
  return role_ == Role::pre_candidate && options_.id < other && m.term == vote_.term + 1 &&
         m.last_log_id == log_.last() && durable_log_id() == log_.last() &&
         now_ticks_ - timer_started_ticks_ < options_.heartbeat_ticks;
}

/// This node asks, in this life, for votes of this term. Not so a node that led it already, also before a
/// restart: its log may have lost what it sent to others meanwhile.
bool Core::stands() const {
  return !grants_.empty() && !leader_of_term_ && (role_ == Role::candidate || role_ == Role::pre_candidate);
}

void Core::count_votes() {
  const auto all_of = [&](const std::vector<NodeId>& who) {
    return has_quorum(membership(),
                      [&](NodeId id) { return std::find(who.begin(), who.end(), id) != who.end(); });
  };
  if (stands() && all_of(grants_))
    become_leader();
  else if (role_ == Role::pre_candidate && all_of(pre_grants_))
    campaign(false);
}

void Core::become_leader() {
  KIWI_ASSERT(vote_.voted_for == options_.id, "only who stood in this term can win it");
  KIWI_ASSERT(writes_.durable_vote() == vote_, "a leader's own vote is durable");
  KIWI_ASSERT(!leader_of_term_, "this term has a leader already");
  ++counters_.elections_won;
  KIWI_MARK("election.won");
  if (commit_ < log_.last().index)
    KIWI_MARK("leader.inherited_entries");
  role_ = Role::leader;
  leader_ = options_.id;
  leader_of_term_ = options_.id;
  grants_.clear();
  pre_grants_.clear();
  stall_watch_.begin(now_ticks_);
  out_.state_changed = true;
  handed_over_ticks_ = 0;
  end_transfer(TransferEnd::Outcome::aborted);  // the one before was for an earlier term
  progress_.clear();
  note_leaving();
  rebuild_progress();
  weigh_room();
  clocks_.forget();
  lease_.begin();
  told_ms_ = 0;
  told_at_ = Index(0);
  refresh_agreed_clock();
  // Raft 8: until an entry of the own term is committed, nobody knows what is.
  let_go_ = writes_.issued();  // an earlier leadership's may be beyond what was cut since
  noop_ = log_.last().index + 1;
  Entry noop;
  noop.id = {vote_.term, noop_};
  noop.kind = EntryKind::blank;
  noop.stamp_ms = agreed_time_ms();
  append_entry(std::move(noop));
  if (options_.lease)
    begin_round();
  else
    broadcast_heartbeat();
}

// --- Messages

void Core::handle(NodeId from, const VoteRequest& m) {
  VoteResponse answer;
  answer.pre_vote = m.pre_vote;
  answer.round = m.round;
  const bool log_is_enough = m.last_log_id >= log_.last() ||
                             (m.pre_vote ? KIWI_MUTANT(pre_vote_ignores_log) : KIWI_MUTANT(vote_ignores_log));
  const bool too_early = !m.transfer && (hears_leader() || promised());
  // Every majority that could need this candidate has the entry without it, and so a newer log.
  if (memberships_.at(commit_).was_removed(from)) {
    answer.term = vote_.term;
    answer.removed = true;
    send(from, answer);
    return;
  }
  if (!log_is_enough && !too_early && !promotable())
    asked_as_voter_until_ticks_ = now_ticks_ + 4 * std::uint64_t{options_.election_ticks_max};
  if (m.pre_vote) {
    // Changes nothing here. A granted pre-vote echoes the term that was asked for. Who could not vote soon
    // does not say that it would: the term of the candidate would go up in vain, and with slow disks
    // everywhere its vote of the last term, which may be on its way to a disk, would be wasted.
    const bool could_vote = writes_.durable_vote() == vote_ && !disk_is_late();
    const bool goes_first = asks_first(from, m);
    if (goes_first)
      KIWI_MARK("prevote.crossed");
    answer.granted = m.term > vote_.term && log_is_enough && !too_early && could_vote && !goes_first &&
                     role_ != Role::leader;
    answer.term = answer.granted ? m.term : vote_.term;
    if (!log_is_enough)
      KIWI_MARK("prevote.old_log");
    if (too_early)
      KIWI_MARK("prevote.hears_leader");
    send(from, answer);
    return;
  }
  // A follower that hears its leader does not even learn the new term from a candidate (thesis 4.2.3). A
  // leader does: the candidate's term will reach it anyhow, with the first answer to a heartbeat.
  // A promise binds in a later term, too, that this node learned from somebody else.
  const bool bound = promised() && too_early;
  if (m.term < vote_.term || ((m.term > vote_.term || bound) && too_early && role_ != Role::leader)) {
    answer.term = vote_.term;
    send(from, answer);
    return;
  }
  adopt(m.term);
  const bool free = !vote_.voted_for || vote_.voted_for == from || KIWI_MUTANT(second_vote);
  if (!free || !log_is_enough || leader_of_term_) {
    KIWI_MARK("vote.refused");
    if (!free)
      KIWI_MARK("vote.refused_twice");
    answer.term = vote_.term;
    send(from, answer);
    return;
  }
  if (!vote_.voted_for || KIWI_MUTANT(second_vote)) {
    ++counters_.votes_granted;
    vote_.voted_for = from;
    KIWI_MARK("vote.issued");
    reset_election_timer();
  }
  if (KIWI_MUTANT(vote_before_sync)) {
    answer.term = vote_.term;
    answer.granted = true;
    send(from, answer);
    return;
  }
  held_grant_ = from;
  release_held();
}

void Core::handle(NodeId from, const VoteResponse& m) {
  if (KIWI_MUTANT(pre_vote_counts_as_vote) && m.pre_vote && m.granted && m.term == vote_.term && stands()) {
    if (std::find(grants_.begin(), grants_.end(), from) == grants_.end())
      grants_.push_back(from);
    count_votes();
    return;
  }
  if (m.removed) {
    told_removed();
    return;
  }
  if (m.pre_vote && role_ != Role::pre_candidate)
    return;
  if (!m.granted) {
    adopt(m.term);  // the voter's real term: without it a node that fell behind could never stand again
    return;
  }
  if (m.pre_vote && m.round != pre_vote_round_) {
    KIWI_MARK("prevote.stale_round");
    return;  // what was true some time ago: the voter may hear a leader by now
  }
  // A vote also counts when this node lost patience meanwhile and asks around for the next term: with slow
  // disks every vote may come that late.
  if (m.term != (m.pre_vote ? vote_.term + 1 : vote_.term) || (!m.pre_vote && !stands()))
    return;
  if (!m.pre_vote && role_ == Role::pre_candidate)
    KIWI_MARK("vote.late");
  auto& grants = m.pre_vote ? pre_grants_ : grants_;
  if (std::find(grants.begin(), grants.end(), from) == grants.end())
    grants.push_back(from);
  count_votes();
}

void Core::handle(NodeId from, const TimeoutNowRequest& m) {
  if (m.term < vote_.term) {
    HeartbeatResponse answer;
    answer.term = vote_.term;
    send(from, answer);
    return;
  }
  if (m.term == vote_.term && from == leader_ && role_ == Role::follower && promotable() && !installing_ &&
      !needs_snapshot() && room_ == DiskRoom::enough)
    campaign(true);
}

}  // namespace kiwi::raft
