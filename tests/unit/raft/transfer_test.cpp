// Transfers of leadership: thesis 3.10.

#include <gtest/gtest.h>

#include "tests/unit/raft/changing_cluster.hpp"

namespace kiwi::raft {
namespace {

using Kind = ChangeRefusal::Kind;
using Outcome = TransferEnd::Outcome;

tl::expected<void, ChangeRefusal> transfer(Core& core, std::uint64_t target) {
  return core.transfer_leadership(NodeId(target));
}

tl::expected<void, ChangeRefusal> transfer(ChangingCluster& c, std::uint64_t at, std::uint64_t target) {
  tl::expected<void, ChangeRefusal> answer;
  c.node(at).turn([&](Core& core) { answer = transfer(core, target); });
  return answer;
}

/// Node 1 leads three nodes; its no-op at 1 is committed, and both others answer heartbeats.
Lone leader_of_three() {
  Lone n(1, 3, {}, 0);
  n.win(2);
  n.sync();
  for (std::uint64_t id : {2, 3}) {
    HeartbeatResponse m;
    m.term = n.core.term();
    m.formats = kKnownFormats;
    n.step(id, m);
    n.ack(id, 1);
  }
  n.forget();
  return n;
}

TEST(Transfer, TheTargetLeadsAtOnce) {
  ChangingCluster c(3);
  const std::uint64_t leader = c.leader();
  const std::uint64_t target = leader == 3 ? 2 : 3;
  const Term term = c.core(leader).term();
  ASSERT_TRUE(transfer(c, leader, target));
  c.settle();
  EXPECT_EQ(c.leader(2), target) << "without waiting for a time-out";
  EXPECT_EQ(c.core(target).term(), term + 1);
  ASSERT_EQ(c.node(leader).transfers_ended.size(), 1u);
  EXPECT_EQ(c.node(leader).transfers_ended[0].outcome, Outcome::done);
  EXPECT_EQ(c.node(leader).transfers_ended[0].target, NodeId(target));
  const std::size_t before = c.committed();
  c.run(3);
  EXPECT_GT(c.committed(), before);
}

TEST(Transfer, WithoutATargetTheLongestLogIsTaken) {
  Lone n = leader_of_three();
  ASSERT_TRUE(n.core.propose(EntryKind::command, Bytes::copy_of("a")));
  n.take();
  n.ack(3, 2);
  ASSERT_TRUE(transfer(n.core, 0));
  n.take();
  EXPECT_EQ(n.got<TimeoutNowRequest>(3).size(), 1u);
  EXPECT_TRUE(n.got<TimeoutNowRequest>(2).empty());
}

TEST(Transfer, ItWaitsForALevelTargetAndRefusesProposalsMeanwhile) {
  Lone n = leader_of_three();
  ASSERT_TRUE(n.core.propose(EntryKind::command, Bytes::copy_of("a")));
  ASSERT_TRUE(transfer(n.core, 2));
  n.take();
  EXPECT_TRUE(n.core.transferring());
  EXPECT_TRUE(n.got<TimeoutNowRequest>().empty()) << "node 2 lacks entry 2";
  EXPECT_EQ(n.core.propose(EntryKind::command, Bytes()).error(), Refusal::handing_over);
  EXPECT_EQ(n.core.propose(EntryKind::tick, Bytes()).error(), Refusal::handing_over);
  EXPECT_EQ(transfer(n.core, 3).error().kind, Kind::handing_over);
  n.sync();
  n.ack(3, 2);
  EXPECT_EQ(n.core.commit(), Index(2)) << "what was proposed before goes on";
  EXPECT_TRUE(n.got<TimeoutNowRequest>().empty());
  n.ack(2, 2);
  ASSERT_EQ(n.got<TimeoutNowRequest>(2).size(), 1u);
  EXPECT_EQ(n.core.role(), Role::leader) << "until it hears of a later term";
  n.tick(2);
  EXPECT_EQ(n.got<TimeoutNowRequest>(2).size(), 2u) << "the question may be lost";
  EXPECT_TRUE(n.got<TimeoutNowRequest>(3).empty());

  n.step(2, vote_request(n.core.term().value + 1, n.core.last_log_id(), false, true));
  EXPECT_NE(n.core.role(), Role::leader);
  n.sync();
  EXPECT_TRUE(n.got<VoteResponse>(2).at(0).granted) << "it votes for its successor";
}

TEST(Transfer, ItEndsAfterAnElectionTimeOutAndTheLeaderLeadsOn) {
  for (const bool level : {false, true}) {
    Lone n = leader_of_three();
    if (!level) {
      ASSERT_TRUE(n.core.propose(EntryKind::command, Bytes::copy_of("a")));
    }
    ASSERT_TRUE(transfer(n.core, 2));
    std::optional<TransferEnd> end;
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(n.core.transferring()) << i;
      n.core.tick();
      end = n.core.take_output().transfer_ended;
      HeartbeatResponse m;
      m.term = n.core.term();
      n.core.step(NodeId(3), m);
    }
    ASSERT_TRUE(end);
    EXPECT_EQ(end->outcome, Outcome::aborted);
    EXPECT_FALSE(n.core.transferring());
    EXPECT_EQ(n.core.role(), Role::leader);
    EXPECT_TRUE(n.core.propose(EntryKind::command, Bytes::copy_of("b")));
    EXPECT_EQ(n.core.counters().transfers_aborted, 1u);
  }
}

TEST(Transfer, WhoCannotLeadIsNoTarget) {
  ChangingCluster c(3, 1);
  const std::uint64_t leader = c.leader();
  ASSERT_TRUE(c.change(leader, add_learner(4)));
  c.run(10);
  EXPECT_EQ(transfer(c, leader, leader).error().kind, Kind::no_change);
  EXPECT_EQ(transfer(c, leader, 4).error().kind, Kind::unknown_node) << "a learner";
  EXPECT_EQ(transfer(c, leader, 9).error().kind, Kind::unknown_node);
  const std::uint64_t dead = leader == 3 ? 2 : 3;
  EXPECT_EQ(transfer(c, dead, leader).error().kind, Kind::not_leader);
  c.crash(dead);
  c.run(25);
  EXPECT_EQ(transfer(c, leader, dead).error().kind, Kind::no_target);

  ChangingCluster alone(1);
  EXPECT_EQ(transfer(alone, alone.leader(), 0).error().kind, Kind::no_target);
}

/// G06: the target hears its old leader while it stands.
TEST(Transfer, AHeartbeatOfTheOldLeaderDoesNotStopTheTarget) {
  Lone n(2, 3, {1}, 1);
  n.step(1, heartbeat(1));
  n.sync();
  TimeoutNowRequest now;
  now.term = Term(1);
  n.step(1, now);
  EXPECT_EQ(n.core.role(), Role::candidate) << "no pre-vote: the leader itself asks for it";
  n.step(1, heartbeat(1));
  EXPECT_EQ(n.core.role(), Role::candidate);
  ASSERT_FALSE(n.got<HeartbeatResponse>(1).empty());
  EXPECT_EQ(n.got<HeartbeatResponse>(1).back().term, Term(2)) << "so the old leader steps down";
  n.sync();
  ASSERT_EQ(n.got<VoteRequest>(3).size(), 1u);
  EXPECT_TRUE(n.got<VoteRequest>(3)[0].transfer);
  n.step(3, vote_response(2, true, false));
  EXPECT_EQ(n.core.role(), Role::leader);
}

TEST(Transfer, AVoterThatHearsItsLeaderVotesForTheSuccessor) {
  Lone n(3, 3, {1}, 1);
  n.step(1, heartbeat(1));
  n.step(2, vote_request(2, at(1, 1)));
  EXPECT_FALSE(n.got<VoteResponse>(2).back().granted) << "not for just anybody (thesis 4.2.3)";
  n.step(2, vote_request(2, at(1, 1), false, true));
  n.sync();
  EXPECT_TRUE(n.got<VoteResponse>(2).back().granted);
}

/// R03. There is no lease: a read is served only after a majority confirmed this term once it had come.
TEST(Transfer, AReadOfTheOldLeaderIsNeverServedAfterTheNewOneMayHaveCommitted) {
  Lone n = leader_of_three();
  ASSERT_TRUE(transfer(n.core, 2));
  n.take();
  ASSERT_EQ(n.got<TimeoutNowRequest>(2).size(), 1u);
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  EXPECT_TRUE(n.reads.empty()) << "not from what it knew before";
  // Node 2 and 3 are in the next term by now: the only answers that can come say so.
  HeartbeatResponse m;
  m.term = n.core.term() + 1;
  n.step(3, m);
  EXPECT_TRUE(n.reads.empty());
  ASSERT_EQ(n.failed.size(), 1u);
  EXPECT_EQ(n.failed[0], 7u);
}

TEST(Transfer, TheTargetDiesAndAnotherLeadsOrNobody) {
  ChangingCluster c(3);
  const std::uint64_t leader = c.leader();
  const std::uint64_t target = leader == 3 ? 2 : 3;
  // The target wins and is gone before anybody hears it.
  c.lose([&](NodeId from, const Outgoing& m) {
    return from.value == target && !std::holds_alternative<VoteRequest>(m.message);
  });
  ASSERT_TRUE(transfer(c, leader, target));
  c.run(1);
  c.crash(target);
  const std::uint64_t next = c.leader(200);
  EXPECT_NE(next, 0u);
  EXPECT_NE(next, target);
  ASSERT_EQ(c.node(leader).transfers_ended.size(), 1u) << "it is told in any case";
  EXPECT_NE(c.node(leader).transfers_ended[0].outcome, Outcome::done);
}

/// Rolling restarts: each node hands over before it stops; nothing is refused for longer than a moment.
TEST(Transfer, LeadershipGoesRoundWithoutAnElectionTimeOut) {
  ChangingCluster c(3);
  std::uint64_t leader = c.leader();
  for (int i = 0; i < 6; ++i) {
    const std::size_t before = c.committed();
    ASSERT_TRUE(transfer(c, leader, 0));
    c.run(2);
    const std::uint64_t next = c.leader(1);
    ASSERT_NE(next, 0u);
    ASSERT_NE(next, leader);
    c.crash(leader);
    c.run(30);
    c.start(leader);
    c.run(3);
    EXPECT_GE(c.committed(), before + 30) << "a write in each tick went through";
    EXPECT_EQ(c.leader(1), next);
    leader = next;
  }
}

}  // namespace
}  // namespace kiwi::raft
