// The leader's own ticks: they carry the time into the log when somebody waits for it (rule 8).

#include "raft_world.hpp"

namespace kiwi::test {
namespace {

using testing::ElementsAre;
using testing::Pair;

struct RaftTicks : testing::Test {
  RaftWorld w;
  void SetUp() override {
    w.lead();
    w.ticks(4);
    // Time has passed since the last entry: a reply about a deadline just met needs a tick.
    w.needs_tick = [](const StateQuery& query) { return query.now_ms; };
  }
  std::size_t ticks_written() {
    std::size_t count = 0;
    for (auto* call : w.storage.calls_of<LogWrite>())
      for (const auto& entry : call->as<LogWrite>().entries) count += entry.kind == EntryKind::tick ? 1 : 0;
    return count;
  }
};

TEST_F(RaftTicks, AReplyThatNeedsATickWaitsUntilItIsApplied) {
  w.hold_writes = w.hold_applies = true;
  w.submit(1, {w.get("expired")});
  EXPECT_TRUE(w.answers(1).empty());
  ASSERT_EQ(ticks_written(), 1u);
  w.write_one();
  EXPECT_TRUE(w.answers(1).empty()) << "written, and still lost in a crash of the machine: not yet applied";
  w.apply_one();
  ASSERT_EQ(w.answers(1).size(), 1u);
  EXPECT_EQ(w.answers(1)[0].reply, saw("expired", 1)) << "the reply of the read's own place, not asked again";
}

TEST_F(RaftTicks, OnlyOneTickIsInFlightAndItReleasesAllWhoAskedBeforeItWasApplied) {
  w.hold_writes = true;
  w.submit(1, {w.get("a")});
  w.submit(2, {w.get("b")});
  ASSERT_EQ(ticks_written(), 1u);
  w.ticks(2);
  w.submit(3, {w.get("c")});  // its place is before the tick, so its time is not later than the tick's
  EXPECT_EQ(ticks_written(), 1u);
  EXPECT_TRUE(w.answers(3).empty());
  w.write_one();
  EXPECT_EQ(w.answers(1).size(), 1u);
  EXPECT_EQ(w.answers(2).size(), 1u);
  EXPECT_EQ(w.answers(3).size(), 1u);
  w.ticks(5);
  EXPECT_EQ(ticks_written(), 1u);
}

TEST_F(RaftTicks, AWriteWithThatStampReleasesAsWell) {
  w.hold_writes = true;
  w.submit(1, {w.set("x")});  // in flight, with a stamp of now
  w.submit(2, {w.get("a")});
  w.write_one();
  EXPECT_EQ(w.kinds(2)[0], AnswerKind::done);
}

TEST_F(RaftTicks, AReplyThatNeedsNoMoreThanIsAppliedGoesAtOnce) {
  w.needs_tick = [](const StateQuery&) { return std::uint64_t{1000}; };  // long ago
  w.submit(1, {w.get("a")});
  EXPECT_EQ(w.answers(1).size(), 1u);
  EXPECT_EQ(ticks_written(), 0u);
}

TEST_F(RaftTicks, AHeldReplyThatTakesTooLongIsGivenUpOnce) {
  w.hold_writes = true;
  w.submit(1, {w.get("a")});
  w.ticks(5000 / kTickMs + 3);
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::no_leader)));
  w.hold_writes = false;
  w.run();
  EXPECT_EQ(w.answers(1).size(), 1u);
}

TEST_F(RaftTicks, ADeadlineThatIsDueBringsATick) {
  w.needs_tick = [](const StateQuery&) { return std::uint64_t{0}; };
  w.next_deadline_ms = w.world.now_ms() + 10 * kTickMs;
  w.submit(1, {w.set("x")});
  w.ticks(9);
  EXPECT_EQ(ticks_written(), 0u) << "not due yet";
  w.hold_applies = true;
  w.ticks(1);
  EXPECT_EQ(ticks_written(), 1u);
  w.ticks(5);
  EXPECT_EQ(ticks_written(), 1u) << "one is on its way";
  w.next_deadline_ms = 0;
  w.hold_applies = false;
  w.run();
  w.ticks(20);
  EXPECT_EQ(ticks_written(), 1u) << "nothing waits for time any more";
}

TEST_F(RaftTicks, NoTickWhileWritesCarryTheTime) {
  w.next_deadline_ms = w.world.now_ms() + kTickMs;
  w.submit(1, {w.set("x")});
  w.hold_writes = true;
  w.submit(1, {w.set("y")});  // in flight when the deadline comes
  w.ticks(5);
  EXPECT_EQ(ticks_written(), 0u);
}

TEST(RaftTicksOfThree, AFollowerProposesNone) {
  RaftWorld w({.nodes = 3, .raft = {}, .bindings = {}, .restored = {}, .log = {}});
  w.next_deadline_ms = 1;
  AppendRequest append;
  append.term = Term(3);
  append.commit = Index(1);
  append.sequence = 1;
  append.entries.push_back({{Term(3), Index(1)}, EntryKind::command, 1000, text("x")});
  w.from(2, append);
  w.run();
  ASSERT_EQ(w.applied.index, Index(1));
  w.ticks(5);
  EXPECT_EQ(w.log.size(), 1u);
}

TEST(RaftTicksOfThree, AHeldReplyOfALostLeaderIsRefused) {
  RaftWorld w({.nodes = 3, .raft = {}, .bindings = {}, .restored = {}, .log = {}});
  w.lead();
  w.ticks(2);
  w.serve_all();
  w.needs_tick = [](const StateQuery& query) { return query.now_ms; };
  w.submit(1, {w.get("a")});
  auto beats = w.heard_by<HeartbeatRequest>(2);
  ASSERT_FALSE(beats.empty());
  w.from(2, HeartbeatResponse{w.status().term, beats.back().round, w.world.now_ms()});
  w.run();
  EXPECT_THAT(w.machine_calls, testing::Contains("query a"));
  EXPECT_TRUE(w.answers(1).empty());
  auto term = w.status().term;
  // Leadership is lost: the next leader's clock may be behind, and show the key alive again.
  w.from(3, HeartbeatRequest{term + 1, Index(0), 0});
  w.run();
  ASSERT_EQ(w.answers(1).size(), 1u);
  EXPECT_EQ(w.answers(1)[0].kind, AnswerKind::not_leader);
  EXPECT_EQ(w.answers(1)[0].leader, member(3).address);
}

}  // namespace
}  // namespace kiwi::test
