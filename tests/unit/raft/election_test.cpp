// Raft 5.2, 5.4.1; thesis 4.2.3, 6.2, 9.6. One node against forged messages.

#include <gtest/gtest.h>

#include "tests/unit/raft/broken_invariant.hpp"
#include "tests/unit/raft/lone.hpp"

namespace kiwi::raft {
namespace {

TEST(Election, ASilentFollowerAsksFirstThenCampaignsThenLeads) {
  Lone n(1, 3, {1, 1}, 1);
  n.tick(9);
  EXPECT_EQ(n.core.role(), Role::follower) << "no time-out is shorter than the minimum";
  n.tick(11);
  EXPECT_EQ(n.core.role(), Role::pre_candidate);
  EXPECT_EQ(n.core.term(), Term(1)) << "a pre-vote changes no term";
  EXPECT_TRUE(n.writes.empty()) << "nor anything else that is durable";
  const auto asked = n.got<VoteRequest>(2);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_TRUE(asked[0].pre_vote);
  EXPECT_EQ(asked[0].term, Term(2));
  EXPECT_EQ(asked[0].last_log_id, at(1, 2));

  n.forget();
  n.step(3, vote_response(2, true, true));
  EXPECT_EQ(n.core.role(), Role::candidate);
  EXPECT_EQ(n.core.vote(), (Vote{Term(2), NodeId(1)}));
  EXPECT_TRUE(n.sent.empty()) << "rule 2: not before the own vote is durable";
  n.sync();
  ASSERT_EQ(n.got<VoteRequest>().size(), 2u);
  n.step(2, vote_response(2, true, false));
  EXPECT_EQ(n.core.role(), Role::leader);
  EXPECT_EQ(n.core.last_log_id(), at(2, 3)) << "the no-op of the new term (Raft 8)";
  EXPECT_FALSE(n.core.leader_ready());
}

TEST(Election, OneVotePerTermAndItWaitsForTheDisk) {
  Lone n(1, 3, {1}, 1);
  n.step(2, vote_request(2, at(1, 1)));
  EXPECT_TRUE(n.sent.empty()) << "rule 2";
  n.step(3, vote_request(2, at(1, 9)));
  ASSERT_EQ(n.sent.size(), 1u) << "a refusal promises nothing";
  EXPECT_FALSE(n.got<VoteResponse>(3).at(0).granted);
  n.sync();
  ASSERT_EQ(n.got<VoteResponse>(2).size(), 1u);
  EXPECT_TRUE(n.got<VoteResponse>(2)[0].granted);
  n.step(2, vote_request(2, at(1, 1)));
  EXPECT_EQ(n.got<VoteResponse>(2).size(), 2u) << "asked again, it says so again";
  EXPECT_EQ(n.core.counters().votes_granted, 1u);
}

TEST(Election, ARestartedNodeKnowsItsVote) {
  Lone n(1, 3, {1}, 5, 2);
  n.step(3, vote_request(5, at(1, 1)));
  EXPECT_FALSE(n.got<VoteResponse>(3).at(0).granted);
  n.step(2, vote_request(5, at(1, 1)));
  EXPECT_TRUE(n.got<VoteResponse>(2).at(0).granted);
}

TEST(Election, TheBetterLogIsByLastTermThenByLength) {
  for (const auto& [candidate, expected] : std::vector<std::pair<LogId, bool>>{
           {at(2, 3), true}, {at(2, 2), false}, {at(1, 99), false}, {at(3, 1), true}, {at(2, 4), true}}) {
    Lone n(1, 3, {1, 2, 2}, 3);
    n.step(2, vote_request(4, candidate));
    n.sync();
    EXPECT_EQ(n.got<VoteResponse>(2).at(0).granted, expected) << to_string(candidate);
    Lone p(1, 3, {1, 2, 2}, 3);
    p.step(2, vote_request(4, candidate, true));
    EXPECT_EQ(p.got<VoteResponse>(2).at(0).granted, expected) << "pre-vote " << to_string(candidate);
    EXPECT_TRUE(p.writes.empty());
    EXPECT_EQ(p.core.term(), Term(3));
  }
}

TEST(Election, WhoHearsALeaderRefusesPreVotesAndVotesAndLearnsNoTerm) {
  Lone n(1, 3, {1}, 1);
  n.step(2, heartbeat(1));
  n.forget();
  n.tick(9);
  n.step(3, vote_request(2, at(1, 5), true));
  n.step(3, vote_request(7, at(1, 5)));
  ASSERT_EQ(n.got<VoteResponse>(3).size(), 2u);
  for (const auto& r : n.got<VoteResponse>(3)) {
    EXPECT_FALSE(r.granted);
    EXPECT_EQ(r.term, Term(1));
  }
  EXPECT_EQ(n.core.term(), Term(1));
  EXPECT_EQ(n.core.leader(), NodeId(2));
  n.step(3, vote_request(2, at(1, 5), false, true));
  n.sync();
  EXPECT_TRUE(n.got<VoteResponse>(3).at(2).granted) << "a transfer is the leader's own wish (thesis 3.10)";
}

TEST(Election, AfterTheMinimumTimeOutTheLeaderCountsAsGone) {
  Options o = Lone::options(1);
  o.election_ticks_max = 40;
  Lone n(o, restored({1}, {Term(1), NodeId(0)}, voters(3)));
  n.step(2, heartbeat(1));
  n.forget();
  n.tick(10);
  n.step(3, vote_request(2, at(1, 1), true));
  EXPECT_TRUE(n.got<VoteResponse>(3).at(0).granted);
}

TEST(Election, AStaleNodeIsAnsweredWithTheTerm) {
  Lone n(1, 3, {1}, 6);
  n.step(2, vote_request(3, at(1, 1)));
  n.step(2, vote_request(3, at(1, 1), true));
  n.step(2, append(3, at(1, 1), {entry(3, 2)}));
  n.step(2, heartbeat(3));
  InstallSnapshotRequest snapshot;
  snapshot.term = Term(3);
  n.step(2, snapshot);
  TimeoutNowRequest now;
  now.term = Term(3);
  n.step(2, now);
  ASSERT_EQ(n.sent.size(), 6u);
  for (const auto& o : n.sent) EXPECT_EQ(term_of(o.message), Term(6));
  EXPECT_EQ(n.core.last_log_id(), at(1, 1));
  EXPECT_EQ(n.core.role(), Role::follower);
}

TEST(Election, T05AVoteOfAnEarlierCampaignDoesNotCount) {
  Lone n(1, 5, {1}, 1);
  const auto campaign = [&] {
    while (n.core.role() != Role::pre_candidate) n.tick();
    n.step(2, vote_response(n.core.term().value + 1, true, true));
    n.step(3, vote_response(n.core.term().value + 1, true, true));
    n.sync();
  };
  campaign();
  ASSERT_EQ(n.core.term(), Term(2));
  n.step(2, vote_response(2, true, false));
  campaign();
  ASSERT_EQ(n.core.role(), Role::candidate);
  ASSERT_EQ(n.core.term(), Term(3));
  n.step(4, vote_response(2, true, false));
  n.step(5, vote_response(2, true, false));
  n.step(2, vote_response(3, true, false));
  EXPECT_EQ(n.core.role(), Role::candidate) << "only one vote and the own one are of this term";
  n.step(2, vote_response(3, true, false));
  EXPECT_EQ(n.core.role(), Role::candidate) << "the same vote twice is one vote";
  n.step(4, vote_response(3, true, false));
  EXPECT_EQ(n.core.role(), Role::leader);
}

TEST(Election, T06ALatePreVoteIsNoVote) {
  Lone n(1, 5, {1}, 1);
  while (n.core.role() != Role::pre_candidate) n.tick();
  n.step(2, vote_response(2, true, true));
  n.step(3, vote_response(2, true, true));
  n.sync();
  ASSERT_EQ(n.core.role(), Role::candidate);
  n.step(4, vote_response(2, true, true));
  n.step(5, vote_response(2, true, true));
  n.step(3, vote_response(3, true, true));
  EXPECT_EQ(n.core.role(), Role::candidate);
  EXPECT_EQ(n.core.vote(), (Vote{Term(2), NodeId(1)}));
}

TEST(Election, T06APreVoteOfAnEarlierRoundDoesNotCountInALaterOne) {
  Lone n(1, 3, {1}, 1);
  const auto ask = [&] {
    n.forget();
    while (n.got<VoteRequest>(2).empty()) n.tick();
    return n.got<VoteRequest>(2).at(0).round;
  };
  const std::uint64_t first = ask();
  const std::uint64_t second = ask();
  ASSERT_NE(first, second);
  VoteResponse yes = vote_response(2, true, true);
  yes.round = first;
  n.step(2, yes);
  EXPECT_EQ(n.core.role(), Role::pre_candidate) << "node 2 may hear a leader by now";
  EXPECT_EQ(n.core.term(), Term(1));
  VoteResponse no = vote_response(7, false, true);
  no.round = first;
  Lone behind = n;
  behind.step(3, no);
  EXPECT_EQ(behind.core.term(), Term(7)) << "a term is true for ever";
  yes.round = second;
  n.step(2, yes);
  EXPECT_EQ(n.core.role(), Role::candidate);

  Lone voter(2, 3, {1}, 1);
  VoteRequest asked = vote_request(2, at(1, 1), true);
  asked.round = 77;
  voter.step(1, asked);
  EXPECT_EQ(voter.got<VoteResponse>(1).at(0).round, 77u);
}

TEST(Election, T07PreVotesOfAHigherTermDisturbNobody) {
  Lone leader(1, 3, {}, 0);
  leader.win(2);
  leader.ack(2, 1);
  const Vote vote = leader.core.vote();
  leader.sync();
  leader.step(3, vote_request(99, at(50, 50), true));
  leader.step(3, vote_response(99, true, true));
  leader.step(3, vote_response(99, false, true));
  EXPECT_EQ(leader.core.role(), Role::leader);
  EXPECT_EQ(leader.core.vote(), vote);
  EXPECT_TRUE(leader.writes.empty());
  EXPECT_FALSE(leader.got<VoteResponse>(3).at(0).granted);

  Lone follower(1, 3, {1}, 1);
  follower.step(3, vote_request(99, at(50, 50), true));
  EXPECT_TRUE(follower.got<VoteResponse>(3).at(0).granted);
  EXPECT_EQ(follower.got<VoteResponse>(3).at(0).term, Term(99)) << "a grant echoes what was asked";
  EXPECT_EQ(follower.core.vote(), (Vote{Term(1), NodeId(0)}));
  EXPECT_TRUE(follower.writes.empty());
}

TEST(Election, ANodeThatFellBehindLearnsTheTermFromARefusedPreVote) {
  Lone n(1, 3, {1}, 1);
  while (n.core.role() != Role::pre_candidate) n.tick();
  n.step(2, vote_response(8, false, true));
  EXPECT_EQ(n.core.term(), Term(8));
  n.sync();
  n.forget();
  n.tick(41);
  EXPECT_EQ(n.got<VoteRequest>(2).at(0).term, Term(9));
}

TEST(Election, T08ACandidateStandsWithTheLogThatIsOnItsDisk) {
  Lone n(1, 3, {1}, 1);
  n.step(2, append(1, at(1, 1), {entry(1, 2), entry(1, 3)}));
  ASSERT_EQ(n.writes.size(), 1u) << "being written";
  while (n.core.role() != Role::pre_candidate) n.tick();
  EXPECT_EQ(n.got<VoteRequest>(3).at(0).last_log_id, at(1, 1));
  n.forget();
  n.step(3, vote_response(2, true, true));
  EXPECT_TRUE(n.sent.empty());
  n.sync(1);
  EXPECT_TRUE(n.sent.empty()) << "the entries are durable, the vote is not";
  n.sync(1);
  EXPECT_EQ(n.got<VoteRequest>(3).at(0).last_log_id, at(1, 3)) << "one stream: by now they are durable";
}

TEST(Election, T12AHigherTermAndAShorterLogSentToALeader) {
  Lone n(1, 3, {}, 0);
  n.win(2);
  n.core.propose(EntryKind::command, Bytes::copy_of("x"));
  n.take();
  n.step(3, vote_request(9, at(0, 0)));
  EXPECT_EQ(n.core.term(), Term(9));
  EXPECT_EQ(n.core.role(), Role::follower);
  EXPECT_TRUE(n.lost_leadership);
  EXPECT_FALSE(n.got<VoteResponse>(3).at(0).granted);
  EXPECT_EQ(n.core.last_log_id(), at(1, 2));
}

TEST(Election, T13TwoLeadersInOneTermStopTheNode) {
  Lone leader(1, 3, {}, 0);
  leader.win(2);
  EXPECT_THROW(leader.step(3, append(1, at(0, 0), {})), BrokenInvariant);
  Lone again(1, 3, {}, 0);
  again.win(2);
  EXPECT_THROW(again.step(3, heartbeat(1)), BrokenInvariant);
  Lone follower(1, 3, {1}, 1);
  follower.step(2, heartbeat(1));
  EXPECT_THROW(follower.step(3, heartbeat(1)), BrokenInvariant);
}

TEST(Election, T16ANodeWhoseDiskHangsStandsOnceAndDrivesNoTermUp) {
  Lone n(1, 3, {1}, 1);
  for (int i = 0; i < 1000; ++i) {
    n.tick();
    n.step(2, vote_response(n.core.term().value + 1, true, true));
  }
  EXPECT_EQ(n.core.term(), Term(2));
  EXPECT_TRUE(n.got<VoteRequest>(3).back().pre_vote) << "no vote is asked for, none is given";
  n.step(3, vote_request(5, at(1, 1)));
  EXPECT_TRUE(n.got<VoteResponse>(3).empty());
  n.sync();
  EXPECT_TRUE(n.got<VoteResponse>(3).at(0).granted);
}

TEST(Election, ACandidateGivesTheVotersAWholeTimeOutHoweverLateItsDiskIs) {
  Lone waiting(1, 3, {1}, 1);
  while (waiting.core.role() != Role::pre_candidate) waiting.tick();
  waiting.step(2, vote_response(2, true, true));
  ASSERT_EQ(waiting.core.role(), Role::candidate);
  for (int hung = 0; hung < 100; ++hung) {
    Lone n = waiting;
    n.sync();
    ASSERT_EQ(n.got<VoteRequest>(2).back().pre_vote, false);
    n.tick(9);
    EXPECT_EQ(n.core.role(), Role::candidate) << "after " << hung << " ticks of waiting for the disk";
    n.tick(11);
    EXPECT_EQ(n.core.role(), Role::pre_candidate) << "nobody answered";
    waiting.tick();
  }
}

TEST(Election, T17AnOldAppendAfterAVoteForANewerTerm) {
  Lone n(1, 3, {1}, 1);
  n.step(3, vote_request(5, at(1, 1)));
  n.step(2, append(4, at(1, 1), {entry(4, 2)}));
  n.sync();
  EXPECT_EQ(n.core.vote(), (Vote{Term(5), NodeId(3)}));
  EXPECT_EQ(n.core.last_log_id(), at(1, 1));
  EXPECT_EQ(n.got<AppendResponse>(2).at(0).term, Term(5));
  EXPECT_FALSE(n.got<AppendResponse>(2).at(0).success);
}

TEST(Election, T11AnIsolatedNodeInflatesNoTerm) {
  Lone n(1, 3, {1}, 1);
  n.tick(20'000);
  EXPECT_EQ(n.core.term(), Term(1));
  EXPECT_GT(n.core.counters().pre_votes_started, 900u);
  n.step(2, heartbeat(1));
  EXPECT_EQ(n.core.role(), Role::follower);
  EXPECT_EQ(n.core.leader(), NodeId(2));
}

TEST(Election, CheckQuorumALeaderThatHearsNobodyStepsDown) {
  Lone n(1, 3, {}, 0);
  n.win(2);
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.tick(20);
  EXPECT_EQ(n.core.role(), Role::leader);
  n.tick(1);
  EXPECT_EQ(n.core.role(), Role::follower);
  EXPECT_EQ(n.core.term(), Term(1));
  EXPECT_EQ(n.failed, std::vector<std::uint64_t>{7});
  EXPECT_TRUE(n.lost_leadership);
  EXPECT_EQ(n.core.propose(EntryKind::command, {}).error(), Refusal::not_leader);
}

TEST(Election, CheckQuorumOneOfTwoOthersIsEnough) {
  Lone n(1, 3, {}, 0);
  n.win(2);
  for (int i = 0; i < 100; ++i) {
    n.tick();
    n.beat(3, 0);
  }
  EXPECT_EQ(n.core.role(), Role::leader);
}

TEST(Election, TheOnlyVoterLeadsAfterOneTickAndItsDisk) {
  Lone n(1, 1, {}, 0);
  n.tick();
  EXPECT_EQ(n.core.role(), Role::candidate);
  n.sync(1);
  EXPECT_EQ(n.core.role(), Role::leader);
  EXPECT_FALSE(n.core.leader_ready());
  n.sync(1);
  EXPECT_TRUE(n.core.leader_ready());
  ASSERT_EQ(n.applied.size(), 1u);
  n.core.applied(Index(1));
  EXPECT_TRUE(n.core.caught_up_once());
}

TEST(Election, BootstrapMakesAClusterOfOne) {
  Lone n(Lone::options(4), Restored{});
  EXPECT_FALSE(n.core.has_cluster());
  n.tick(100);
  EXPECT_EQ(n.core.role(), Role::follower);
  n.core.bootstrap(membership_of({{NodeId(4), {}}}));
  n.tick();
  n.sync();
  EXPECT_EQ(n.core.role(), Role::leader);
  EXPECT_TRUE(n.core.leader_ready());
}

TEST(Election, ALearnerNeverStands) {
  Membership m = voters(3);
  m.voters = {NodeId(2), NodeId(3)};
  m.learners = {NodeId(1)};
  Lone n(Lone::options(1), restored({1}, {Term(1), NodeId(0)}, m));
  n.tick(1000);
  EXPECT_EQ(n.core.role(), Role::learner);
  EXPECT_TRUE(n.sent.empty());
}

TEST(Election, AJointElectionNeedsBothHalvesAndNoLearner) {
  Membership m = voters(6);
  m.voters = {NodeId(1), NodeId(2), NodeId(3)};
  m.outgoing_voters = {NodeId(1), NodeId(4), NodeId(5)};
  m.learners = {NodeId(6)};
  Lone n(Lone::options(1), restored({1}, {Term(1), NodeId(0)}, m));
  while (n.core.role() != Role::pre_candidate) n.tick();
  EXPECT_TRUE(n.got<VoteRequest>(6).empty());
  n.step(2, vote_response(2, true, true));
  n.step(3, vote_response(2, true, true));
  n.step(6, vote_response(2, true, true));
  EXPECT_EQ(n.core.role(), Role::pre_candidate);
  n.step(5, vote_response(2, true, true));
  n.sync();
  ASSERT_EQ(n.core.role(), Role::candidate);
  n.step(4, vote_response(2, true, false));
  n.step(5, vote_response(2, true, false));
  EXPECT_EQ(n.core.role(), Role::candidate);
  n.step(3, vote_response(2, true, false));
  EXPECT_EQ(n.core.role(), Role::leader);
}

TEST(Election, TimeoutNowCountsOnlyFromTheLeaderOfTheTerm) {
  Lone n(1, 3, {1}, 1);
  TimeoutNowRequest now;
  now.term = Term(1);
  n.step(2, now);
  EXPECT_EQ(n.core.role(), Role::follower) << "nobody is known to lead";
  n.step(2, heartbeat(1));
  n.step(3, now);
  now.term = Term(2);
  n.step(2, now);
  EXPECT_EQ(n.core.role(), Role::follower);
  now.term = Term(1);
  n.step(2, now);
  EXPECT_EQ(n.core.role(), Role::candidate);
  n.sync();
  EXPECT_TRUE(n.got<VoteRequest>(3).at(0).transfer);
}

}  // namespace
}  // namespace kiwi::raft
