// Reads without a round: thesis 6.4.1, docs/reads.md. R02, R03, R04, R09 and R14 are numbers of the list of
// faults (docs/lab-coverage.md).

#include <gtest/gtest.h>

#include "tests/unit/raft/changing_cluster.hpp"
#include "tests/unit/raft/lease_stories.hpp"

namespace kiwi::raft::lease {
namespace {

class NeverWithLeases : public testing::TestWithParam<Story> {};
TEST_P(NeverWithLeases, ItHappens) { EXPECT_FALSE(GetParam().happens()); }
INSTANTIATE_TEST_SUITE_P(Stories, NeverWithLeases, testing::ValuesIn(kStories),
                         [](const auto& row) { return std::string(row.param.mutant); });

// --- The leader

TEST(Lease, AReadNeedsNoRoundWhileItHolds) {
  Timed n = leader();
  n.forget();
  EXPECT_TRUE(n.serves_at_once());
  EXPECT_TRUE(n.sent.empty());
  EXPECT_EQ(n.core.counters().lease_reads, 1u);
  EXPECT_EQ(n.core.counters().read_rounds, 0u);
}

TEST(Lease, HeartbeatsThatAreAnsweredRenewIt) {
  Timed n = leader();
  for (int i = 0; i < 100; ++i) {
    n.live(1);
    n.beat(3, n.round(3));
    ASSERT_TRUE(n.serves_at_once()) << i;
  }
  EXPECT_EQ(n.core.counters().read_rounds, 0u);
}

TEST(Lease, ItEndsAnEighthBeforeThePromise) {
  Timed n = leader();
  const std::uint64_t sent_at = n.steady_ms;
  n.pass(kLeaseMs - 1);
  EXPECT_TRUE(n.core.lease_holds());
  n.pass(2);
  EXPECT_FALSE(n.core.lease_holds()) << "sent at " << sent_at;
}

TEST(Lease, R02ALeaderThatSleptServesNothingFromItsMailbox) {
  Timed n = leader();
  n.forget();
  n.pass(kLeaseMs + 1);  // no ticks: it did not notice
  EXPECT_FALSE(n.serves_at_once());
  EXPECT_FALSE(n.serves_at_once());
  ASSERT_EQ(n.got<HeartbeatRequest>(2).size(), 1u) << "they ask as without leases";
  HeartbeatResponse later;
  later.term = n.core.term() + 1;
  n.step(2, later);
  EXPECT_EQ(n.failed.size(), 2u) << "a successor was elected meanwhile";
  EXPECT_TRUE(n.reads.empty());
}

TEST(Lease, R02AnswersThatComeAfterTheSleepAreOldToo) {
  Timed n = leader();
  n.live(2);
  const std::uint64_t round = n.round();
  n.pass(kPromiseMs);
  n.beat(2, round);  // was in the mailbox, before the reads
  EXPECT_FALSE(n.serves_at_once());
}

TEST(Lease, WithoutOneReadsWaitForTheRoundAndKeepTheirOrder) {
  Timed n = leader();
  n.pass(kPromiseMs);
  ASSERT_FALSE(n.serves_at_once());
  n.live(2);
  n.beat(3, n.round(3));
  ASSERT_EQ(n.reads.size(), 1u) << "the round that brought the lease back began after the read came";
  EXPECT_TRUE(n.serves_at_once());
  EXPECT_EQ(n.reads[0].token + 1, n.reads[1].token);
}

TEST(Lease, AReadThatFindsALeaseTakesThoseThatWaitAlong) {
  Timed n = leader();
  n.live(2);
  const std::uint64_t round = n.round();  // on its way
  n.pass(kLeaseMs - 10);                  // the lease of before is over, this one's is not
  ASSERT_FALSE(n.serves_at_once());
  n.beat(2, round);
  ASSERT_EQ(n.reads.size(), 1u) << "nobody leads now, so nobody led when it came";
  EXPECT_TRUE(n.serves_at_once());
}

TEST(Lease, R14ANewLeaderHasNoneBeforeARoundOfItsTermIsAnswered) {
  Timed n(1, 3, {1, 1}, 1);
  n.stand();
  n.win(2);
  n.sync();
  EXPECT_FALSE(n.serves_at_once());
  n.beat(2, n.round());
  EXPECT_FALSE(n.core.lease_holds()) << "its no-op is not committed";
  n.ack(2, 3);
  EXPECT_TRUE(n.core.lease_holds());

  HeartbeatResponse later;  // it is deposed, and wins again within that lease
  later.term = n.core.term() + 1;
  n.step(2, later);
  n.sync();
  EXPECT_FALSE(n.core.lease_holds());
  TimeoutNowRequest stand;
  stand.term = n.core.term();
  HeartbeatRequest beat;
  beat.term = n.core.term();
  n.step(3, beat);
  n.sync();
  n.step(3, stand);
  n.sync();
  VoteResponse yes;
  yes.granted = true;
  yes.term = n.core.term();
  n.step(3, yes);
  ASSERT_EQ(n.core.role(), Role::leader);
  n.sync();
  AppendResponse level;  // to an append that carried no round
  level.term = n.core.term();
  level.success = true;
  level.match = n.core.last_log_id().index;
  level.sequence = n.got<AppendRequest>(3).back().sequence;
  n.step(3, level);
  ASSERT_TRUE(n.core.leader_ready());
  EXPECT_FALSE(n.core.lease_holds()) << "what an earlier leadership had counts for nothing";
  n.beat(3, n.round(3));
  EXPECT_TRUE(n.core.lease_holds());
}

TEST(Lease, OneAnswerOfFiveIsNotEnough) {
  Timed n = leader(5);
  n.pass(kPromiseMs);
  n.live(2);
  n.beat(2, n.round());
  EXPECT_FALSE(n.core.lease_holds());
  n.beat(3, n.round());
  EXPECT_TRUE(n.core.lease_holds());
}

TEST(Lease, LearnersDoNotCountAndBothHalvesOfAJointMembershipDo) {
  Timed n = leader();
  ASSERT_TRUE(n.core.change_membership(replace_node(3, 4)));
  n.take();
  n.sync();
  for (std::uint64_t id : {2, 3}) n.ack(id, 2);
  n.pass(kPromiseMs);
  n.live(2);
  n.beat(4, n.round(4));
  EXPECT_FALSE(n.core.lease_holds()) << "node 4 is a learner";

  for (int i = 0; i < 40 && !n.core.membership().joint(); ++i) {
    n.live(1);
    n.beat(2, 0);
    n.beat(4, 0);
    n.ack(4, 2);
  }
  ASSERT_TRUE(n.core.membership().joint()) << "1 2 4, and 1 2 3 still";
  n.pass(kPromiseMs);
  n.live(2);
  n.beat(4, n.round(4));
  EXPECT_FALSE(n.core.lease_holds()) << "not a majority of the old half";
  n.beat(3, n.round(3));
  EXPECT_TRUE(n.core.lease_holds());
}

TEST(Lease, ALeaderThatIsNoVoterAnyMoreHasNone) {
  Timed n = leader();
  ASSERT_TRUE(n.core.change_membership(remove_node(1)));
  n.take();
  for (int i = 0; i < 5 && n.core.membership().is_voter(NodeId(1)); ++i) {
    n.sync();
    for (std::uint64_t id : {2, 3}) n.ack(id, n.core.last_log_id().index.value);
    EXPECT_TRUE(n.core.lease_holds() || !n.core.membership().is_voter(NodeId(1)));
  }
  ASSERT_FALSE(n.core.membership().is_voter(NodeId(1)));
  ASSERT_EQ(n.core.role(), Role::leader) << "until that is committed";
  EXPECT_FALSE(n.core.lease_holds()) << "who is left may be a sole voter, which asks nobody";
}

TEST(Lease, AnOnlyVoterAnswersItself) {
  Timed n(1, 1, {}, 0);
  n.live(1);
  n.sync();
  n.core.applied(Index(1));
  n.live(2);
  EXPECT_TRUE(n.serves_at_once());
}

// --- Transfers

TEST(Lease, R03ItIsOffFromTheBeginningOfATransfer) {
  Timed n = leader();
  ASSERT_TRUE(n.core.propose(EntryKind::command, Bytes::copy_of("a")));
  n.take();
  ASSERT_TRUE(n.core.transfer_leadership(NodeId(2)));
  n.take();
  ASSERT_TRUE(n.got<TimeoutNowRequest>().empty()) << "the target is not level";
  EXPECT_FALSE(n.serves_at_once());
}

TEST(Lease, R03OnceTheTargetWasAskedItIsOffForTheTerm) {
  Timed n = leader();
  ASSERT_TRUE(n.core.transfer_leadership(NodeId(2)));
  n.take();
  ASSERT_EQ(n.got<TimeoutNowRequest>(2).size(), 1u);
  for (int i = 0; i < 25; ++i) {  // it is given up, and heartbeats are answered as ever
    n.live(1);
    n.beat(3, n.round(3));
    n.beat(2, n.round(2));
  }
  ASSERT_FALSE(n.core.transferring());
  ASSERT_EQ(n.core.role(), Role::leader);
  EXPECT_FALSE(n.serves_at_once()) << "the question may still arrive";
  n.live(2);
  n.beat(3, n.round(3));
  EXPECT_EQ(n.reads.size(), 1u) << "by a round";
}

TEST(Lease, R03ATransferThatAskedNobodyCostsNothing) {
  Timed n = leader();
  ASSERT_TRUE(n.core.propose(EntryKind::command, Bytes::copy_of("a")));
  n.take();
  ASSERT_TRUE(n.core.transfer_leadership(NodeId(2)));
  for (int i = 0; i < 25; ++i) {
    n.live(1);
    n.beat(3, n.round(3));
  }
  ASSERT_FALSE(n.core.transferring());
  ASSERT_TRUE(n.got<TimeoutNowRequest>().empty());
  EXPECT_TRUE(n.core.lease_holds());
}

// --- The voters

TEST(Promise, R09AVoterThatHeardItsLeaderVotesForNobodyElse) {
  Timed n = follower();
  n.pass(kPromiseMs - 1);
  EXPECT_FALSE(votes(n));
  EXPECT_FALSE(votes(n, true));
  n.pass(1);
  n.live(10);  // its ticks have come, too
  EXPECT_TRUE(votes(n, true));
  EXPECT_TRUE(votes(n));
}

TEST(Promise, R09ItHoldsAlsoInATermThatWasLearnedElsewhere) {
  Timed n = follower();
  HeartbeatResponse late;  // to a leadership of long ago; from somebody who is ahead
  late.term = n.core.term() + 3;
  n.step(3, late);
  n.sync();
  ASSERT_EQ(n.core.leader(), NodeId(0));
  EXPECT_FALSE(votes(n)) << "node 1 may not know that term, and counts on its lease";
  n.forget();
  n.step(3, vote_request(n.core.term().value, at(9, 9)));
  n.sync();
  EXPECT_FALSE(n.got<VoteResponse>(3).at(0).granted) << "nor in that very term";
}

TEST(Promise, R09ABurstOfTicksEndsNoPromise) {
  Timed n = follower();
  n.tick(100);
  EXPECT_EQ(n.core.role(), Role::follower) << "it does not stand either";
  EXPECT_FALSE(votes(n));
  EXPECT_FALSE(votes(n, true));
  n.pass(kPromiseMs);
  n.tick();
  EXPECT_EQ(n.core.role(), Role::pre_candidate);
}

TEST(Promise, WhoWasAskedToStandByTheLeaderGetsItsVotes) {
  Timed n = follower();
  EXPECT_TRUE(votes(n, false, true));

  Timed target = follower();
  TimeoutNowRequest stand;
  stand.term = target.core.term();
  target.step(1, stand);
  EXPECT_EQ(target.core.role(), Role::candidate);
}

TEST(Promise, R14ARestartedVoterKeepsWhatItMayHavePromised) {
  Timed n(2, 3, {1, 1}, 1);
  n.pass(kPromiseMs - 1);
  EXPECT_FALSE(votes(n));
  EXPECT_FALSE(votes(n, true));
  EXPECT_TRUE(votes(n, false, true)) << "but in a transfer";

  Timed late(2, 3, {1, 1}, 1);
  late.pass(kPromiseMs);
  EXPECT_TRUE(votes(late, true));
  EXPECT_TRUE(votes(late));
}

TEST(Promise, WhoNeverHeardALeaderPromisedNothing) {
  Timed n(2, 3, {}, 0);
  EXPECT_TRUE(votes(n));
}

TEST(Promise, WithoutLeasesNothingChanges) {
  Lone voter(2, 3, {1, 1}, 1);
  voter.step(3, vote_request(2, at(9, 9)));
  voter.sync();
  EXPECT_TRUE(voter.got<VoteResponse>(3).at(0).granted) << "also right after a restart";

  Lone n(1, 3, {}, 0);
  n.win(2);
  n.sync();
  n.ack(2, 1);
  n.forget();
  n.tick(4);
  n.beat(2, 0);
  EXPECT_EQ(n.got<HeartbeatRequest>(2).back().round, 0u) << "heartbeats begin no rounds";
  ASSERT_TRUE(n.core.read(1, Index(0)));
  n.take();
  EXPECT_TRUE(n.reads.empty());
  EXPECT_FALSE(n.core.lease_holds());
}

}  // namespace
}  // namespace kiwi::raft::lease
