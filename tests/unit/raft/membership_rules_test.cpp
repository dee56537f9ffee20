// Changes of membership: what one node does, against forged messages, and the pure steps between memberships.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "raft/membership_steps.hpp"
#include "raft/promotion.hpp"
#include "tests/unit/raft/broken_invariant.hpp"
#include "tests/unit/raft/changing_cluster.hpp"

namespace kiwi::raft {
namespace {

using testing::ElementsAre;
using Kind = ChangeRefusal::Kind;

Entry membership_entry(std::uint64_t term, std::uint64_t index, const Membership& m) {
  Entry e;
  e.id = at(term, index);
  e.kind = EntryKind::membership;
  e.payload = Bytes(encode_membership(m));
  return e;
}

void answers(Lone& n, std::uint64_t from, std::uint32_t formats = kKnownFormats) {
  HeartbeatResponse m;
  m.term = n.core.term();
  m.formats = formats;
  n.step(from, m);
}

/// Node 1 leads three; nothing of its term is committed yet.
Lone new_leader_of_three() {
  Lone n(1, 3, {}, 0);
  n.win(2);
  n.sync();
  answers(n, 2);
  answers(n, 3);
  return n;
}

Lone leader_of_three() {
  Lone n = new_leader_of_three();
  n.ack(2, 1);
  n.ack(3, 1);
  n.forget();
  return n;
}

Kind refusal(Lone& n, const MembershipChange& change) {
  const auto answer = n.core.change_membership(change);
  EXPECT_FALSE(answer) << "nothing is refused";
  return answer ? Kind::invalid : answer.error().kind;
}

Membership with_learner_4(bool joining = true) {
  return with_learner(voters(3), {NodeId(4), {}}, joining, NodeId(0));
}

// --- Steps

TEST(MembershipSteps, AReplacementKeepsTheOldVotersInTheOtherHalf) {
  Membership m = with_learner(voters(3), {NodeId(4), {"h", 1, 2}}, true, NodeId(2));
  EXPECT_THAT(m.learners, ElementsAre(NodeId(4)));
  m = joint_with_joining(m);
  EXPECT_THAT(m.voters, ElementsAre(NodeId(1), NodeId(3), NodeId(4)));
  EXPECT_THAT(m.outgoing_voters, ElementsAre(NodeId(1), NodeId(2), NodeId(3)));
  EXPECT_TRUE(m.contains(NodeId(2))) << "it is needed, and must be reached";
  m = left_joint(m);
  EXPECT_FALSE(m.contains(NodeId(2)));
  EXPECT_THAT(m.removed, ElementsAre(NodeId(2)));
  EXPECT_FALSE(m.joint());
}

TEST(MembershipSteps, WhatIsNotWellFormedIsSeen) {
  EXPECT_TRUE(well_formed(voters(3)));
  EXPECT_FALSE(well_formed({})) << "nobody could ever decide";
  for (const auto& spoil : std::vector<std::function<void(Membership&)>>{
           [](Membership& m) {
             m.voters = {NodeId(2), NodeId(1)};
           },
           [](Membership& m) {
             m.voters = {NodeId(1), NodeId(9)};
           },
           [](Membership& m) { m.learners = {NodeId(1)}; }, [](Membership& m) { m.removed = {NodeId(1)}; },
           [](Membership& m) { m.joining = NodeId(1); }, [](Membership& m) { m.replaced = NodeId(1); },
           [](Membership& m) { m.members.pop_back(); },
           [](Membership& m) {
             m.members.push_back({NodeId(9), {}});
           }}) {
    Membership m = voters(3);
    spoil(m);
    EXPECT_FALSE(well_formed(m));
  }
}

TEST(Promotion, ThreeShortRoundsInARowMakeALearnerLevel) {
  Promotion p(NodeId(4), 10);
  std::uint64_t now = 0;
  p.look(++now, Index(0), Index(1000), true);
  for (int i = 0; i < 50; ++i) p.look(++now, Index(500), Index(1000 + i), true);
  EXPECT_EQ(p.rounds(), 0u) << "the first round takes too long";
  p.look(++now, Index(1100), Index(1100), true);
  EXPECT_EQ(p.rounds(), 0u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(p.level());
    p.look(++now, Index(1100), Index(1100), true);
  }
  EXPECT_TRUE(p.level());
  p.look(++now, Index(1100), Index(2000), true);
  EXPECT_TRUE(p.level());
  for (int i = 0; i < 12; ++i) p.look(++now, Index(1500), Index(2000), true);
  EXPECT_FALSE(p.level()) << "it fell behind again";
  for (int i = 0; i < 5; ++i) p.look(++now, Index(2000), Index(2000), true);
  EXPECT_TRUE(p.level());
  p.look(++now, Index(2000), Index(2000), false);
  EXPECT_FALSE(p.level()) << "it does not answer any more";
}

// --- What is refused

TEST(MembershipRules, NothingChangesBeforeTheLeaderHasCommittedInItsTerm) {
  Lone n = new_leader_of_three();
  EXPECT_EQ(refusal(n, add_voter(4)), Kind::not_ready);
  n.ack(2, 1);
  EXPECT_TRUE(n.core.change_membership(add_voter(4)));
}

TEST(MembershipRules, WhatMakesNoSenseIsRefusedByName) {
  Lone n = leader_of_three();
  EXPECT_EQ(refusal(n, add_voter(0)), Kind::invalid);
  EXPECT_EQ(refusal(n, add_voter(2)), Kind::already_member);
  EXPECT_EQ(refusal(n, add_learner(2)), Kind::already_member);
  EXPECT_EQ(refusal(n, remove_node(9)), Kind::unknown_node);
  EXPECT_EQ(refusal(n, replace_node(9, 4)), Kind::unknown_node);
  EXPECT_EQ(refusal(n, replace_node(2, 2)), Kind::invalid);
  EXPECT_EQ(refusal(n, replace_node(2, 3)), Kind::already_member);
  EXPECT_EQ(n.core.last_log_id().index, Index(1)) << "and nothing is appended";

  Lone follower(1, 3, {1}, 1);
  EXPECT_EQ(refusal(follower, add_voter(4)), Kind::not_leader);
  ChangingCluster alone(1);
  EXPECT_EQ(alone.change(alone.leader(), remove_node(1)).error().kind, Kind::last_voter);
}

TEST(MembershipRules, AConditionThatDoesNotHoldIsRefused) {
  Lone n = leader_of_three();
  MembershipChange c = add_learner(4);
  c.if_configuration = Index(0);
  const auto first = n.core.change_membership(c);
  ASSERT_TRUE(first);
  n.take();
  n.sync();
  n.ack(2, first->value);
  c.node = NodeId(5);
  EXPECT_EQ(refusal(n, c), Kind::stale_condition) << "sent twice: it was for configuration 0";
  c.if_configuration = *first;
  answers(n, 4);
  EXPECT_TRUE(n.core.change_membership(c));
}

TEST(MembershipRules, WhoIsThereAndHasNotSaidWhichFormatsItKnowsIsWaitedFor) {
  Lone n(1, 3, {}, 0);
  n.win(2);
  n.sync();
  answers(n, 2);
  n.ack(2, 1);
  n.ack(3, 1);  // a new leader's first entry may commit before the first heartbeat is answered
  EXPECT_EQ(refusal(n, add_learner(4)), Kind::not_known_to_all) << "node 3 may be an older program";
  EXPECT_EQ(refusal(n, remove_node(2)), Kind::not_known_to_all) << "the same";
  answers(n, 3, kFirstFormats);
  EXPECT_EQ(refusal(n, add_learner(4)), Kind::not_known_to_all) << "it is";
  answers(n, 3);
  EXPECT_TRUE(n.core.change_membership(add_learner(4)));
}

TEST(MembershipRules, WhoGoesIsNotWaitedFor) {
  Lone n = leader_of_three();
  ASSERT_TRUE(n.core.change_membership(add_learner(4)));
  n.take();
  n.sync();
  n.ack(2, 2);
  EXPECT_TRUE(n.core.change_membership(remove_node(4)))
      << "a wrong address, perhaps: nobody ever answered there";
}

TEST(MembershipRules, OneChangeAtATime) {
  Lone n = leader_of_three();
  ASSERT_TRUE(n.core.change_membership(add_learner(4)));
  EXPECT_EQ(refusal(n, add_learner(5)), Kind::change_in_progress) << "its entry is not committed";
  n.take();
  n.sync();
  n.ack(2, 2);
  answers(n, 4);
  ASSERT_TRUE(n.core.change_membership(remove_node(3)));
  n.take();
  ASSERT_TRUE(n.core.membership().joint());
  EXPECT_EQ(refusal(n, add_learner(5)), Kind::change_in_progress);
  EXPECT_EQ(n.core.cancel_change().error().kind, Kind::cannot_cancel);
}

TEST(MembershipRules, AVoterGoesOnlyIfTheOthersAnswer) {
  Lone n = leader_of_three();
  // Node 3 is silent; node 2 alone keeps the leader.
  for (int i = 0; i < 25; ++i) {
    answers(n, 2);
    n.tick();
  }
  ASSERT_EQ(n.core.role(), Role::leader);
  EXPECT_EQ(refusal(n, remove_node(2)), Kind::not_enough_voters) << "1 and 3 would be left";
  EXPECT_EQ(n.core.change_membership(remove_node(2)).error().text.find("3") == std::string::npos, false);
  EXPECT_TRUE(n.core.change_membership(remove_node(3)));
}

TEST(MembershipRules, AMemberThatDoesNotKnowSuchEntriesIsUpgradedFirst) {
  Lone n = leader_of_three();
  answers(n, 3, kFirstFormats);
  EXPECT_FALSE(n.core.everyone_knows(kMembershipFormats));
  EXPECT_TRUE(n.core.everyone_knows(kFirstFormats));
  EXPECT_EQ(refusal(n, add_voter(4)), Kind::not_known_to_all);
  answers(n, 3);
  EXPECT_TRUE(n.core.everyone_knows(kMembershipFormats));
  EXPECT_FALSE(n.core.everyone_knows(kKnownFormats + 1));
  EXPECT_TRUE(n.core.change_membership(add_voter(4)));
  n.take();
  EXPECT_FALSE(n.core.everyone_knows(kMembershipFormats)) << "the new one has said nothing yet";
}

// --- Both halves

TEST(MembershipRules, AJointMembershipCommitsByBothMajorities) {
  Lone n = leader_of_three();
  answers(n, 2);
  answers(n, 3);
  ASSERT_TRUE(n.core.change_membership(remove_node(3)));  // voters 1,2; outgoing 1,2,3
  n.take();
  n.sync();
  n.ack(3, 2);
  EXPECT_EQ(n.core.commit(), Index(1)) << "a majority of the old voters only";
  n.ack(2, 2);
  EXPECT_EQ(n.core.commit(), Index(2));
  EXPECT_FALSE(n.core.membership().joint()) << "committed, it is left at once";
  EXPECT_EQ(n.core.last_log_id().index, Index(3));
  EXPECT_EQ(n.core.change_status().phase, ChangeStatus::Phase::waiting_for_final);
  n.sync();
  n.ack(3, 3);
  EXPECT_EQ(n.core.commit(), Index(2)) << "node 3 counts no more";
  n.ack(2, 3);
  EXPECT_EQ(n.core.commit(), Index(3));
}

/// A read that waits for the answer of a voter that leaves is not forgotten: the commit of the entry without
/// that voter confirms it.
TEST(MembershipRules, AReadIsConfirmedByThoseWhoAreLeft) {
  Lone n(1, 2, {}, 0);
  n.win(2);
  n.sync();
  answers(n, 2);
  n.ack(2, 1);
  ASSERT_TRUE(n.core.change_membership(remove_node(2)));
  n.take();
  n.sync();
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  n.forget();
  AppendResponse ack;  // of the joint entry only, sent before the read came
  ack.term = n.core.term();
  ack.success = true;
  ack.match = Index(2);
  ack.sequence = 2;
  n.step(2, ack);
  ASSERT_FALSE(n.core.membership().joint());
  n.sync();
  n.core.applied(n.core.commit());
  n.take();
  ASSERT_EQ(n.reads.size(), 1u) << "node 1 is alone now";
  ASSERT_TRUE(n.core.read(8, Index(0)));
  n.take();
  ASSERT_EQ(n.reads.size(), 2u) << "and needs nobody for the next one, which no entry follows";
}

/// M13: neither side alone elects.
TEST(MembershipRules, AJointMembershipElectsByBothMajorities) {
  Membership joint = voters(3);
  joint.outgoing_voters = joint.voters;
  joint.voters = {NodeId(1), NodeId(4), NodeId(5)};
  joint.members.push_back({NodeId(4), {}});
  joint.members.push_back({NodeId(5), {}});
  ASSERT_TRUE(well_formed(joint));
  for (const bool new_side : {false, true}) {
    Lone n(Lone::options(1), restored({1}, {Term(1), NodeId(0)}, joint));
    while (n.core.role() != Role::pre_candidate) n.tick();
    EXPECT_EQ(n.got<VoteRequest>().size(), 4u) << "all voters of both halves";
    for (std::uint64_t id : new_side ? std::vector<std::uint64_t>{4, 5} : std::vector<std::uint64_t>{2, 3})
      n.step(id, vote_response(2, true, true));
    EXPECT_EQ(n.core.role(), Role::pre_candidate) << "one half is not enough";
    n.step(new_side ? 2 : 4, vote_response(2, true, true));
    EXPECT_EQ(n.core.role(), Role::candidate);
    n.sync();
    n.step(new_side ? 4 : 2, vote_response(2, true, false));
    EXPECT_EQ(n.core.role(), Role::candidate);
    n.step(new_side ? 2 : 4, vote_response(2, true, false));
    EXPECT_EQ(n.core.role(), Role::leader);
  }
}

/// M02: it commits under both halves before it is left.
TEST(MembershipRules, ARecoveredJointMembershipIsNotLeftBeforeItIsCommitted) {
  const Membership joint = joint_without(voters(3), NodeId(3));
  Restored r = restored({1, 1}, {Term(1), NodeId(0)}, voters(3));
  r.memberships.emplace_back(at(1, 2), joint);
  Lone n(Lone::options(1), std::move(r));
  n.win(2);
  n.sync();
  ASSERT_EQ(n.core.role(), Role::leader);
  EXPECT_TRUE(n.core.membership().joint());
  n.ack(3, 3);
  EXPECT_TRUE(n.core.membership().joint()) << "node 2 has not got it";
  n.ack(2, 3);
  EXPECT_FALSE(n.core.membership().joint());
  EXPECT_EQ(n.core.last_log_id(), at(2, 4));
}

// --- In the log

TEST(MembershipRules, AMembershipCountsFromItsAppendAndComesBackByTruncation) {
  Lone n(3, 3, {1}, 1);
  const Membership wide = with_learner_4();
  const Membership joint = joint_with_joining(wide);
  n.step(1, append(1, at(1, 1), {membership_entry(1, 2, wide), membership_entry(1, 3, joint)}));
  EXPECT_EQ(n.core.membership(), joint) << "not committed, and it counts (Raft 6)";
  n.sync();
  n.step(2, append(2, at(1, 2), {entry(2, 3)}));
  EXPECT_EQ(n.core.membership(), wide) << "exactly the one before";
  n.step(1, append(3, at(1, 1), {entry(3, 2)}));
  EXPECT_EQ(n.core.membership(), voters(3));
}

/// M04: appended, not committed, restarted.
TEST(MembershipRules, ARestartedNodeUsesTheNewestMembershipInItsLog) {
  Restored r = restored({1, 1}, {Term(1), NodeId(0)}, voters(3));
  r.memberships.emplace_back(at(1, 2), with_learner_4());
  Lone n(Lone::options(1), std::move(r));
  EXPECT_EQ(n.core.membership(), with_learner_4());
  EXPECT_EQ(n.core.change_status().configuration, Index(2));
  EXPECT_FALSE(n.core.change_status().committed);
}

TEST(MembershipRules, ANodeThatKnowsNobodyFollowsWhoeverAddsIt) {
  Restored r;
  Lone n(Lone::options(4), std::move(r));
  n.tick(100);
  EXPECT_TRUE(n.sent.empty()) << "it belongs to no cluster and asks nobody";
  n.step(1, append(3, LogId{}, {entry(1, 1), entry(3, 2)}));
  n.step(1, append(3, at(3, 2), {membership_entry(3, 3, with_learner_4())}, 3));
  EXPECT_TRUE(n.core.has_cluster());
  EXPECT_EQ(n.core.role(), Role::learner);
  n.sync();
  EXPECT_EQ(n.got<AppendResponse>(1).back().match, Index(3));
  n.tick(100);
  EXPECT_TRUE(n.got<VoteRequest>().empty()) << "a learner stands in no election";
  // A voter whose log has a later membership may need its vote.
  n.step(2, vote_request(4, at(3, 9)));
  n.sync();
  EXPECT_TRUE(n.got<VoteResponse>(2).back().granted);
}

TEST(MembershipRules, WhoWasRemovedIsToldSoWhenItAsks) {
  Membership m = left_joint(joint_without(voters(3), NodeId(3)));
  Restored r = restored({1, 1}, {Term(1), NodeId(0)}, voters(3));
  r.memberships.emplace_back(at(1, 2), m);
  Lone n(Lone::options(1), std::move(r));
  n.step(3, vote_request(2, at(1, 2), true));
  EXPECT_FALSE(n.got<VoteResponse>(3).back().removed) << "not committed as far as it knows: it may be needed";
  n.step(2, heartbeat(1, 2));
  n.tick(15);
  n.step(3, vote_request(9, at(1, 9), true));
  EXPECT_TRUE(n.got<VoteResponse>(3).back().removed);
  n.step(3, vote_request(9, at(1, 9)));
  EXPECT_TRUE(n.got<VoteResponse>(3).back().removed);
  EXPECT_EQ(n.core.term(), Term(1)) << "its term is not taken up";

  Lone asker(3, 3, {1}, 1);
  while (asker.core.role() != Role::pre_candidate) asker.tick();
  VoteResponse no = vote_response(1, false, true);
  no.removed = true;
  asker.step(1, no);
  EXPECT_TRUE(asker.core.removed());
  asker.forget();
  asker.tick(200);
  EXPECT_TRUE(asker.sent.empty());
}

// --- Kept with the log, for when the data is lost

/// Its voters of long ago, all removed meanwhile, would elect it against the cluster.
TEST(MembershipRules, ANodeThatLostItsDataCountsByTheMembershipThatItsLogKept) {
  ChangingCluster c(3, 1, [](Options& o) {
    o.compaction.keep_entries = 5;
    o.compaction.laggard_bytes = 0;
  });
  const std::uint64_t leader = c.leader();
  ASSERT_TRUE(c.change(leader, replace_node(leader == 3 ? 2 : 3, 4)));
  c.run(100);
  for (std::uint64_t id : {leader, std::uint64_t{4}}) {
    ASSERT_GT(c.core(id).log().purged().index, Index(20)) << id;
    c.crash(id);
    c.node(id).lose_data();
    c.start(id);
    EXPECT_TRUE(c.core(id).needs_snapshot());
    EXPECT_TRUE(c.core(id).membership().is_voter(NodeId(4)))
        << "node " << id << " counts by voters of long ago";
  }
}

}  // namespace
}  // namespace kiwi::raft
