#include "raft/core.hpp"

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/fault_points.hpp"
#include "messages/known_formats.hpp"
#include "messages/limits.hpp"

namespace kiwi::raft {

const char* to_string(Role role) {
  switch (role) {
    case Role::follower:
      return "follower";
    case Role::pre_candidate:
      return "pre-candidate";
    case Role::candidate:
      return "candidate";
    case Role::leader:
      return "leader";
    case Role::learner:
      return "learner";
  }
  return "?";
}

const char* to_string(StepDown why) {
  switch (why) {
    case StepDown::later_term:
      return "later_term";
    case StepDown::no_quorum:
      return "no_quorum";
    case StepDown::own_disk:
      return "own_disk";
    case StepDown::no_commit:
      return "no_commit";
    case StepDown::no_state:
      return "no_state";
    case StepDown::no_voter:
      return "no_voter";
  }
  return "?";
}

Core::Core(Options options, Restored restored)
    : options_(options),
      random_state_(options.seed * 0x9e3779b97f4a7c15u + options.id.value * 0xd1342543de82ef95u),
      vote_(KIWI_MUTANT(vote_forgotten) ? Vote{restored.vote.term, NodeId(0)} : restored.vote),
      log_(restored.purged, std::move(restored.runs), restored.last),
      memberships_(std::move(restored.memberships)),
      writes_(vote_, restored.last.index),
      last_stamp_ms_(restored.last_stamp_ms),
      commit_(std::max(restored.applied.index, restored.purged.index)),
      handed_(restored.applied.index),
      applied_(restored.applied.index),
      data_durable_(restored.applied.index),
      sizes_(options.compaction, restored.purged.index, restored.last.index, std::move(restored.marks),
             restored.entry_bytes),
      stall_watch_((options.election_ticks_min + options.election_ticks_max) / 2,
                   4 * std::uint64_t{options.election_ticks_max}) {
  KIWI_ASSERT(options_.id.value != 0, "a node has an id");
  KIWI_ASSERT(options_.election_ticks_min > options_.heartbeat_ticks,
              "heartbeats come within an election time-out");
  KIWI_ASSERT(options_.election_ticks_min <= options_.election_ticks_max,
              "the election time-outs are a range");
  KIWI_ASSERT(options_.heartbeat_ticks > 0, "heartbeats take at least a tick");
  KIWI_ASSERT(log_.last().term <= vote_.term, "the log has no entry of a term that was never entered");
  KIWI_ASSERT(!restored.applied.index || needs_snapshot() ||
                  log_.term_at(restored.applied.index) == restored.applied.term,
              "what is applied is in the log");
  if (applied_ < log_.last().index)
    KIWI_MARK("data.replayed");
  promise_unknown_ = options_.lease && vote_.term.value != 0 && !KIWI_MUTANT(promise_ends_with_process);
  set_idle_role();
  reset_election_timer();
  out_.state_changed = false;
  check();
}

void Core::check() const {
  KIWI_ASSERT(log_.purged().index <= applied_ || applied_ == handed_,
              "purged <= applied, but for a node that waits for a snapshot");
  KIWI_ASSERT(data_durable_ <= applied_, "only what is applied is durably applied");
  KIWI_ASSERT(applied_ <= handed_, "applied <= handed out");
  KIWI_ASSERT(handed_ <= commit_, "handed out <= committed");
  KIWI_ASSERT(handed_ <= writes_.durable(), "handed out <= durable");
  KIWI_ASSERT(commit_ <= log_.last().index, "committed <= last");
  KIWI_ASSERT(writes_.durable() <= log_.last().index, "durable <= last");
  KIWI_ASSERT(role_ != Role::leader || let_go_ <= log_.last().index, "what leaves is in the log");
  KIWI_ASSERT(log_.last().term <= vote_.term, "no entry is of a later term");
}

/// SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t Core::random() {
  std::uint64_t z = (random_state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// --- Inputs

void Core::set_clock(std::uint64_t unix_ms) {
  if (unix_ms == clocks_.own())
    return;
  clocks_.set_own(unix_ms);
  refresh_agreed_clock();
}

void Core::tick() {
  ++now_ticks_;
  fetch_failed_ = false;
  if (role_ == Role::leader)
    tick_leader();
  else
    tick_election();
  if (role_ == Role::leader) {
    tick_snapshots();
    tick_membership();
  }
  tick_transfer();
  apply_due_ = commit_;
  if (now_ticks_ - compaction_ticks_ >= options_.offer_ticks)
    compact();
}

void Core::step(NodeId from, PeerMessage message) {
  KIWI_ASSERT(from != options_.id, "a node does not write to itself");
  if (from == lost_leader_)
    forget_loss();
  std::visit([&](auto& m) { handle(from, m); }, message);
  check();
}

tl::expected<Index, Refusal> Core::propose(EntryKind kind, Bytes payload) {
  KIWI_ASSERT(kind != EntryKind::blank && kind != EntryKind::membership,
              "the core makes these entries itself");
  const auto refuse = [&](Refusal why) {
    ++counters_.proposals_refused;
    return tl::make_unexpected(why);
  };
  if (role_ != Role::leader || needs_snapshot())
    return refuse(Refusal::not_leader);
  if (payload.size() > kMaxRequestBytes)
    return refuse(Refusal::too_large);
  // Its own ticks and markers go on: reads need them, and they are small.
  if (kind == EntryKind::command && !takes_commands_ && !KIWI_MUTANT(reserve_ignored))
    return refuse(Refusal::no_space);
  if (transfer_)
    return refuse(Refusal::handing_over);
  if (format_of(kind) > kFirstFormats && !everyone_knows(format_of(kind)))
    return refuse(Refusal::not_known_to_all);
  // A single entry always fits: a limit below the largest entry must not refuse it for ever.
  const std::uint64_t waiting = log_.bytes_after(std::min(commit_, writes_.durable()));
  if (waiting > 0 && waiting + payload.size() + kEntryOverheadBytes > options_.max_uncommitted_bytes)
    return refuse(Refusal::overloaded);
  ++counters_.proposals;
  Entry entry;
  entry.id = {vote_.term, log_.last().index + 1};
  entry.kind = kind;
  entry.stamp_ms = agreed_time_ms();
  entry.payload = std::move(payload);
  append_entry(std::move(entry));
  return log_.last().index;
}

tl::expected<void, Refusal> Core::read(std::uint64_t token, Index at_least) {
  if (role_ != Role::leader || needs_snapshot())
    return tl::make_unexpected(Refusal::not_leader);
  if (reads_.size() >= options_.max_pending_reads)
    return tl::make_unexpected(Refusal::overloaded);
  ++counters_.reads;
  const Index end = log_.last().index;
  // Before the own no-op is committed, commit_ may be behind what an earlier leader committed (Raft 8).
  const Index known = KIWI_MUTANT(reads_before_noop) ? commit_ : std::max(commit_, noop_);
  // An `at_least` beyond the log is a write of an earlier term that did not survive; nothing can show it.
  reads_.push(token, std::max(known, std::min(at_least, end)), end);
  confirm_by_lease();
  return {};
}

void Core::bootstrap(Membership membership) {
  KIWI_ASSERT(!has_cluster(), "this node belongs to a cluster already");
  KIWI_ASSERT(membership.voters == std::vector<NodeId>{options_.id} && !membership.joint(),
              "a new cluster has one voter: this node");
  KIWI_ASSERT(log_.last() == LogId{}, "a node without a cluster has no log");
  memberships_.append(LogId{}, std::move(membership));
  membership_changed();
}

// --- Log and membership

/// Appends to the own log; a membership counts from here on (Raft 6).
void Core::append_entry(Entry entry) {
  last_stamp_ms_ = std::max(last_stamp_ms_, entry.stamp_ms);
  sizes_.appended(entry);
  if (entry.kind == EntryKind::membership) {
    auto membership = decode_membership(entry.payload.view());
    KIWI_ASSERT(membership.has_value() && well_formed(*membership), "a membership entry that cannot be read");
    memberships_.append(entry.id, std::move(*membership));
    log_.append(std::move(entry));
    membership_changed();
    return;
  }
  log_.append(std::move(entry));
}

void Core::membership_changed() {
  if (role_ == Role::leader) {
    note_leaving();
    rebuild_progress();
    weigh_room();
    check_rounds();  // perhaps nobody is left who could answer one
    refresh_agreed_clock();
  } else if (role_ == Role::follower || role_ == Role::learner) {
    set_idle_role();
  }
  out_.state_changed = true;
  out_.membership_changed = true;
}

// --- Reading the state

Role Core::role() const { return role_; }
Term Core::term() const { return vote_.term; }
NodeId Core::leader() const { return leader_; }
Vote Core::vote() const { return vote_; }
Index Core::commit() const { return commit_; }
Index Core::durable() const { return writes_.durable(); }
Index Core::applied() const { return applied_; }
LogId Core::last_log_id() const { return log_.last(); }
bool Core::has_cluster() const { return !memberships_.current().voters.empty(); }
const Membership& Core::membership() const { return memberships_.current(); }
bool Core::leader_ready() const { return role_ == Role::leader && commit_ >= noop_ && !needs_snapshot(); }
std::uint64_t Core::agreed_time_ms() const {
  return role_ == Role::leader ? std::max({last_stamp_ms_, agreed_clock_ms_, told_ms_}) : last_stamp_ms_;
}
bool Core::caught_up_once() const { return caught_up_; }
std::uint64_t Core::uncommitted_bytes() const { return log_.bytes_after(commit_); }
std::uint64_t Core::log_bytes_in_memory() const { return log_.bytes(); }
const Counters& Core::counters() const { return counters_; }
const Options& Core::options() const { return options_; }

std::vector<FollowerStatus> Core::followers() const {
  std::vector<FollowerStatus> all;
  if (role_ != Role::leader)
    return all;
  for (const Progress& p : progress_) {
    FollowerStatus s;
    s.id = p.node();
    s.match = p.match();
    s.next = p.next();
    s.state = p.state();
    s.inflight_appends = p.inflight();
    s.inflight_bytes = p.inflight_bytes();
    s.recently_active = p.active(now_ticks_, options_.election_ticks_max);
    s.voter = membership().is_voter(p.node());
    s.leaving = !membership().contains(p.node());
    s.formats = p.formats();
    s.snapshot_bytes = p.offered() ? p.offered()->bytes() : 0;
    s.snapshot_received = p.received_bytes();
    s.room = p.room();
    all.push_back(s);
  }
  return all;
}

}  // namespace kiwi::raft
