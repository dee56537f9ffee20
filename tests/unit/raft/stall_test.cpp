// Leaders that stand in the way (stall_watch.hpp): L07, R07, D08, D09, D20. Defaults: a tick is 50 ms.

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/unit/raft/slow_disks.hpp"

namespace kiwi::raft {
namespace {

TEST(Stall, D09ALeaderWhoseDiskHangsGivesWayAndTheOthersGoOn) {
  SlowDisks w(3);
  const NodeId old = w.elect();
  ASSERT_TRUE(old);
  w.run(100);
  const Term term = w.core(old).term();
  w.disk(old, SlowDisks::kHangs);
  EXPECT_LE(w.wait(100, [&] { return w.core(old).role() != Role::leader; }), 17u)
      << "15, and the ticks around";
  EXPECT_EQ(w.core(old).counters().step_downs_own_disk, 1u);
  EXPECT_EQ(w.node(old).lost_leadership, 1u) << "who waits there is answered";

  const std::size_t before = w.committed();
  EXPECT_LE(w.wait(100, [&] { return w.committed() > before + 5; }), 30u)
      << "one election time-out and a bit";
  EXPECT_NE(w.leader(), old);
  EXPECT_GT(w.core(w.leader()).term(), term);
}

TEST(Stall, D09ANodeWhoseDiskHangsDisturbsNobodyAndComesBackWhenItAnswers) {
  SlowDisks w(3);
  const NodeId old = w.elect();
  w.disk(old, SlowDisks::kHangs);
  w.run(100);
  const NodeId now = w.leader();
  ASSERT_TRUE(now);
  ASSERT_NE(now, old);
  const Term term = w.core(now).term();
  const std::size_t before = w.committed();
  const std::uint64_t pre_votes = w.core(old).counters().pre_votes_started;
  w.run(5000);
  EXPECT_EQ(w.leader(), now);
  EXPECT_EQ(w.core(now).term(), term);
  EXPECT_EQ(w.core(old).counters().pre_votes_started, pre_votes);
  EXPECT_GT(w.committed(), before + 4900);

  w.disk(old, 0);
  w.run(200);
  w.writing = false;
  w.run(10);
  EXPECT_EQ(w.leader(), now);
  EXPECT_EQ(w.core(now).term(), term);
  EXPECT_EQ(w.core(old).role(), Role::follower);
  EXPECT_EQ(w.core(old).durable(), w.core(now).durable());
  EXPECT_EQ(w.node(old).machine(), w.node(now).machine());
}

TEST(Stall, D09ALateDiskAlsoKeepsAFollowerFromStanding) {
  SlowDisks w(3);
  const NodeId first = w.elect();
  const NodeId hung = w.other_than(first);
  const NodeId third = w.other_than(first, hung);
  w.disk(hung, SlowDisks::kHangs);
  w.run(50);
  w.lose([&](NodeId from, const Outgoing& m) { return from == first || m.to == first; });
  const Term term = w.core(third).term();
  w.run(1000);
  EXPECT_EQ(w.leader(), NodeId(0));
  EXPECT_EQ(w.core(hung).counters().pre_votes_started, 0u);
  EXPECT_GT(w.core(third).counters().pre_votes_started, 10u) << "it asks, and is told no";
  EXPECT_EQ(w.core(third).term(), term) << "so no term goes up in vain";
  w.disk(hung, 0);
  EXPECT_LE(w.wait(100, [&] { return w.leader().value != 0; }), 45u);
}

TEST(Stall, D08ALeaderWithSyncsOfASecondGivesWayOnceAndFollows) {
  for (std::uint64_t sync : {17, 20, 30, 60}) {
    SlowDisks w(3);
    const NodeId old = w.elect();
    w.run(100);
    w.disk(old, sync);
    EXPECT_LE(w.wait(500, [&] { return w.core(old).role() != Role::leader; }), 2 * sync) << sync;
    EXPECT_LE(w.wait(500, [&] { return w.leader() && w.core(w.leader()).leader_ready(); }), 60u) << sync;
    EXPECT_NE(w.leader(), old) << sync;
    const Term term = w.core(w.leader()).term();
    w.run(3000);
    EXPECT_NE(w.leader(), NodeId(0)) << sync;
    EXPECT_EQ(w.core(w.leader()).term(), term) << sync << ": and that was all";
    EXPECT_EQ(w.step_downs(), 1u) << sync;
  }
}

TEST(Stall, D08SlowFollowersAreNoReasonToGo) {
  for (std::uint64_t sync : {10, 20, 35}) {
    for (int slow : {1, 2}) {
      SlowDisks w(3);
      const NodeId leader = w.elect();
      const NodeId second = w.other_than(leader);
      w.disk(second, sync);
      if (slow == 2)
        w.disk(w.other_than(leader, second), sync);
      const std::size_t before = w.committed();
      w.run(2000);
      EXPECT_EQ(w.leader(), leader) << slow << " disks, " << sync << " ticks";
      EXPECT_EQ(w.step_downs(), 0u);
      EXPECT_GT(w.committed(), before + 1900);
    }
  }
}

TEST(Stall, D20OneSlowSyncOfTheLeaderMovesNothing) {
  SlowDisks w(3);
  const NodeId leader = w.elect();
  for (int i = 0; i < 20; ++i) {
    w.disk(leader, 10);
    w.run(12);
    w.disk(leader, 0);
    w.run(50);
  }
  EXPECT_EQ(w.leader(), leader);
  EXPECT_EQ(w.step_downs(), 0u);
}

TEST(Stall, WithAllDisksEquallySlowTheLeaderStays) {
  for (std::uint64_t sync : {1, 5, 10, 15, 20, 25, 30, 60, 100, 200}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      const std::size_t count = seed % 2 == 0 ? 3 : 5;
      SlowDisks w(count, seed);
      const NodeId leader = w.elect();
      ASSERT_TRUE(leader);
      for (std::uint64_t i = 1; i <= count; ++i) {
        if (NodeId(i) == leader)
          continue;
        w.disk(NodeId(i), sync);
        w.run(seed * i % (std::min<std::uint64_t>(sync, 15) + 1));  // the syncs do not begin together
      }
      w.disk(leader, sync);
      const std::size_t before = w.committed();
      w.run(20 * sync + 500);
      EXPECT_EQ(w.leader(), leader) << sync << " ticks, seed " << seed;
      EXPECT_EQ(w.step_downs(), 0u) << sync << " ticks, seed " << seed;
      EXPECT_GT(w.committed(), before + 10 * sync) << sync << " ticks, seed " << seed;
    }
  }
}

TEST(Stall, WithAllDisksEquallySlowALeaderIsFound) {
  for (std::uint64_t sync : {10, 15, 20, 30, 60, 100}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SlowDisks w(3, seed);
      w.all_disks(sync);
      EXPECT_LE(w.wait(20 * sync + 1000, [&] { return w.leader() && w.core(w.leader()).leader_ready(); }),
                12 * sync + 200)
          << sync << " ticks, seed " << seed;
      w.run(5 * sync);  // who stood at the same time may still depose it once
      const NodeId leader = w.leader();
      ASSERT_TRUE(leader) << sync << " ticks, seed " << seed;
      const Term term = w.core(leader).term();
      w.run(40 * sync);
      EXPECT_EQ(w.leader(), leader) << sync << " ticks, seed " << seed;
      EXPECT_EQ(w.core(leader).term(), term) << sync << " ticks, seed " << seed;
    }
  }
}

TEST(Stall, NobodyGivesWayInVain) {
  for (std::size_t count : {1, 2}) {
    SlowDisks w(count);
    const NodeId leader = w.elect();
    ASSERT_TRUE(leader);
    w.disk(leader, SlowDisks::kHangs);
    w.run(1000);
    EXPECT_EQ(w.leader(), leader) << "nobody can win without the one with the hung disk";
    const std::size_t before = w.committed();
    w.disk(leader, 0);
    w.run(10);
    EXPECT_GT(w.committed(), before);
  }
  SlowDisks w(3);
  const NodeId leader = w.elect();
  const NodeId dead = w.other_than(leader);
  w.run(5);
  w.lose([&](NodeId from, const Outgoing& m) { return from == dead || m.to == dead; });
  w.run(5);
  w.disk(leader, SlowDisks::kHangs);
  w.run(1000);
  EXPECT_EQ(w.leader(), leader);
  w.lose(nullptr);
  EXPECT_LE(w.wait(200, [&] { return w.leader() && w.leader() != leader; }), 70u)
      << "from now on there are two who can";
}

TEST(Stall, R07ALeaderThatIsAnsweredButCannotCommitGivesWayWhateverIsRead) {
  SlowDisks w(3);
  const NodeId old = w.elect();
  w.run(20);
  // Small messages arrive, large ones do not.
  w.lose([&](NodeId from, const Outgoing& m) {
    const auto* append = std::get_if<AppendRequest>(&m.message);
    return from == old && append != nullptr && !append->entries.empty();
  });
  const std::size_t before = w.committed();
  std::uint64_t token = 0;
  const std::uint64_t ticks = w.wait(200, [&] {
    w.node(old).read(++token);
    return w.core(old).role() != Role::leader;
  });
  EXPECT_GE(ticks, 80u) << "it is given time";
  EXPECT_LE(ticks, 83u);
  EXPECT_GT(w.node(old).served.size(), 50u) << "it confirmed itself all the time";
  EXPECT_EQ(w.core(old).counters().step_downs_no_commit, 1u);
  EXPECT_LE(w.wait(200, [&] { return w.committed() > before + 10; }), 60u);
  EXPECT_NE(w.leader(), old);
}

TEST(Stall, WhereGivingWayDoesNotHelpItBecomesRarer) {
  SlowDisks w(3);
  const NodeId old = w.elect();
  const NodeId second = w.other_than(old);
  const NodeId third = w.other_than(old, second);
  w.disk(second, 120);  // longer than the bound of 80
  w.disk(third, 120);
  w.run(10'000);
  EXPECT_LE(w.step_downs(), 5u);
  const std::size_t before = w.committed();
  const std::uint64_t downs = w.step_downs();
  w.run(5000);
  EXPECT_EQ(w.step_downs(), downs);
  EXPECT_GT(w.committed(), before + 1000);
}

TEST(Stall, TwoFastNodesDoNotHandEachOtherASlowClusterForEver) {
  for (const bool one_dead : {false, true}) {
    SlowDisks w(5);
    const NodeId first = w.elect();
    std::vector<NodeId> others;
    for (std::uint64_t i = 1; i <= 5; ++i)
      if (NodeId(i) != first)
        others.push_back(NodeId(i));
    for (std::size_t i = 1; i < others.size(); ++i) w.disk(others[i], 100);
    if (one_dead)
      w.lose([dead = others.back()](NodeId from, const Outgoing& m) { return from == dead || m.to == dead; });
    w.run(10'000);
    const std::size_t before = w.committed();
    w.run(10'000);
    EXPECT_GT(w.committed(), before + 1000) << (one_dead ? "one dead" : "all there");
  }
}

TEST(Stall, OnlyWhoIsHeardCountsAmongThoseThatDoWithoutTheLeader) {
  Lone n(1, 5, {}, 0);
  while (n.core.role() != Role::pre_candidate) n.tick();
  for (std::uint64_t i : {2, 3}) n.step(i, vote_response(1, true, true));
  n.sync();
  for (std::uint64_t i : {2, 3}) n.step(i, vote_response(1, true, false));
  ASSERT_EQ(n.core.role(), Role::leader);
  const auto pass = [&](int ticks) {
    for (; ticks > 0; --ticks) {
      for (std::uint64_t i : {2, 3, 4}) n.beat(i, 0);
      n.tick();
    }
  };
  n.ack(2, 1);
  n.ack(5, 1);  // and is silent from now on
  pass(30);
  n.ack(3, 1);
  pass(200);
  EXPECT_EQ(n.core.role(), Role::leader) << "without it and node 5 only two have the entry";
  n.ack(4, 1);
  pass(1000);
  EXPECT_EQ(n.core.role(), Role::follower);
  EXPECT_EQ(n.core.counters().step_downs_own_disk, 1u);
}

StallWatch::Seen seen(std::uint64_t last, std::uint64_t durable, std::uint64_t others, std::uint64_t quorum) {
  StallWatch::Seen s;
  s.last = Index(last);
  s.durable = Index(durable);
  s.others = Index(others);
  s.quorum = Index(quorum);
  s.others_are_there = true;
  return s;
}

/// Entry 1 is appended at tick 0; the first tick that says `verdict`.
template <class At>
std::uint64_t first(StallWatch::Verdict verdict, At at) {
  StallWatch w(15, 80);
  w.begin(0);
  std::uint64_t tick = 0;
  while (tick < 10'000 && w.look(tick, at(tick)) != verdict) ++tick;
  return tick;
}

TEST(StallWatch, TheOwnDiskIsGivenThreeTimesWhatTheOthersTook) {
  using enum StallWatch::Verdict;
  for (const auto& [took, bound] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 15}, {4, 15}, {5, 18}, {19, 60}, {99, 300}}) {
    const auto hangs = [took = took](std::uint64_t t) {
      return t < took ? seen(1, 0, 0, 0) : seen(1, 0, 1, 1);
    };
    EXPECT_EQ(first(own_disk, hangs), bound) << took;
    const auto late = [&](std::uint64_t t) { return t < bound ? hangs(t) : seen(1, 1, 1, 1); };
    EXPECT_EQ(first(own_disk, late), 10'000u) << took << ": in the last moment";
  }
}

TEST(StallWatch, AQuorumIsGivenThreeTimesWhatTheOwnDiskTook) {
  using enum StallWatch::Verdict;
  for (const auto& [took, bound] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 80}, {25, 80}, {26, 81}, {99, 300}}) {
    const auto stuck = [took = took](std::uint64_t t) { return seen(1, t < took ? 0 : 1, 0, 0); };
    EXPECT_EQ(first(no_commit, stuck), bound) << took;
  }
}

TEST(StallWatch, AQuorumThatMovesIsNotStuckHoweverFarItIsBehind) {
  using enum StallWatch::Verdict;
  const auto catches_up = [](std::uint64_t t) {
    return seen(1000, 1000, 0, std::min<std::uint64_t>(t / 70, 20));
  };
  EXPECT_EQ(first(no_commit, catches_up), 20 * 70 + 80u) << "counted from the last step it made";
}

TEST(Stall, AVoteThatComesLateCountsInItsTermAndNowhereElse) {
  Lone n(1, 5, {1}, 1);
  while (n.core.role() != Role::pre_candidate) n.tick();
  n.step(2, vote_response(2, true, true));
  n.step(3, vote_response(2, true, true));
  n.sync();
  ASSERT_EQ(n.core.role(), Role::candidate);
  n.step(2, vote_response(2, true, false));
  while (n.core.role() != Role::pre_candidate) n.tick();
  n.step(3, vote_response(3, true, true));  // one would vote for it in term 3
  EXPECT_EQ(n.core.role(), Role::pre_candidate);
  Lone late = n;
  late.step(4, vote_response(2, true, false));
  EXPECT_EQ(late.core.role(), Role::leader);
  EXPECT_EQ(late.core.term(), Term(2));

  n.step(4, vote_response(3, true, true));
  ASSERT_EQ(n.core.role(), Role::candidate);
  n.sync();
  ASSERT_EQ(n.core.term(), Term(3));
  n.step(4, vote_response(2, true, false));
  n.step(5, vote_response(2, true, false));
  EXPECT_EQ(n.core.role(), Role::candidate);
}

TEST(Stall, VotesOfATermThatThisNodeLedAlreadyDoNotMakeItLeadAgain) {
  Lone n(1, 3, {}, 0);
  n.win(2);
  n.sync();
  n.tick(21);
  ASSERT_EQ(n.core.role(), Role::follower) << "it heard nobody";
  while (n.core.role() != Role::pre_candidate) n.tick();
  n.step(2, vote_response(1, true, false));
  n.step(3, vote_response(1, true, false));
  EXPECT_EQ(n.core.role(), Role::pre_candidate);

  Lone restarted(1, 3, {}, 1, 1);
  while (restarted.core.role() != Role::pre_candidate) restarted.tick();
  restarted.step(2, vote_response(1, true, false));
  restarted.step(3, vote_response(1, true, false));
  EXPECT_EQ(restarted.core.role(), Role::pre_candidate) << "it may have led that term before it crashed";
}

TEST(Stall, WhoCouldNotVoteSoonGrantsNoPreVote) {
  Lone vote(1, 3, {1}, 1);
  vote.step(2, vote_request(2, at(1, 1)));
  vote.step(3, vote_request(3, at(1, 1), true));
  EXPECT_FALSE(vote.got<VoteResponse>(3).at(0).granted) << "its vote for node 2 is on its way to the disk";
  vote.sync();
  vote.step(3, vote_request(3, at(1, 1), true));
  EXPECT_TRUE(vote.got<VoteResponse>(3).at(1).granted);

  Lone late(1, 3, {1}, 1);
  late.step(2, append(1, at(1, 1), {entry(1, 2)}));
  late.tick(19);
  late.step(3, vote_request(2, at(1, 2), true));
  late.tick();
  late.step(3, vote_request(2, at(1, 2), true));
  ASSERT_EQ(late.got<VoteResponse>(3).size(), 2u);
  EXPECT_TRUE(late.got<VoteResponse>(3)[0].granted);
  EXPECT_FALSE(late.got<VoteResponse>(3)[1].granted) << "this disk is later than an election may take";
}

}  // namespace
}  // namespace kiwi::raft
