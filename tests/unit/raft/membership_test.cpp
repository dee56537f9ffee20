// Changes of membership: Raft 6, thesis 4. Whole clusters; what one node does with forged messages is in
// membership_rules_test.cpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/raft/changing_cluster.hpp"

namespace kiwi::raft {
namespace {

using testing::ElementsAre;
using Kind = ChangeRefusal::Kind;

TEST(MembershipChange, ALearnerCatchesUpAndBecomesAVoterByItself) {
  ChangingCluster c(1, 1);
  ASSERT_EQ(c.leader(), 1u);
  c.run(50);
  const auto answer = c.change(1, add_voter(2));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(c.core(1).change_status().configuration, *answer) << "a configuration is named by its entry";
  EXPECT_EQ(c.core(1).change_status().phase, ChangeStatus::Phase::catching_up);
  EXPECT_EQ(c.core(1).change_status().node, NodeId(2));
  EXPECT_TRUE(c.wait(50, [&] { return c.settled_with({1, 2}); }));
  EXPECT_THAT(c.story(), ElementsAre("1 (2)", "1,2+1", "1,2"));
  EXPECT_EQ(c.core(1).change_status().phase, ChangeStatus::Phase::none);
}

TEST(MembershipChange, FromOneToThreeToFiveToThreeToOneUnderWrites) {
  ChangingCluster c(1, 4);
  for (std::uint64_t id = 2; id <= 5; ++id) {
    ASSERT_TRUE(c.change(c.leader(), add_voter(id)));
    std::vector<std::uint64_t> all;
    for (std::uint64_t i = 1; i <= id; ++i) all.push_back(i);
    ASSERT_TRUE(c.wait(100, [&] { return c.settled_with(all); })) << id;
  }
  for (std::uint64_t id = 1; id <= 4; ++id) {
    const auto answer = c.change(c.leader(), remove_node(id));
    ASSERT_TRUE(answer) << answer.error().text;
    std::vector<std::uint64_t> rest;
    for (std::uint64_t i = id + 1; i <= 5; ++i) rest.push_back(i);
    ASSERT_TRUE(c.wait(150, [&] { return c.settled_with(rest) && c.leader() > id; })) << id;
  }
  const std::size_t before = c.committed();
  c.run(20);
  EXPECT_GT(c.committed(), before + 10) << "the last one works alone";
  for (std::uint64_t id = 1; id <= 4; ++id) EXPECT_TRUE(c.core(id).removed()) << id;
}

TEST(MembershipChange, AReplacementIsOneJointChange) {
  ChangingCluster c(3, 1);
  const std::uint64_t leader = c.leader();
  ASSERT_TRUE(c.change(leader, replace_node(leader == 2 ? 3 : 2, 4)));
  ASSERT_TRUE(c.wait(
      100, [&] { return c.core(4).membership().is_voter(NodeId(4)) && !c.core(4).membership().joint(); }));
  const std::string rest = leader == 2 ? "1,2" : "1,3";
  EXPECT_THAT(c.story(), ElementsAre("1,2,3 (4)", rest + ",4+1,2,3", rest + ",4"));
}

TEST(MembershipChange, ADeadNodeCanBeReplaced) {
  ChangingCluster c(3, 1);
  const std::uint64_t leader = c.leader();
  const std::uint64_t dead = leader == 2 ? 3 : 2;
  c.crash(dead);
  c.run(30);
  ASSERT_TRUE(c.change(leader, replace_node(dead, 4)));
  std::vector<std::uint64_t> rest = {1, 2, 3, 4};
  std::erase(rest, dead);
  EXPECT_TRUE(c.wait(100, [&] { return c.settled_with(rest); }));
}

TEST(MembershipChange, ALeaderThatIsRemovedLeadsUntilThatIsCommittedAndHandsOver) {
  ChangingCluster c(3);
  const std::uint64_t leader = c.leader();
  const Term term = c.core(leader).term();
  ASSERT_TRUE(c.change(leader, remove_node(leader)));
  ASSERT_TRUE(c.wait(10, [&] { return c.core(leader).role() != Role::leader; }));
  EXPECT_TRUE(c.core(leader).removed());
  EXPECT_EQ(c.core(leader).counters().transfers, 1u) << "it does not leave the others to a time-out";
  const std::uint64_t next = c.leader(1);
  EXPECT_NE(next, leader);
  EXPECT_EQ(c.core(next).term(), term + 1);
  EXPECT_EQ(c.core(next).membership().voters.size(), 2u);
  c.run(200);
  EXPECT_EQ(c.core(next).term(), term + 1) << "and disturbs nobody afterwards";
}

TEST(MembershipChange, ALearnerCountsForNothing) {
  ChangingCluster c(3, 1);
  const std::uint64_t leader = c.leader();
  ASSERT_TRUE(c.change(leader, add_learner(4)));
  ASSERT_TRUE(c.wait(30, [&] { return c.settled_with({1, 2, 3}, {4}); }));
  EXPECT_EQ(c.core(4).role(), Role::learner);
  for (std::uint64_t id = 1; id <= 3; ++id)
    if (id != leader)
      c.crash(id);
  const std::size_t before = c.committed();
  c.run(10);
  EXPECT_EQ(c.committed(), before) << "no commit";
  EXPECT_FALSE(c.node(leader).read(1) && !c.node(leader).served.empty()) << "no read";
  c.run(20);
  EXPECT_NE(c.core(leader).role(), Role::leader) << "check-quorum";
  c.run(200);
  EXPECT_EQ(c.leader(100), 0u) << "no election";
  EXPECT_EQ(c.core(4).role(), Role::learner) << "and it stands in none";
}

TEST(MembershipChange, ALearnerThatDoesNotFollowIsNotPromoted) {
  ChangingCluster c(3, 1);
  const std::uint64_t leader = c.leader();
  c.isolate(4);
  ASSERT_TRUE(c.change(leader, add_voter(4)));
  c.run(300);
  const ChangeStatus s = c.core(leader).change_status();
  EXPECT_EQ(s.phase, ChangeStatus::Phase::catching_up);
  EXPECT_THAT(s.silent, ElementsAre(NodeId(4)));
  EXPECT_EQ(c.core(leader).membership().voters.size(), 3u);
  const auto other = c.change(leader, remove_node(4));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, Kind::change_in_progress);

  // Cancelled it stays a learner; its id is not lost, and it can be promoted later.
  c.node(leader).turn([&](Core& core) { EXPECT_TRUE(core.cancel_change()); });
  c.mend();
  ASSERT_TRUE(c.wait(100, [&] { return c.settled_with({1, 2, 3}, {4}); }));
  c.run(100);
  EXPECT_TRUE(c.settled_with({1, 2, 3}, {4}));
  ASSERT_TRUE(c.change(leader, add_voter(4)));
  EXPECT_TRUE(c.wait(50, [&] { return c.settled_with({1, 2, 3, 4}); }));
}

TEST(MembershipChange, ANewLeaderGoesOnWithAPromotion) {
  ChangingCluster c(3, 1);
  const std::uint64_t leader = c.leader();
  c.isolate(4);
  ASSERT_TRUE(c.change(leader, replace_node(leader, 4)));
  c.run(5);
  c.crash(leader);
  ASSERT_NE(c.leader(), 0u);
  c.mend();
  std::vector<std::uint64_t> rest = {1, 2, 3, 4};
  std::erase(rest, leader);
  EXPECT_TRUE(c.wait(200, [&] { return c.settled_with(rest); }));
  c.start(leader);
  EXPECT_TRUE(c.wait(100, [&] { return c.core(leader).removed(); }));
}

/// M03: the leader dies inside the joint membership, at each step.
TEST(MembershipChange, ANewLeaderLeavesAJointMembershipThatItInherits) {
  for (int cut_after = 0; cut_after < 12; ++cut_after) {
    ChangingCluster c(3, 1);
    c.writing = false;
    const std::uint64_t leader = c.leader();
    ASSERT_TRUE(c.change(leader, replace_node(leader, 4)));
    // Nothing of the leader gets out from some message on, once it is joint.
    int left = cut_after;
    c.lose([&](NodeId from, const Outgoing&) {
      return from.value == leader && c.core(leader).membership().joint() && left-- <= 0;
    });
    c.wait(40, [&] { return c.core(leader).membership().joint() || c.core(leader).removed(); });
    c.run(1);
    c.crash(leader);
    c.lose({});
    c.run(100);
    c.start(leader);
    std::vector<std::uint64_t> rest = {1, 2, 3, 4};
    std::erase(rest, leader);
    EXPECT_TRUE(c.wait(400, [&] { return c.settled_with(rest); })) << "after " << cut_after << " messages";
  }
}

TEST(MembershipChange, ARemovedNodeThatWasAwayHearsItWhenItAsks) {
  ChangingCluster c(3);
  const std::uint64_t leader = c.leader();
  const std::uint64_t away = leader == 3 ? 2 : 3;
  c.isolate(away);
  ASSERT_TRUE(c.change(leader, remove_node(away)));
  c.run(300);
  EXPECT_TRUE(c.core(leader).peers().size() == 1) << "nobody waits for it for ever";
  EXPECT_FALSE(c.core(away).removed());
  const Term term = c.core(leader).term();
  c.mend();
  EXPECT_TRUE(c.wait(60, [&] { return c.core(away).removed(); }));
  const std::uint64_t asked = c.core(away).counters().pre_votes_started;
  c.run(300);
  EXPECT_EQ(c.core(away).counters().pre_votes_started, asked) << "it asks no more";
  EXPECT_EQ(c.core(leader).term(), term) << "and nobody was disturbed (thesis 4.2.3)";
}

TEST(MembershipChange, ARemovedNodeThatIsThereGetsTheEntryThatSaysSo) {
  ChangingCluster c(3);
  const std::uint64_t leader = c.leader();
  const std::uint64_t gone = leader == 3 ? 2 : 3;
  ASSERT_TRUE(c.change(leader, remove_node(gone)));
  EXPECT_EQ(c.core(leader).peers().size(), 2u) << "a connection to it is still needed";
  ASSERT_TRUE(c.wait(10, [&] { return c.core(gone).removed(); }));
  EXPECT_EQ(c.core(gone).counters().pre_votes_started, 0u);
  ASSERT_TRUE(c.wait(60, [&] { return c.core(leader).peers().size() == 1; }));
}

TEST(MembershipChange, AnIdIsNeverUsedTwice) {
  ChangingCluster c(3, 1);
  const std::uint64_t leader = c.leader();
  const std::uint64_t gone = leader == 3 ? 2 : 3;
  ASSERT_TRUE(c.change(leader, remove_node(gone)));
  c.run(50);
  EXPECT_EQ(c.change(leader, add_voter(gone)).error().kind, Kind::id_was_used);
  EXPECT_EQ(c.change(leader, add_learner(gone)).error().kind, Kind::id_was_used);
  EXPECT_EQ(c.change(leader, replace_node(leader, gone)).error().kind, Kind::id_was_used);
  // Nor under another leader, nor a learner's.
  ASSERT_TRUE(c.change(leader, add_learner(4)));
  c.run(10);
  ASSERT_TRUE(c.change(leader, remove_node(4)));
  c.run(10);
  c.node(leader).turn([](Core& core) { EXPECT_TRUE(core.transfer_leadership(NodeId(0))); });
  c.run(10);
  EXPECT_EQ(c.change(c.leader(), add_voter(4)).error().kind, Kind::id_was_used);
  EXPECT_EQ(c.core(c.leader()).change_status().removed.size(), 2u);
}

/// A rolling upgrade: nothing new is proposed before the last member knows it; then it needs no restart.
TEST(MembershipChange, NoEntryIsProposedThatAMemberCouldNotRead) {
  ChangingCluster c(3, 1, [](Options& o) { o.formats = kFirstFormats; });
  for (const std::uint64_t upgraded : {1, 2, 3}) {
    const std::uint64_t leader = c.leader();
    EXPECT_EQ(c.change(leader, add_learner(4)).error().kind, Kind::not_known_to_all) << upgraded;
    c.crash(upgraded);
    c.node(upgraded).options().formats = kKnownFormats;
    c.start(upgraded);
    ASSERT_TRUE(c.wait(100, [&] { return c.leader(1) != 0 && c.core(upgraded).caught_up_once(); }));
    c.run(20);
  }
  const std::uint64_t leader = c.leader();
  EXPECT_TRUE(c.core(leader).everyone_knows(kMembershipFormats));
  EXPECT_TRUE(c.change(leader, add_learner(4)));
}

/// A joining node needs what is purged: it knows nobody, and begins with a snapshot.
TEST(MembershipChange, ANodeJoinsByASnapshot) {
  ChangingCluster c(3, 1, [](Options& o) {
    o.compaction.keep_entries = 10;
    o.compaction.laggard_bytes = 0;
  });
  const std::uint64_t leader = c.leader();
  c.run(200);
  ASSERT_GT(c.core(leader).log().purged().index, Index(50));
  ASSERT_TRUE(c.change(leader, add_voter(4)));
  EXPECT_TRUE(c.wait(200, [&] { return c.settled_with({1, 2, 3, 4}); }));
  EXPECT_GT(c.node(4).installs(), 0u);
}

/// Thesis 4.2.2 and figure 4.6: the only one that has the last entry is not in it.
TEST(MembershipChange, ANodeThatItsNewestMembershipLeavesOutStandsUntilThatIsCommitted) {
  ChangingCluster c(2);
  c.elect(1);
  c.writing = false;
  ASSERT_EQ(c.leader(), 1u);
  c.run(5);
  // Once node 1 has left the joint membership nothing of it gets out.
  c.lose([&](NodeId from, const Outgoing&) {
    return from == NodeId(1) && c.core(1).membership().voters.size() == 1 && !c.core(1).membership().joint();
  });
  ASSERT_TRUE(c.change(1, remove_node(1)));
  c.run(2);
  ASSERT_FALSE(c.core(1).membership().joint());
  ASSERT_TRUE(c.core(2).membership().joint());
  c.crash(1);
  c.lose({});
  c.run(100);
  EXPECT_EQ(c.leader(1), 0u) << "node 2 needs the vote of node 1, which has the newer log";
  c.start(1);
  EXPECT_TRUE(c.wait(200, [&] { return c.settled_with({2}) && c.leader(1) == 2; }));
  EXPECT_TRUE(c.core(1).removed());
}

/// Both majorities live, but the newest log is a learner's, whose vote the joint membership needs.
TEST(MembershipChange, ALearnerWhoseVoteIsNeededStandsWhenItsLogIsTheNewest) {
  ChangingCluster c(3, 1);
  c.elect(1);
  ASSERT_EQ(c.leader(), 1u);
  ASSERT_TRUE(c.change(1, add_voter(4)));
  c.writing = false;
  // The joint entry stays on node 1.
  c.lose([&](NodeId from, const Outgoing&) { return from == NodeId(1) && c.core(1).membership().joint(); });
  ASSERT_TRUE(c.wait(40, [&] { return c.core(1).membership().joint(); }));
  c.crash(1);
  c.lose({});
  // Node 2 or 3 leads with the other's vote; only the learner gets its first entry; then it is gone for good.
  c.lose([&](NodeId from, const Outgoing& m) {
    return c.core(from.value).role() == Role::leader && m.to != NodeId(4);
  });
  const auto leads = [&](std::uint64_t id) { return c.core(id).role() == Role::leader; };
  ASSERT_TRUE(c.wait(200, [&] { return leads(2) || leads(3); }));
  const std::uint64_t second = leads(2) ? 2 : 3;
  const std::uint64_t third = 5 - second;
  ASSERT_GT(c.core(4).last_log_id().term, c.core(third).last_log_id().term);
  c.crash(second);
  c.lose({});
  c.start(1);
  ASSERT_TRUE(c.core(1).membership().joint());
  ASSERT_FALSE(c.core(4).membership().is_voter(NodeId(4)));
  EXPECT_NE(c.leader(600), 0u) << "node 1, the third and 4 are majorities of both halves";
  c.start(second);
  c.writing = true;
  EXPECT_TRUE(c.wait(300, [&] { return c.settled_with({1, 2, 3, 4}); }));
}

}  // namespace
}  // namespace kiwi::raft
