#include "tests/unit/lab/invariants/scene.hpp"

namespace kiwi::lab::invariants::test {
namespace {

using testing::HasSubstr;

/// n1 leads term 1; entry 1 is on all logs.
struct LogChecksTest : testing::Test {
  LogChecksTest() {
    s.elect(n1, 1, n2);
    s.replicate(n1, 1, {n2, n3});
  }
  static AppendResponse ack(std::uint64_t term, std::uint64_t match) {
    AppendResponse m;
    m.term = Term(term);
    m.success = true;
    m.match = Index(match);
    return m;
  }
  static VoteResponse grant(std::uint64_t term, bool pre_vote = false) {
    VoteResponse m;
    m.term = Term(term);
    m.granted = true;
    m.pre_vote = pre_vote;
    return m;
  }
  static VoteRequest request(std::uint64_t term, LogId last, bool pre_vote = false) {
    VoteRequest m;
    m.term = Term(term);
    m.last_log_id = last;
    m.pre_vote = pre_vote;
    return m;
  }
  Scene s;
};

// --- 3, 37: entries

TEST_F(LogChecksTest, one_id_names_two_entries) {
  s.write(n2, {entry(1, 2, "a")});
  EXPECT_EQ(s.broken(), 0) << s.what();
  s.write(n3, {entry(1, 2, "b")});
  EXPECT_EQ(s.broken(), 3) << s.what();
}

TEST_F(LogChecksTest, one_id_stands_after_two_entries) {
  s.write(n1, {entry(1, 2), entry(3, 3)});
  s.write(n2, {entry(2, 2), entry(3, 3)});
  EXPECT_EQ(s.broken(), 3) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("n2 takes entry 3/3 after one of term 2"));
}

TEST_F(LogChecksTest, a_replaced_tail_is_no_breach) {
  s.write(n2, {entry(1, 2), entry(1, 3)});
  s.give(n2, {entry(2, 2)}, Index(2));  // in one batch with what comes after it
  s.write(n2, {entry(2, 3)});
  EXPECT_EQ(s.broken(), 0) << s.what();
  EXPECT_EQ(s.ledger.holders(Index(2), Term(1)), 0u);
  EXPECT_EQ(s.ledger.holders(Index(3), Term(2)), bit(n2));
}

TEST_F(LogChecksTest, the_store_ends_elsewhere) {
  s.give(n2, {entry(1, 2)});
  LogStoreSeen seen;
  seen.last = {Term(1), Index(1)};
  s.sync(n2, seen);
  EXPECT_EQ(s.broken(), 3) << s.what();
}

TEST_F(LogChecksTest, time_goes_back_in_the_log) {
  auto late = entry(1, 2);
  late.stamp_ms = 5;
  s.write(n2, {late});
  EXPECT_EQ(s.broken(), 37) << s.what();
}

TEST_F(LogChecksTest, time_may_stand_still_in_the_log) {
  auto next = entry(1, 2);
  next.stamp_ms = entry(1, 1).stamp_ms;
  s.write(n2, {next});
  EXPECT_EQ(s.broken(), 0) << s.what();
}

// --- 9: votes

TEST_F(LogChecksTest, a_vote_leaves_after_its_sync) {
  s.vote(n3, 2, n2);
  s.logs.leaving(n3, n2, PeerMessage(grant(2)));
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(LogChecksTest, a_vote_leaves_before_its_sync) {
  LogWrite call;
  call.has_vote = true;
  call.vote = {Term(2), n2};
  s.give(n3, call);
  s.logs.leaving(n3, n2, PeerMessage(grant(2)));
  EXPECT_EQ(s.broken(), 9) << s.what();
}

TEST_F(LogChecksTest, a_vote_leaves_that_was_written_and_not_synced) {
  LogWrite call;
  call.has_vote = true;
  call.vote = {Term(2), n2};
  s.give(n3, call);
  LogStoreSeen seen;
  seen.unsynced = 100;
  s.sync(n3, seen);
  s.logs.leaving(n3, n2, PeerMessage(grant(2)));
  EXPECT_EQ(s.broken(), 9) << s.what();
}

TEST_F(LogChecksTest, two_durable_votes_in_a_term) {
  s.vote(n3, 2, n2);
  s.vote(n3, 2, n1);
  EXPECT_EQ(s.broken(), 9) << s.what();
}

TEST_F(LogChecksTest, two_votes_in_a_term_with_a_restart_between) {
  s.vote(n3, 2, n2);
  s.restart(n3);
  s.vote(n3, 2, n1);
  EXPECT_EQ(s.broken(), 9) << s.what();
}

TEST_F(LogChecksTest, a_candidate_asks_before_its_own_vote_is_durable) {
  s.logs.leaving(n2, n1, PeerMessage(request(2, {Term(1), Index(1)})));
  EXPECT_EQ(s.broken(), 9) << s.what();
}

TEST_F(LogChecksTest, the_durable_term_goes_back) {
  s.vote(n3, 3, n2);
  s.vote(n3, 2, n2);
  EXPECT_EQ(s.broken(), 12) << s.what();
}

// --- 10, 39, 43: promises

TEST_F(LogChecksTest, an_append_is_acknowledged_after_its_sync) {
  s.vote(n3, 1, NodeId{});
  s.replicate(n1, 1, {n3});
  s.logs.leaving(n3, n1, PeerMessage(ack(1, 2)));
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(LogChecksTest, an_append_is_acknowledged_before_its_sync) {
  s.vote(n3, 1, NodeId{});
  s.replicate(n1, 1, {});
  s.give(n3, {entry(1, 2)});
  s.logs.leaving(n3, n1, PeerMessage(ack(1, 2)));
  EXPECT_EQ(s.broken(), 10) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("n3 acknowledges 1/2 to n1"));
  EXPECT_THAT(s.what(), HasSubstr("its synced log ends at 1"));
}

TEST_F(LogChecksTest, another_entry_is_synced_than_is_acknowledged) {
  s.vote(n3, 1, NodeId{});
  s.replicate(n1, 1, {});
  s.write(n3, {entry(3, 2)});
  s.logs.leaving(n3, n1, PeerMessage(ack(1, 2)));
  EXPECT_EQ(s.broken(), 10) << s.what();
}

TEST_F(LogChecksTest, a_rejection_promises_nothing) {
  auto no = ack(1, 0);
  no.success = false;
  s.logs.leaving(n3, n1, PeerMessage(no));
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(LogChecksTest, a_candidate_claims_what_is_not_synced) {
  s.give(n2, {entry(1, 2)});
  s.logs.leaving(n2, n3, PeerMessage(request(2, {Term(1), Index(2)}, true)));
  EXPECT_EQ(s.broken(), 39) << s.what();
}

TEST_F(LogChecksTest, a_candidate_claims_what_is_synced) {
  s.write(n2, {entry(1, 2)});
  s.logs.leaving(n2, n3, PeerMessage(request(2, {Term(1), Index(2)}, true)));
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(LogChecksTest, an_append_is_acknowledged_in_a_term_that_is_not_durable) {
  s.logs.leaving(n3, n1, PeerMessage(ack(1, 1)));  // n3 never wrote term 1
  EXPECT_EQ(s.broken(), 43) << s.what();
}

TEST_F(LogChecksTest, a_heartbeat_is_answered_in_a_term_that_is_not_durable) {
  HeartbeatResponse beat;
  beat.term = Term(1);
  s.logs.leaving(n3, n1, PeerMessage(beat));  // without a clock: to an old leader, no promise
  EXPECT_EQ(s.broken(), 0) << s.what();
  beat.clock_ms = 1;
  s.logs.leaving(n3, n1, PeerMessage(beat));
  EXPECT_EQ(s.broken(), 43) << s.what();
}

// --- 17: pre-votes

TEST_F(LogChecksTest, a_pre_vote_is_granted_and_was_given_in_earnest) {
  s.core(n2).seen.vote = {Term(2), n2};
  s.core(n2).seen.role = raft::Role::candidate;
  s.step(n2);
  s.core(n3).seen.vote = {Term(2), n2};
  s.step(n3);
  s.logs.leaving(n3, n2, PeerMessage(grant(2, true)));
  EXPECT_EQ(s.broken(), 17) << s.what();
}

TEST_F(LogChecksTest, a_pre_vote_is_granted) {
  s.logs.leaving(n3, n2, PeerMessage(grant(2, true)));
  EXPECT_EQ(s.broken(), 0) << s.what();
}

// --- 45, 47: votes are for logs that are as good

TEST_F(LogChecksTest, a_vote_for_a_shorter_log) {
  for (const bool pre_vote : {true, false}) {
    Scene one;
    one.write(n2, {entry(1, 1)});
    one.write(n3, {entry(1, 1), entry(1, 2)});
    one.core(n3).log = {Term(1), Term(1)};
    one.core(n3).seen.last = {Term(1), Index(2)};
    one.step(n3);
    one.vote(n2, 2, n2);
    one.logs.leaving(n2, n3, PeerMessage(request(2, {Term(1), Index(1)}, pre_vote)));
    one.vote(n3, 2, n2);
    one.logs.leaving(n3, n2, PeerMessage(grant(2, pre_vote)));
    EXPECT_EQ(one.broken(), pre_vote ? 45 : 47) << one.what();
  }
}

TEST_F(LogChecksTest, a_vote_for_a_log_of_the_same_length) {
  s.write(n2, {entry(1, 1)});
  s.write(n3, {entry(1, 1)});
  s.core(n3).log = {Term(1)};
  s.core(n3).seen.last = {Term(1), Index(1)};
  s.step(n3);
  s.vote(n2, 2, n2);
  s.logs.leaving(n2, n3, PeerMessage(request(2, {Term(1), Index(1)})));
  s.vote(n3, 2, n2);
  s.logs.leaving(n3, n2, PeerMessage(grant(2)));
  EXPECT_EQ(s.broken(), 0) << s.what();
}

// --- 27: recovery

TEST_F(LogChecksTest, what_was_synced_is_recovered) {
  s.vote(n2, 2, n3);
  s.restart(n2);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(LogChecksTest, what_was_not_synced_may_survive_or_not) {
  for (const bool survives : {false, true}) {
    Scene one;
    one.write(n2, {entry(1, 1)});
    LogStoreSeen dirty;
    dirty.unsynced = 10;
    one.give(n2, {entry(1, 2)});
    one.sync(n2, dirty);
    auto found = one.found(n2);
    if (survives)
      found.last = {Term(1), Index(2)};
    one.restart(n2, found, InstanceId(2));
    EXPECT_EQ(one.broken(), 0) << one.what();
    EXPECT_EQ(one.ledger.disk(n2).last(), Index(survives ? 2 : 1));
  }
}

TEST_F(LogChecksTest, a_synced_entry_is_not_recovered) {
  s.write(n2, {entry(1, 2)});
  auto found = s.found(n2);
  found.last = {Term(1), Index(1)};
  s.restart(n2, found, InstanceId(2));
  EXPECT_EQ(s.broken(), 27) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("last 1/1"));
  EXPECT_THAT(s.what(), HasSubstr("last 1/2"));
}

TEST_F(LogChecksTest, a_synced_vote_is_not_recovered) {
  s.vote(n2, 2, n3);
  auto found = s.found(n2);
  found.vote.voted_for = {};
  s.restart(n2, found, InstanceId(2));
  EXPECT_EQ(s.broken(), 27) << s.what();
}

TEST_F(LogChecksTest, a_removed_entry_comes_back) {
  s.write(n2, {entry(1, 2)});
  const auto before = s.found(n2);
  s.write(n2, {entry(2, 2)}, Index(2));
  s.restart(n2, before, InstanceId(2));
  EXPECT_EQ(s.broken(), 27) << s.what();
}

TEST_F(LogChecksTest, a_wiped_disk_recovers_nothing) {
  s.logs.harmed(n2, "wipe");
  raft::Restored nothing;
  nothing.memberships.emplace_back(LogId{}, s.membership);
  s.restart(n2, nothing, InstanceId(22));
  EXPECT_EQ(s.broken(), 0) << s.what();
}

// --- 28: syncs that failed

TEST_F(LogChecksTest, the_store_is_poisoned_by_a_failed_sync) {
  s.give(n2, {entry(1, 2)});
  LogStoreSeen seen;
  seen.poisoned = true;
  seen.failed_syncs = 1;
  s.sync(n2, seen);
  EXPECT_EQ(s.broken(), 0) << s.what();
  EXPECT_EQ(s.ledger.holders(Index(2), Term(1)), 0u);
}

TEST_F(LogChecksTest, the_store_tries_again_and_believes_the_second_sync) {
  s.give(n2, {entry(1, 2)});
  LogStoreSeen seen;
  seen.failed_syncs = 1;
  s.sync(n2, seen);
  EXPECT_EQ(s.broken(), 28) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("though its sync failed"));
}

TEST_F(LogChecksTest, a_failed_sync_is_forgotten_with_the_process) {
  s.give(n2, {entry(1, 2)});
  LogStoreSeen seen;
  seen.poisoned = true;
  seen.failed_syncs = 1;
  s.sync(n2, seen);
  s.restart(n2);
  s.write(n2, {entry(1, 2)});
  EXPECT_EQ(s.broken(), 0) << s.what();
}

// --- 32, 33: calls

TEST_F(LogChecksTest, a_call_comes_twice) {
  LogWrite call;
  call.stamp = {1, 100};
  s.logs.call(n3, 1, call);
  s.logs.call(n3, 1, call);
  EXPECT_EQ(s.broken(), 32) << s.what();
}

TEST_F(LogChecksTest, a_write_of_the_core_is_left_out) {
  LogWrite call;
  call.stamp = {1, 100};
  call.write = 77;
  s.logs.call(n3, 1, call);
  EXPECT_EQ(s.broken(), 32) << s.what();
}

TEST_F(LogChecksTest, a_call_of_an_earlier_life_is_taken) {
  LogWrite call;
  call.stamp = {0, 100};
  s.logs.call(n3, 1, call);
  EXPECT_EQ(s.broken(), 33) << s.what();
}

// --- 38: instances

TEST_F(LogChecksTest, peers_are_bound_to_who_they_are) {
  LogWrite call;
  call.has_binding = true;
  call.binding = {n2, InstanceId(2)};
  s.give(n3, call);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(LogChecksTest, a_peer_is_bound_to_an_instance_it_never_was) {
  LogWrite call;
  call.has_binding = true;
  call.binding = {n2, InstanceId(99)};
  s.give(n3, call);
  EXPECT_EQ(s.broken(), 38) << s.what();
}

TEST_F(LogChecksTest, a_peer_is_bound_anew_after_a_wipe) {
  LogWrite call;
  call.has_binding = true;
  call.binding = {n2, InstanceId(2)};
  s.give(n3, call);
  s.logs.harmed(n2, "wipe");
  raft::Restored nothing;
  nothing.memberships.emplace_back(LogId{}, s.membership);
  s.restart(n2, nothing, InstanceId(22));
  call.binding = {n2, InstanceId(22)};
  s.give(n3, call);
  EXPECT_EQ(s.broken(), 38) << s.what();
}

TEST_F(LogChecksTest, a_node_changes_its_instance) {
  s.restart(n2, s.found(n2), InstanceId(22));
  EXPECT_EQ(s.broken(), 38) << s.what();
}

}  // namespace
}  // namespace kiwi::lab::invariants::test
