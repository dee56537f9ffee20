// Leadership is lost while clients wait: what is committed gets its true reply, what was replaced is surely
// not done, and the fate of the rest is unknown. Each of them hears it once (rule 9).

#include "raft_world.hpp"

namespace kiwi::test {
namespace {

using testing::ElementsAre;
using testing::Pair;

RaftSetup three_nodes() { return {.nodes = 3, .raft = {}, .bindings = {}, .restored = {}, .log = {}}; }

struct RaftLeadership : testing::Test {
  RaftWorld w{three_nodes()};
  Term term;
  void SetUp() override {
    w.lead();
    term = w.status().term;
  }
  /// Node 2 leads in the next term and says so.
  void node_2_leads() {
    w.from(2, HeartbeatRequest{term + 1, Index(0), 0});
    w.run();
  }
  /// Node 2, leader of the next term, replicates `entries` after `previous`.
  void node_2_appends(LogId previous, std::vector<std::string> payloads, Index commit) {
    AppendRequest append;
    append.term = term + 1;
    append.previous = previous;
    append.commit = commit;
    append.sequence = 1;
    auto at = previous.index;
    for (auto& payload : payloads) {
      ++at;
      append.entries.push_back({{term + 1, at}, EntryKind::command, w.world.now_ms(), text(payload)});
    }
    w.from(2, append);
    w.run();
  }
};

TEST_F(RaftLeadership, WhatIsNotCommittedIsUnknownAtOnceAndOnlyOnce) {
  w.submit(1, {w.set("a"), w.set("b")});
  auto question = w.propose("c");
  node_2_leads();
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::unknown), Pair(1, AnswerKind::unknown)));
  EXPECT_EQ(answer_kind_of(question.error()), AnswerKind::unknown);
  // The new leader has them all the same, and commits them.
  node_2_appends({term, Index(4)}, {"x"}, Index(5));
  EXPECT_THAT(w.machine_calls, ElementsAre("apply 2 a", "apply 3 b", "apply 4 c", "apply 5 x"));
  EXPECT_EQ(w.answers(1).size(), 2u);
  EXPECT_EQ(question.answers(), 1u);
  w.ticks(1);
  EXPECT_EQ(w.answers(1).size(), 2u);
}

TEST_F(RaftLeadership, WhatIsBeingAppliedGetsItsTrueReply) {
  w.hold_applies = true;
  w.submit(1, {w.set("a")});
  w.serve(2);
  w.submit(1, {w.set("b")});
  node_2_leads();
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(1, AnswerKind::unknown)));
  w.apply_one();
  auto answers = w.answers(1);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[1].slot, 0u);
  EXPECT_EQ(answers[1].kind, AnswerKind::done);
  EXPECT_EQ(answers[1].reply, did("a"));
}

TEST_F(RaftLeadership, WhatIsCommittedButNotDurableHereGetsItsTrueReply) {
  w.hold_writes = true;
  w.submit(1, {w.set("a")});
  w.serve_all();
  ASSERT_EQ(w.status().commit, Index(2));
  node_2_leads();
  EXPECT_TRUE(w.answers(1).empty());
  w.hold_writes = false;
  w.run();
  ASSERT_EQ(w.answers(1).size(), 1u);
  EXPECT_EQ(w.answers(1)[0].reply, did("a"));
}

TEST_F(RaftLeadership, WhatWasReplacedIsSurelyNotDone) {
  w.submit(1, {w.set("a"), w.set("b")});
  // One message tells of the new leader and of what is committed in the place of a.
  node_2_appends({term, Index(1)}, {"x"}, Index(2));
  auto answers = w.answers(1);
  ASSERT_EQ(answers.size(), 2u);
  std::map<std::uint64_t, Answer> by_slot;
  for (auto& a : answers) by_slot[a.slot] = a;
  EXPECT_EQ(by_slot[0].kind, AnswerKind::not_leader);
  EXPECT_EQ(by_slot[0].leader, member(2).address);
  EXPECT_EQ(by_slot[1].kind, AnswerKind::unknown) << "nobody told this node what became of index 3";
  EXPECT_THAT(w.machine_calls, ElementsAre("apply 2 x"));
}

TEST_F(RaftLeadership, ALeaderWithoutAQuorumGivesUpAndItsWritesAreUnknown) {
  w.submit(1, {w.set("a"), w.get("b")});
  w.ticks(45);
  EXPECT_NE(w.status().role, raft::Role::leader);
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::unknown), Pair(1, AnswerKind::no_leader)));
}

TEST_F(RaftLeadership, WritesAfterTheLossAreRefusedNotUnknown) {
  node_2_leads();
  w.submit(1, {w.set("a")});
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::not_leader)));
  EXPECT_EQ(w.answers(1)[0].leader, member(2).address);
}

TEST_F(RaftLeadership, ALossAndAWriteInOneTurnDoNotMix) {
  // The write is in the mailbox right behind the message that ends the leadership.
  w.from(2, HeartbeatRequest{term + 1, Index(0), 0});
  auto question = w.propose("late");
  EXPECT_EQ(answer_kind_of(question.error()), AnswerKind::not_leader);
  EXPECT_EQ(w.status().last_log.index, Index(1));
}

TEST_F(RaftLeadership, LeadingAgainServesNewWritesAndForgetsOldOnes) {
  w.submit(1, {w.set("a")});
  node_2_leads();
  w.lead();
  ASSERT_GT(w.status().term, term + 1);
  EXPECT_EQ(w.answers(1).size(), 1u);
  w.submit(1, {w.set("b")});
  w.serve_all();
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::unknown), Pair(1, AnswerKind::done)));
  // Rule 13 holds after the loss as well.
  w.submit(1, {w.set("c"), w.get("d")});
  w.serve_all();
  w.serve_all();
  EXPECT_EQ(w.kinds(1)[3], AnswerKind::done);
}

TEST_F(RaftLeadership, EveryMemberButThisOneGetsAPeer) {
  EXPECT_FALSE(w.has_peer(1));
  EXPECT_TRUE(w.has_peer(2));
  EXPECT_TRUE(w.has_peer(3));
  EXPECT_EQ(w.peer_hello(2).cluster, kCluster);
  EXPECT_EQ(w.peer_hello(2).node, NodeId(1));
  EXPECT_EQ(w.peer_hello(2).instance, kInstance);
  EXPECT_EQ(w.peer_hello(2).protocol_version, kPeerProtocolVersion);
}

TEST_F(RaftLeadership, AVoteLeavesOnlyWhenItIsDurable) {
  node_2_leads();
  w.ticks(30);  // node 2 is silent, so this node would vote again
  w.heard_by<VoteResponse>(3);
  w.hold_writes = true;
  auto ask = w.status().term + 1;
  w.from(3, VoteRequest{ask, w.status().last_log, false, false});
  w.run();
  EXPECT_EQ(w.status().term, ask);
  EXPECT_TRUE(w.heard_by<VoteResponse>(3).empty());
  w.hold_writes = false;
  w.run();
  auto votes = w.heard_by<VoteResponse>(3);
  ASSERT_EQ(votes.size(), 1u);
  EXPECT_TRUE(votes[0].granted);
}

TEST_F(RaftLeadership, AFollowerAcknowledgesOnlyWhatIsDurable) {
  node_2_leads();
  w.heard_by<AppendResponse>(2);
  w.hold_writes = true;
  node_2_appends({term, Index(1)}, {"x", "y"}, Index(1));
  EXPECT_TRUE(w.heard_by<AppendResponse>(2).empty());
  w.hold_writes = false;
  w.run();
  auto acks = w.heard_by<AppendResponse>(2);
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_TRUE(acks[0].success);
  EXPECT_EQ(acks[0].match, Index(3));
}

}  // namespace
}  // namespace kiwi::test
