// Linearizable reads, stale reads, and the order of one connection's commands (rule 13).

#include "raft_world.hpp"

namespace kiwi::test {
namespace {

using testing::ElementsAre;
using testing::Pair;

RaftSetup nodes(std::uint64_t n) {
  return {.nodes = n, .raft = {}, .bindings = {}, .restored = {}, .log = {}};
}

TEST(RaftReads, GetSetGetInOnePipelineReachesTheMachineInThatOrder) {
  for (std::uint64_t n : {1u, 3u}) {
    SCOPED_TRACE(n);
    RaftWorld w(nodes(n));
    w.lead();
    w.submit(1, {w.get("before"), w.set("x"), w.get("after")});
    for (int i = 0; i < 3; ++i) w.serve_all();
    EXPECT_THAT(w.machine_calls, ElementsAre("query before", "apply 2 x", "query after"));
    auto answers = w.answers(1);
    ASSERT_EQ(answers.size(), 3u);
    std::map<std::uint64_t, Reply> by_slot;
    for (auto& a : answers) by_slot[a.slot] = a.reply;
    EXPECT_EQ(by_slot[0], saw("before", 1));
    EXPECT_EQ(by_slot[1], did("x"));
    EXPECT_EQ(by_slot[2], saw("after", 2));
  }
}

TEST(RaftReads, ReadsBetweenManyWritesEachSeeThoseBeforeThemAndNoneBehind) {
  for (std::uint64_t n : {1u, 3u}) {
    SCOPED_TRACE(n);
    RaftWorld w(nodes(n));
    w.lead();
    std::vector<RaftWorld::Command> pipeline;
    for (int i = 0; i < 20; ++i) {
      pipeline.push_back(w.set("s" + std::to_string(i)));
      pipeline.push_back(w.get("g" + std::to_string(i)));
    }
    // In pieces, as a socket would bring them.
    w.submit(1, {pipeline.begin(), pipeline.begin() + 13});
    w.submit(1, {pipeline.begin() + 13, pipeline.begin() + 14});
    if (n > 1)
      w.serve(2);
    w.submit(1, {pipeline.begin() + 14, pipeline.end()});
    for (int i = 0; i < 6; ++i) w.serve_all();
    auto answers = w.answers(1);
    ASSERT_EQ(answers.size(), 40u);
    for (const auto& a : answers)
      if (a.slot % 2 == 1) {
        auto i = a.slot / 2;
        EXPECT_EQ(a.reply, saw("g" + std::to_string(i), 2 + i));
      }
  }
}

TEST(RaftReads, AReadIsServedOnlyAfterAQuorumConfirmedTheLeader) {
  RaftWorld w(nodes(3));
  w.lead();
  auto question = w.query("a");
  EXPECT_THAT(w.machine_calls, ElementsAre());
  auto beats = w.heard_by<HeartbeatRequest>(2);
  ASSERT_FALSE(beats.empty());
  auto round = beats.back().round;
  ASSERT_GT(round, 0u);
  // An answer to an earlier round proves nothing about now.
  w.from(2, HeartbeatResponse{w.status().term, round - 1, w.world.now_ms()});
  w.run();
  EXPECT_THAT(w.machine_calls, ElementsAre());
  w.from(2, HeartbeatResponse{w.status().term, round, w.world.now_ms()});
  w.run();
  EXPECT_THAT(w.machine_calls, ElementsAre("query a"));
  EXPECT_EQ(question.reply(), (ClientResponse{Index(1), saw("a", 1)}));
}

TEST(RaftReads, AReadCarriesTheLeadersTimeAndAStaleOneNone) {
  RaftWorld w(nodes(1));
  w.lead();
  w.ticks(7);
  w.query("a");
  w.query("b", true);
  auto calls = w.storage.calls_of<StateQueryBatch>();
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0]->as<StateQueryBatch>().queries[0].now_ms, w.world.now_ms());
  EXPECT_EQ(calls[1]->as<StateQueryBatch>().queries[0].now_ms, 0u);
}

TEST(RaftReads, AReadSharesTheRoundThatBeganAfterItAndNoOther) {
  RaftWorld w(nodes(3));
  w.lead();
  auto first = w.query("a");
  auto second = w.query("b");
  auto rounds = w.heard_by<HeartbeatRequest>(2);
  ASSERT_FALSE(rounds.empty());
  w.from(2, HeartbeatResponse{w.status().term, rounds.back().round, w.world.now_ms()});
  w.run();
  EXPECT_EQ(first.answers(), 1u);
  EXPECT_EQ(second.answers(), 0u) << "this round began before the second read";
  w.serve(2);
  EXPECT_EQ(second.answers(), 1u);
}

TEST(RaftReads, TheNextRoundBeginsWhenTheLastAnswerIsThere) {
  RaftWorld w(nodes(3));
  w.lead();
  w.heard_by<HeartbeatRequest>(3);
  w.hold_queries = true;
  auto first = w.query("a");
  w.serve(2);
  EXPECT_THAT(w.machine_calls, ElementsAre("query a"));
  auto second = w.query("b");
  auto third = w.query("c");
  EXPECT_TRUE(w.heard_by<HeartbeatRequest>(2).empty()) << "the machine is busy with the first";
  w.query_one();
  w.run();
  EXPECT_EQ(first.answers(), 1u);
  EXPECT_EQ(w.heard_by<HeartbeatRequest>(3).size(), 2u) << "one round for \"a\", one for both of these";
  w.serve(2);
  EXPECT_THAT(w.machine_calls, ElementsAre("query a", "query b", "query c"));
  w.query_one();
  w.run();
  EXPECT_EQ(second.answers(), 1u);
  EXPECT_EQ(third.answers(), 1u);
}

TEST(RaftReads, StaleReadsWithoutEndHoldUpNoRound) {
  RaftWorld w(nodes(3));
  w.lead();
  w.hold_queries = true;
  auto stale = w.query("stale", true);
  EXPECT_THAT(w.machine_calls, ElementsAre("query stale"));
  auto question = w.query("a");
  w.serve(2);
  EXPECT_THAT(w.machine_calls, ElementsAre("query stale", "query a")) << "the first is not answered yet";
  w.query_one();
  w.query_one();
  w.run();
  EXPECT_EQ(stale.answers(), 1u);
  EXPECT_EQ(question.answers(), 1u);
}

TEST(RaftReads, ReadsThatFailNameTheNewLeader) {
  RaftWorld w(nodes(3));
  w.lead();
  w.submit(1, {w.get("a")});
  auto question = w.query("b");
  w.from(2, HeartbeatRequest{w.status().term + 1, Index(0), 0});
  w.run();
  ASSERT_EQ(w.answers(1).size(), 1u);
  EXPECT_EQ(w.answers(1)[0].kind, AnswerKind::not_leader);
  EXPECT_EQ(w.answers(1)[0].leader, member(2).address);
  EXPECT_EQ(leader_of(question.error()), member(2).address);
  EXPECT_THAT(w.machine_calls, ElementsAre());
}

TEST(RaftReads, AReadWaitsForItsConnectionsEarlierWriteOnly) {
  RaftWorld w(nodes(1));
  w.lead();
  w.hold_writes = true;
  w.submit(1, {w.set("x")});
  w.submit(1, {w.get("mine")});
  w.submit(2, {w.get("theirs")});
  EXPECT_THAT(w.machine_calls, ElementsAre("query theirs"));
  w.hold_writes = false;
  w.run();
  EXPECT_THAT(w.machine_calls, ElementsAre("query theirs", "apply 2 x", "query mine"));
  EXPECT_EQ(w.answers(1).size(), 2u);
}

TEST(RaftReads, AReadBehindARefusedWriteIsServed) {
  RaftSetup setup = nodes(1);
  setup.raft.max_uncommitted_bytes = 300;
  RaftWorld w(std::move(setup));
  w.lead();
  w.submit(1, {w.set(std::string(200, 'a')), w.set(std::string(200, 'b')), w.get("g")});
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::done), Pair(1, AnswerKind::overloaded),
                                      Pair(2, AnswerKind::done)));
}

TEST(RaftReads, TooManyReadsAreRefused) {
  RaftSetup setup = nodes(3);
  setup.raft.max_pending_reads = 2;
  RaftWorld w(std::move(setup));
  w.lead();
  w.submit(1, {w.get("a"), w.get("b"), w.get("c")});
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(2, AnswerKind::overloaded)));
}

TEST(RaftReads, AReadThatTakesTooLongIsRefusedOnceAndItsLateAnswerDropped) {
  RaftWorld w(nodes(1));
  w.lead();
  w.hold_queries = true;
  w.submit(1, {w.get("a"), w.stale_get("b")});
  w.ticks(5000 / kTickMs + 3);
  ASSERT_EQ(w.answers(1).size(), 2u);
  for (auto& [slot, kind] : w.kinds(1)) EXPECT_NE(kind, AnswerKind::unknown) << "a read has no effect";
  w.hold_queries = false;
  w.run();
  EXPECT_EQ(w.answers(1).size(), 2u);
}

TEST(RaftReads, StaleReadsAreLoadingUntilTheNodeHasCaughtUp) {
  RaftWorld w(nodes(3));
  w.submit(1, {w.stale_get("a")});
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::loading)));
  EXPECT_EQ(answer_kind_of(w.query("b", true).error()), AnswerKind::loading);
  AppendRequest append;
  append.term = Term(3);
  append.commit = Index(2);
  append.sequence = 1;
  for (std::uint64_t i = 1; i <= 2; ++i)
    append.entries.push_back({{Term(3), Index(i)}, EntryKind::command, 1000, text("x")});
  w.hold_applies = true;
  w.from(2, append);
  w.run();
  w.submit(1, {w.stale_get("c")});
  EXPECT_EQ(w.kinds(1)[1], AnswerKind::loading) << "the leader had committed more than is applied here";
  w.hold_applies = false;
  w.run();
  w.submit(1, {w.stale_get("d")});
  EXPECT_EQ(w.answers(1).back().reply, saw("d", 2));
  EXPECT_EQ(w.query("e", true).reply().reply, saw("e", 2));
}

/// Follows node 2, which has sent entries 1 and 2 and said that the first is committed.
void follow_with_one_uncommitted(RaftWorld& w) {
  AppendRequest append;
  append.term = Term(3);
  append.commit = Index(1);
  append.sequence = 1;
  for (std::uint64_t i = 1; i <= 2; ++i)
    append.entries.push_back({{Term(3), Index(i)}, EntryKind::command, 1000, text("x")});
  w.from(2, append);
  w.run();
}

TEST(RaftReads, AStaleReadWaitsForWhatTheLogHereHolds) {
  RaftWorld w(nodes(3));
  follow_with_one_uncommitted(w);
  w.submit(1, {w.stale_get("a")});
  auto query = w.query("b", true);
  EXPECT_TRUE(w.answers(1).empty()) << "its client may have been told of entry 2";
  HeartbeatRequest heartbeat;
  heartbeat.term = Term(3);
  heartbeat.commit = Index(2);
  w.from(2, heartbeat);
  w.run();
  ASSERT_EQ(w.answers(1).size(), 1u);
  EXPECT_EQ(w.answers(1).back().reply, saw("a", 2));
  EXPECT_EQ(query.reply().reply, saw("b", 2));
}

TEST(RaftReads, AStaleReadDoesNotWaitForLong) {
  RaftWorld w(nodes(3));
  follow_with_one_uncommitted(w);
  w.submit(1, {w.stale_get("a")});
  w.ticks(3);
  ASSERT_EQ(w.answers(1).size(), 1u);
  EXPECT_EQ(w.answers(1).back().reply, saw("a", 1)) << "stale, as it says";
}

TEST(RaftReads, AStaleReadNeedsNoQuorum) {
  RaftWorld w(nodes(3));
  w.lead();
  EXPECT_EQ(w.query("a", true).reply().reply, saw("a", 1));
}

TEST(RaftReads, ReadonlyOnTheLeaderDoesNotLetAReadOvertakeItsConnectionsWrite) {
  RaftWorld w(nodes(3));
  w.lead();
  w.submit(1, {w.set("x"), w.stale_get("after")});
  EXPECT_TRUE(w.answers(1).empty());
  for (int i = 0; i < 3; ++i) w.serve_all();
  EXPECT_THAT(w.machine_calls, ElementsAre("apply 2 x", "query after"));
}

}  // namespace
}  // namespace kiwi::test
