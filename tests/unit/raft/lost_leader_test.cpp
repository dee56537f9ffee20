// The leader's process is gone, or is said to be: who stands, when, and who does not mind.

#include <gtest/gtest.h>

#include "tests/unit/raft/changing_cluster.hpp"
#include "tests/unit/raft/lone.hpp"

namespace kiwi::raft {
namespace {

constexpr int kHeartbeat = 2;
/// The latest tick of an early campaign, and the first at which it may come.
constexpr int kLatest = 3 * kHeartbeat;
constexpr int kEarliest = kHeartbeat + 1;

/// Follows node 2 in term 1, and has just heard it.
struct Following : Lone {
  explicit Following(Options o, Membership members = voters(3))
      : Lone(o, restored({1}, {Term(1), NodeId(0)}, std::move(members))) {
    step(2, heartbeat(1));
    forget();
  }
  explicit Following(std::uint64_t id = 1) : Following(Lone::options(id)) {}
  bool refuses_a_pre_vote() {
    forget();
    step(3, vote_request(2, at(1, 1), true));
    return !got<VoteResponse>(3).at(0).granted;
  }
};

TEST(LostLeader, AFollowerAsksLongBeforeItsTimeOutButByAPreVote) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Options o = Lone::options(1);
    o.seed = seed;
    Following n(o);
    EXPECT_TRUE(n.core.gone(NodeId(2)));
    n.tick(kEarliest - 1);
    ASSERT_EQ(n.core.role(), Role::follower) << "a leader that is there would be heard by now";
    n.tick(kLatest - kEarliest + 1);
    ASSERT_EQ(n.core.role(), Role::pre_candidate);
    EXPECT_EQ(n.core.term(), Term(1));
    ASSERT_EQ(n.got<VoteRequest>(3).size(), 1u);
    EXPECT_TRUE(n.got<VoteRequest>(3)[0].pre_vote);
    EXPECT_FALSE(n.got<VoteRequest>(3)[0].transfer) << "nobody may be made to forget whom it hears";
    EXPECT_EQ(n.core.counters().early_pre_votes, 1u);
  }
}

TEST(LostLeader, WhoAsksFirstIsDrawn) {
  std::set<int> moments;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Options o = Lone::options(1);
    o.seed = seed;
    Following n(o);
    n.core.gone(NodeId(2));
    int ticks = 0;
    for (; n.core.role() == Role::follower; ++ticks) n.tick();
    moments.insert(ticks);
  }
  EXPECT_EQ(moments.size(), 2u * kHeartbeat);
}

TEST(LostLeader, WhoHearsOfItAgainWaitsItsTimeOutAndRefusesAsBefore) {
  const std::function<void(Following&)> signs[] = {
      [](Following& n) { n.step(2, heartbeat(1)); },
      [](Following& n) { n.step(2, append(1, at(1, 1), {})); },
      [](Following& n) { n.step(2, vote_response(1, false, true)); },
      [](Following& n) { n.core.reachable(NodeId(2), false); },
  };
  for (const auto& sign : signs) {
    Following n;
    n.core.gone(NodeId(2));
    EXPECT_FALSE(n.refuses_a_pre_vote());
    n.tick(kEarliest - 1);
    sign(n);
    EXPECT_TRUE(n.refuses_a_pre_vote());
    n.tick(kLatest - kEarliest + 1);
    EXPECT_EQ(n.core.role(), Role::follower);
    EXPECT_EQ(n.core.counters().early_pre_votes, 0u);
  }
}

TEST(LostLeader, WhoSeesItGoneVotesForAnotherAtOnce) {
  Following n;
  n.step(3, vote_request(2, at(1, 1)));
  EXPECT_EQ(n.core.term(), Term(1)) << "it hears a leader";
  n.core.gone(NodeId(2));
  n.step(3, vote_request(2, at(1, 1)));
  n.sync();
  EXPECT_TRUE(n.got<VoteResponse>(3).back().granted);
  n.tick(kLatest);
  EXPECT_EQ(n.core.role(), Role::follower) << "it has given its vote, and waits for who has it";
}

TEST(LostLeader, TheBetterLogIsAskedForAllTheSame) {
  Following n;
  n.core.gone(NodeId(2));
  n.step(3, vote_request(2, LogId{}, true));
  EXPECT_FALSE(n.got<VoteResponse>(3).at(0).granted);
}

TEST(LostLeader, OneCampaignForEachLoss) {
  Following n;
  n.core.gone(NodeId(2));
  n.tick(kLatest);
  ASSERT_EQ(n.core.counters().pre_votes_started, 1u);
  EXPECT_FALSE(n.core.gone(NodeId(2))) << "it follows nobody now";
  n.tick(9 - (kLatest - kEarliest));
  EXPECT_EQ(n.core.counters().pre_votes_started, 1u) << "nobody answers: the next time it waits as always";
  n.step(2, heartbeat(1));
  n.tick(9);
  EXPECT_EQ(n.core.counters().pre_votes_started, 1u)
      << "nor does a leader that comes back bring a second one";
  n.step(2, heartbeat(1));
  EXPECT_TRUE(n.core.gone(NodeId(2)));
  n.tick(kLatest);
  EXPECT_EQ(n.core.counters().early_pre_votes, 2u);
}

TEST(LostLeader, AnotherLeaderIsNoReasonAndNeitherIsAnotherNode) {
  Following n;
  EXPECT_FALSE(n.core.gone(NodeId(3)));
  EXPECT_FALSE(n.core.gone(NodeId(0)));
  EXPECT_TRUE(n.core.gone(NodeId(2)));
  n.step(3, heartbeat(2));
  n.sync();
  n.tick(kLatest);
  EXPECT_EQ(n.core.role(), Role::follower);
  n.forget();
  n.step(2, vote_request(3, at(1, 1), true));
  EXPECT_FALSE(n.got<VoteResponse>(2).at(0).granted) << "node 3 is heard";
}

TEST(LostLeader, NotWithLeases) {
  Options o = Lone::options(1);
  o.lease = true;
  Following n(o);
  n.core.set_clock(1, 10'000'000);
  n.step(2, heartbeat(1));
  EXPECT_FALSE(n.core.gone(NodeId(2)));
  EXPECT_TRUE(n.refuses_a_pre_vote());
  n.tick(9);
  EXPECT_EQ(n.core.role(), Role::follower);
}

TEST(LostLeader, LearnersAndLeadersDoNothing) {
  Membership members = voters(4);
  members.voters = {NodeId(2), NodeId(3), NodeId(4)};
  members.learners = {NodeId(1)};
  Following learner(Lone::options(1), members);
  EXPECT_FALSE(learner.core.gone(NodeId(2)));
  learner.tick(50);
  EXPECT_EQ(learner.core.role(), Role::learner);

  Lone leader(1, 3, {1}, 1);
  leader.win(2);
  EXPECT_FALSE(leader.core.gone(NodeId(1)));
  EXPECT_FALSE(leader.core.gone(NodeId(2)));
  EXPECT_EQ(leader.core.role(), Role::leader);
}

TEST(LostLeader, WhoShouldLetOthersGoFirstHasNoHaste) {
  Following low;
  low.core.set_room(DiskRoom::low);
  low.core.gone(NodeId(2));
  low.tick(kLatest + 3);
  EXPECT_EQ(low.core.role(), Role::follower);
  EXPECT_FALSE(low.refuses_a_pre_vote()) << "but it does not stand in their way";

  Following late;
  late.step(2, append(1, at(1, 1), {entry(1, 2)}));
  late.tick(25);  // the disk hangs
  late.step(2, heartbeat(1));
  ASSERT_EQ(late.core.role(), Role::follower);
  late.core.gone(NodeId(2));
  late.tick(kLatest + 3);
  EXPECT_EQ(late.core.role(), Role::follower);
}

/// --- Two that ask at the same moment

VoteResponse answer_to_a_crossing_pre_vote(std::uint64_t own, std::uint64_t other, LogId others_log,
                                           int later) {
  Lone n(own, 3, {1}, 1);
  while (n.core.role() != Role::pre_candidate) n.tick();
  n.tick(later);
  n.forget();
  n.step(other, vote_request(2, others_log, true));
  return n.got<VoteResponse>(other).at(0);
}

TEST(CrossingPreVotes, OfEqualLogsTheLowerIdGoesFirst) {
  EXPECT_FALSE(answer_to_a_crossing_pre_vote(1, 2, at(1, 1), 0).granted);
  EXPECT_TRUE(answer_to_a_crossing_pre_vote(2, 1, at(1, 1), 0).granted);
  EXPECT_TRUE(answer_to_a_crossing_pre_vote(1, 2, at(1, 2), 0).granted) << "a better log";
  EXPECT_FALSE(answer_to_a_crossing_pre_vote(2, 1, LogId{}, 0).granted);
}

TEST(CrossingPreVotes, WhoFoundNoMajorityDoesNotStandInTheWayForLong) {
  EXPECT_FALSE(answer_to_a_crossing_pre_vote(1, 2, at(1, 1), kHeartbeat - 1).granted);
  EXPECT_TRUE(answer_to_a_crossing_pre_vote(1, 2, at(1, 1), kHeartbeat).granted);
}

// --- A link that comes up late

TEST(LateLink, WhatWasAskedOnAMissingLinkIsAskedAgain) {
  Lone n(1, 3, {1}, 1);
  n.core.reachable(NodeId(3), true);
  n.take();
  EXPECT_TRUE(n.sent.empty()) << "it asks for nothing";
  while (n.core.role() != Role::pre_candidate) n.tick();
  const auto asked = n.got<VoteRequest>(3).at(0);
  n.forget();
  n.core.reachable(NodeId(3), true);
  n.take();
  ASSERT_EQ(n.sent.size(), 1u) << "only node 3";
  const auto again = n.got<VoteRequest>(3).at(0);
  EXPECT_EQ(again.term, asked.term);
  EXPECT_EQ(again.round, asked.round);
  EXPECT_TRUE(again.pre_vote);
  n.forget();
  n.core.reachable(NodeId(3), false);
  n.take();
  EXPECT_TRUE(n.sent.empty()) << "it was asked, whatever became of that";

  n.step(3, vote_response(2, true, true));
  n.forget();
  n.core.reachable(NodeId(2), true);
  n.take();
  EXPECT_TRUE(n.sent.empty()) << "rule 2: its own vote is not durable";
  n.sync();
  n.forget();
  n.core.reachable(NodeId(2), true);
  n.take();
  ASSERT_EQ(n.got<VoteRequest>(2).size(), 1u);
  EXPECT_FALSE(n.got<VoteRequest>(2)[0].pre_vote);
  EXPECT_EQ(n.got<VoteRequest>(2)[0].term, Term(2));
}

TEST(LateLink, WhoHasGivenItIsNotAskedTwiceNorIsALearner) {
  Membership members = voters(6);
  members.voters = {NodeId(1), NodeId(2), NodeId(3), NodeId(4), NodeId(5)};
  members.learners = {NodeId(6)};
  Lone n(Lone::options(1), restored({1}, {Term(1), NodeId(0)}, members));
  while (n.core.role() != Role::pre_candidate) n.tick();
  n.step(2, vote_response(2, true, true));
  n.forget();
  n.core.reachable(NodeId(2), true);
  n.core.reachable(NodeId(6), true);
  n.core.reachable(NodeId(9), true);
  n.take();
  EXPECT_TRUE(n.sent.empty());
}

// --- Clusters

TEST(LostLeader, TheNextOneLeadsWithinAFewHeartbeats) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ChangingCluster c(3, 0, [&](Options& o) { o.seed = seed; });
    c.writing = true;
    const std::uint64_t old = c.leader();
    c.run(50);
    c.crash(old);
    for (std::uint64_t id = 1; id <= 3; ++id)
      if (id != old)
        c.node(id).turn([&](Core& core) { EXPECT_TRUE(core.gone(NodeId(old))); });
    c.run(kLatest + 1);
    EXPECT_NE(c.leader(1), 0u);
    EXPECT_NE(c.leader(1), old);
  }
}

TEST(LostLeader, TheLongerLogWinsAlthoughTheShorterOneAsksFirst) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ChangingCluster c(3, 0, [&](Options& o) { o.seed = seed; });
    c.elect(1);
    c.run(20);
    c.cut(1, 3);
    c.node(1).propose("only node 2 gets this");
    c.settle();
    c.crash(1);
    c.mend();
    const std::uint64_t longer = 2;
    for (std::uint64_t id : {2, 3}) c.node(id).turn([&](Core& core) { core.gone(NodeId(1)); });
    c.run(kLatest + 1);
    EXPECT_EQ(c.leader(1), longer);
  }
}

TEST(LostLeader, ALeaderThatAMajorityReachesStaysHoweverOftenOneNodeLosesIt) {
  ChangingCluster c(3);
  c.writing = true;
  const std::uint64_t leader = c.leader();
  const std::uint64_t lonely = leader % 3 + 1;
  c.run(20);
  const Term term = c.core(leader).term();
  const std::size_t before = c.committed();
  for (int i = 0; i < 30; ++i) {
    c.cut(leader, lonely);
    c.node(lonely).turn([&](Core& core) { core.gone(NodeId(leader)); });
    c.run(10);
    c.mend();
    c.run(10);
  }
  EXPECT_GT(c.core(lonely).counters().early_pre_votes, 20u) << "it did ask";
  EXPECT_EQ(c.leader(1), leader);
  EXPECT_EQ(c.core(leader).counters().step_downs, 0u);
  EXPECT_EQ(c.core(lonely).term(), term);
  EXPECT_GE(c.committed(), before + 590);
}

TEST(LostLeader, AFalseAlarmEverywhereDeposesNobodyThatIsHeard) {
  ChangingCluster c(5);
  const std::uint64_t leader = c.leader();
  c.run(20);
  for (int i = 0; i < 100; ++i) {
    for (std::uint64_t id = 1; id <= 5; ++id) c.node(id).turn([&](Core& core) { core.gone(NodeId(leader)); });
    c.run(1 + static_cast<std::uint64_t>(i % 7));
  }
  EXPECT_EQ(c.leader(1), leader);
  EXPECT_EQ(c.core(leader).counters().step_downs, 0u);
}

}  // namespace
}  // namespace kiwi::raft
