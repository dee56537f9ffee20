// Links follow the membership; who may speak to whom when nodes come and go; what operators ask.

#include "messages/codec.hpp"
#include "raft_world.hpp"

namespace kiwi::test {
namespace {

using testing::HasSubstr;

RaftSetup nodes(std::uint64_t n) {
  return {.nodes = n, .raft = {}, .bindings = {}, .restored = {}, .log = {}};
}

Hello hello_of(std::uint64_t id, std::uint64_t instance = 0) {
  Hello hello;
  hello.protocol_version = kPeerProtocolVersion;
  hello.cluster = kCluster;
  hello.node = NodeId(id);
  hello.target = NodeId(1);
  hello.instance = InstanceId(instance == 0 ? 10 * id : instance);
  hello.address = member(id).address;
  return hello;
}

HelloVerdict verdict(RaftWorld& w, Hello hello) {
  auto question = w.world.ask<HelloVerdict>(w.raft, HelloQuestion{std::move(hello)});
  w.run();
  return question.reply();
}

AdminCall change(raft::MembershipChange::Kind kind, std::uint64_t id) {
  AdminCall call;
  call.change.kind = kind;
  call.change.node = NodeId(id);
  if (kind != raft::MembershipChange::Kind::remove)
    call.change.address = member(id).address;
  return call;
}

Question<AdminAnswer> ask(RaftWorld& w, AdminCall call) {
  auto question = w.world.ask<AdminAnswer>(w.raft, std::move(call));
  w.run();
  return question;
}

using Kind = raft::MembershipChange::Kind;

/// While nodes 2 and 3 answer; bounded.
void wait_until_its_link_ends(RaftWorld& w, std::uint64_t id) {
  for (int i = 0; i < 400 && !w.peer(id).asked_to_exit().has_value(); ++i) {
    w.ticks(1);
    w.serve(2);
    w.serve(3);
  }
}

TEST(RaftMembers, ALearnerIsLinkedAtOnceAndItsAdderIsAnsweredOnceThatIsCommitted) {
  RaftWorld w(nodes(3));
  w.lead();
  EXPECT_FALSE(w.has_peer(4));
  auto added = ask(w, change(Kind::add_learner, 4));
  ASSERT_TRUE(w.has_peer(4)) << "the newest membership counts, committed or not";
  EXPECT_TRUE(w.peer_hello(4).invites);
  EXPECT_EQ(added.answers(), 0u);
  w.serve(2);
  EXPECT_EQ(added.reply().problem, "");
  EXPECT_EQ(added.reply().index, Index(2));
  EXPECT_EQ(w.status().membership.learners, std::vector<NodeId>{NodeId(4)});
}

TEST(RaftMembers, TheLinkOfWhoLeftEndsOnceItWasTold) {
  RaftWorld w(nodes(3));
  w.lead();
  ask(w, change(Kind::add_learner, 4));
  w.serve_all();
  auto removed = ask(w, change(Kind::remove, 4));
  w.serve_all();
  EXPECT_EQ(removed.reply().problem, "");
  EXPECT_FALSE(w.peer(4).asked_to_exit().has_value());
  wait_until_its_link_ends(w, 4);
  EXPECT_TRUE(w.peer(4).asked_to_exit().has_value());
  EXPECT_FALSE(w.peer(2).asked_to_exit().has_value());
  EXPECT_FALSE(w.peer(3).asked_to_exit().has_value());
  const auto refusal = verdict(w, hello_of(4));
  EXPECT_THAT(refusal.refusal, HasSubstr("node 4 was removed"));
  EXPECT_TRUE(refusal.own.removed);
}

TEST(RaftMembers, WhoWasRemovedLongAgoAndStillSpeaksIsRungUpToBeTold) {
  RaftWorld w(nodes(3));
  w.lead();
  ask(w, change(Kind::add_learner, 4));
  w.serve_all();
  ask(w, change(Kind::remove, 4));
  w.serve_all();
  wait_until_its_link_ends(w, 4);
  ASSERT_TRUE(w.peer(4).asked_to_exit().has_value());
  // It was cut off all that time, and its own link outlived the cut: no Hello comes before its words.
  VoteRequest vote;
  vote.term = w.status().term + 7;
  vote.pre_vote = true;
  w.from(4, vote);
  w.run();
  EXPECT_FALSE(w.peer(4).asked_to_exit().has_value()) << "a new link";
  EXPECT_TRUE(w.peer_hello(4).removed);
  EXPECT_FALSE(w.peer_hello(4).invites);
}

TEST(RaftMembers, WhoSpeaksOnLongAfterItsRemovalIsRungUpAnewToBeTold) {
  RaftWorld w(nodes(3));
  w.lead();
  ask(w, change(Kind::add_learner, 4));
  w.serve_all();
  ask(w, change(Kind::remove, 4));
  w.serve_all();
  ASSERT_FALSE(w.peer_hello(4).removed);
  // What is sent to it is lost, what it says arrives: the link of before is never out of use.
  for (int i = 0; i < 400 && !w.peer_hello(4).removed; ++i) {
    VoteRequest vote;
    vote.term = w.status().term + 7;
    vote.pre_vote = true;
    w.from(4, vote);
    w.ticks(1);
    w.serve(2);
    w.serve(3);
  }
  EXPECT_TRUE(w.peer_hello(4).removed);
  EXPECT_FALSE(w.peer(4).asked_to_exit().has_value());
}

TEST(RaftMembers, WhoIsRungUpToBeToldAsksForNothingAnyMore) {
  RaftWorld w(nodes(3));
  auto call = hello_of(2);
  call.removed = true;
  call.cluster = ClusterId(78);
  EXPECT_THAT(verdict(w, call).refusal, HasSubstr("another cluster"));
  EXPECT_FALSE(w.status().removed) << "another cluster knows nothing of it";
  call.cluster = kCluster;
  EXPECT_THAT(verdict(w, call).refusal, HasSubstr("has heard that it was removed"));
  w.ticks(100);
  EXPECT_TRUE(w.status().removed);
  EXPECT_TRUE(w.heard_by<VoteRequest>(2).empty());
}

TEST(RaftMembers, OnlyALeaderChangesThem) {
  RaftWorld w(nodes(3));
  HeartbeatRequest beat;
  beat.term = Term(3);
  w.from(2, beat);
  w.run();
  const auto answer = ask(w, change(Kind::add_learner, 4)).reply();
  EXPECT_EQ(answer.kind, AnswerKind::not_leader);
  EXPECT_EQ(answer.leader, member(2).address);
}

TEST(RaftMembers, ANodeThatAsksForItselfIsJudgedByItsInstanceAndCluster) {
  auto setup = nodes(3);
  setup.bindings = {{NodeId(4), InstanceId(44)}};
  RaftWorld w(setup);
  w.lead();
  auto wiped = change(Kind::add_voter, 4);
  wiped.instance = InstanceId(45);
  EXPECT_THAT(ask(w, wiped).reply().problem, HasSubstr("another data directory"));
  auto foreign = change(Kind::add_voter, 5);
  foreign.instance = InstanceId(55);
  foreign.cluster = ClusterId(78);
  EXPECT_THAT(ask(w, foreign).reply().problem, HasSubstr("another cluster"));
  auto right = change(Kind::add_voter, 4);
  right.instance = InstanceId(44);
  right.cluster = kCluster;
  auto first = ask(w, right);
  w.serve(2);
  EXPECT_EQ(first.reply().problem, "");
  // Its answer was lost: asking again changes nothing.
  EXPECT_EQ(ask(w, right).reply().problem, "");
  EXPECT_EQ(w.status().change.configuration, first.reply().index);
}

TEST(RaftMembers, AStrangerOfTheSameClusterIsAnsweredWhereItSays) {
  RaftWorld w(nodes(3));
  EXPECT_EQ(verdict(w, hello_of(9)).refusal, "");
  ASSERT_TRUE(w.has_peer(9));
  EXPECT_FALSE(w.peer_hello(9).invites);
  // It leads by a membership that this node has not got yet; clients are sent there.
  HeartbeatRequest beat;
  beat.term = Term(7);
  w.from(9, beat);
  w.run();
  EXPECT_FALSE(w.heard_by<HeartbeatResponse>(9).empty());
  w.submit(1, {RaftWorld::set("a")});
  EXPECT_EQ(w.answers(1).at(0).kind, AnswerKind::not_leader);
  EXPECT_EQ(w.answers(1).at(0).leader, member(9).address);
}

TEST(RaftMembers, AStrangerThatIsSilentIsForgotten) {
  RaftWorld w(nodes(3));
  EXPECT_EQ(verdict(w, hello_of(9)).refusal, "");
  w.ticks(199);
  EXPECT_FALSE(w.peer(9).asked_to_exit().has_value());
  w.ticks(10);
  EXPECT_TRUE(w.peer(9).asked_to_exit().has_value());
}

TEST(RaftMembers, AStrangerThatSpeaksAgainAfterALongSilenceIsAnswered) {
  RaftWorld w(nodes(3));
  EXPECT_EQ(verdict(w, hello_of(9)).refusal, "");
  w.ticks(220);
  ASSERT_TRUE(w.peer(9).asked_to_exit().has_value());
  // Its own link still stands: no Hello comes before its words.
  HeartbeatRequest beat;
  beat.term = Term(70);
  w.from(9, beat);
  w.run();
  EXPECT_FALSE(w.peer(9).asked_to_exit().has_value()) << "a new link";
  EXPECT_FALSE(w.heard_by<HeartbeatResponse>(9).empty());
}

TEST(RaftMembers, StrangersAreFew) {
  RaftWorld w(nodes(3));
  for (std::uint64_t id = 10; id < 26; ++id) EXPECT_EQ(verdict(w, hello_of(id)).refusal, "");
  EXPECT_THAT(verdict(w, hello_of(26)).refusal, HasSubstr("too many others"));
  EXPECT_EQ(verdict(w, hello_of(10)).refusal, "");
}

TEST(RaftMembers, AFreshNodeAcceptsAnInvitationDurablyAndOnce) {
  RaftWorld w(nodes(0));
  auto invitation = hello_of(2);
  invitation.invites = true;
  EXPECT_THAT(verdict(w, hello_of(2)).refusal, HasSubstr("no cluster yet")) << "not invited";
  EXPECT_THAT(verdict(w, invitation).refusal, HasSubstr("call again"));
  EXPECT_THAT(verdict(w, invitation).refusal, HasSubstr("call again"));
  ASSERT_EQ(w.storage.calls_of<AdoptCluster>().size(), 1u);
  EXPECT_EQ(w.status().cluster, ClusterId(0)) << "not before the disk has it";
  auto& call = w.storage.next<AdoptCluster>();
  EXPECT_EQ(call.as<AdoptCluster>().cluster, kCluster);
  EXPECT_TRUE(call.as<AdoptCluster>().initial.members.empty());
  w.storage.reply(call, kCluster);
  w.run();
  EXPECT_EQ(verdict(w, invitation).refusal, "");
  EXPECT_EQ(w.status().cluster, kCluster);
  auto other = invitation;
  other.cluster = ClusterId(78);
  EXPECT_THAT(verdict(w, other).refusal, HasSubstr("another cluster"));
  auto init = w.world.ask<ClusterId>(w.raft, Bootstrap{});
  w.run();
  EXPECT_FALSE(init.succeeded());
}

TEST(RaftMembers, WhoIsToldThatItWasRemovedAsksForNothingAnyMore) {
  RaftWorld w(nodes(3));
  w.world.tell(w.raft, ToldRemoved{NodeId(2)});
  w.run();
  w.ticks(100);
  EXPECT_TRUE(w.status().removed);
  EXPECT_TRUE(w.heard_by<VoteRequest>(2).empty());
  w.submit(1, {RaftWorld::set("a")});
  EXPECT_EQ(w.answers(1).at(0).kind, AnswerKind::removed);
  w.ticks(200);
  EXPECT_TRUE(w.peer(2).asked_to_exit().has_value()) << "it dials nobody any more";
  EXPECT_TRUE(w.peer(3).asked_to_exit().has_value());
}

TEST(RaftMembers, LeadershipIsHandedOverBeforeANodeLeaves) {
  RaftWorld w(nodes(3));
  w.lead();
  AdminCall leave;
  leave.what = AdminCall::What::leave;
  auto left = ask(w, leave);
  EXPECT_EQ(left.answers(), 0u);
  w.submit(1, {RaftWorld::set("a")});
  EXPECT_EQ(w.kinds(1).at(0), AnswerKind::handing_over);
  w.serve_all();
  const auto term = w.status().term;
  HeartbeatRequest beat;
  beat.term = term + 1;
  w.from(2, beat);
  w.run();
  EXPECT_EQ(left.reply().leader, member(2).address);
}

TEST(RaftMembers, WhoLedAMomentAgoSaysWhereLeadershipWent) {
  RaftWorld w(nodes(3));
  w.lead();
  HeartbeatRequest beat;
  beat.term = w.status().term + 1;
  w.from(2, beat);
  w.run();
  AdminCall leave;
  leave.what = AdminCall::What::leave;
  EXPECT_EQ(ask(w, leave).reply().leader, member(2).address);
  for (int i = 0; i < 100; ++i) {
    w.ticks(1);
    w.from(2, beat);
    w.run();
  }
  EXPECT_EQ(ask(w, leave).reply().leader.redis_port, 0) << "its clients know by now";
}

TEST(RaftMembers, WhoDoesNotLeadOrIsAloneLeavesAtOnce) {
  AdminCall leave;
  leave.what = AdminCall::What::leave;
  RaftWorld follower(nodes(3));
  EXPECT_EQ(ask(follower, leave).reply().leader.redis_port, 0);
  RaftWorld alone(nodes(1));
  alone.lead();
  EXPECT_EQ(ask(alone, leave).reply().leader.redis_port, 0);
}

}  // namespace
}  // namespace kiwi::test
