// A write is met three times: proposed, durable, applied. Only then is it answered (rule 9).

#include "raft_world.hpp"

namespace kiwi::test {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(RaftAnswers, AWriteIsAnsweredOnlyWhenItIsDurableAndApplied) {
  RaftWorld w;
  w.lead();
  w.hold_writes = w.hold_applies = true;
  auto question = w.propose("a");
  w.ticks(3);
  EXPECT_EQ(w.storage.calls_of<ApplyBatch>().size(), 1u) << "of the leader's own first entry";
  EXPECT_EQ(question.answers(), 0u);
  w.write_one();
  EXPECT_EQ(w.storage.next<ApplyBatch>().as<ApplyBatch>().entries.front().payload, text("a"));
  EXPECT_EQ(question.answers(), 0u);
  w.apply_one();
  EXPECT_EQ(question.reply(), (ClientResponse{Index(2), did("a")}));
}

TEST(RaftAnswers, AWriteIsNotAnsweredBeforeAQuorumHasIt) {
  RaftWorld w({.nodes = 3, .raft = {}, .bindings = {}, .restored = {}, .log = {}});
  w.lead();
  auto question = w.propose("a");
  EXPECT_THAT(w.machine_calls, ElementsAre());
  EXPECT_EQ(question.answers(), 0u);
  w.serve(3);
  EXPECT_THAT(w.machine_calls, ElementsAre("apply 2 a"));
  EXPECT_EQ(question.reply().reply, did("a"));
}

TEST(RaftAnswers, AQuorumOfOthersIsNotEnoughToApplyHere) {
  RaftWorld w({.nodes = 3, .raft = {}, .bindings = {}, .restored = {}, .log = {}});
  w.lead();
  w.hold_writes = true;
  auto question = w.propose("a");
  w.serve_all();
  EXPECT_EQ(w.status().commit, Index(2));
  EXPECT_THAT(w.machine_calls, ElementsAre()) << "rule 6: applied is only what this node's log holds";
  EXPECT_EQ(question.answers(), 0u);
  w.write_one();
  EXPECT_EQ(question.reply().reply, did("a"));
}

TEST(RaftAnswers, WhatIsSentToOthersDoesNotWaitForTheOwnDisk) {
  RaftWorld w({.nodes = 3, .raft = {}, .bindings = {}, .restored = {}, .log = {}});
  w.lead();
  w.hold_writes = true;
  w.propose("a");
  auto appends = w.heard_by<AppendRequest>(2);
  ASSERT_EQ(appends.size(), 1u);
  EXPECT_EQ(appends[0].entries.at(0).payload, text("a"));
}

TEST(RaftAnswers, APipelineIsAnsweredInItsOrderAndInOneMessage) {
  RaftWorld w;
  w.lead();
  w.submit(1, {w.set("a"), w.set("b"), w.set("c")});
  w.submit(2, {w.set("d")});
  auto answers = w.answers(1);
  ASSERT_EQ(answers.size(), 3u);
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(answers[i].slot, i);
    EXPECT_EQ(answers[i].kind, AnswerKind::done);
  }
  EXPECT_EQ(answers[2].reply, did("c"));
  EXPECT_EQ(w.answers(2).at(0).reply, did("d"));
}

TEST(RaftAnswers, CommandsThatCameTogetherAreWrittenTogether) {
  RaftWorld w;
  w.lead();
  auto writes = w.storage.calls_of<LogWrite>().size();
  auto applies = w.storage.calls_of<ApplyBatch>().size();
  w.submit(1, {w.set("a"), w.set("b"), w.set("c")});
  EXPECT_EQ(w.storage.calls_of<LogWrite>().size(), writes + 1);
  EXPECT_EQ(w.storage.calls_of<ApplyBatch>().size(), applies + 1);
}

TEST(RaftAnswers, TheNextWriteGoesToDiskWhileTheLastOneIsSynced) {
  RaftWorld w;
  w.lead();
  w.hold_writes = true;
  w.submit(1, {w.set("a")});
  w.submit(1, {w.set("b")});
  auto writes = w.storage.calls_of<LogWrite>();
  ASSERT_GE(writes.size(), 2u);
  // In order, whichever comes first from the disk.
  w.write_one();
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::done)));
  w.write_one();
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::done), Pair(1, AnswerKind::done)));
}

TEST(RaftAnswers, AboveTheLimitAWriteIsRefusedAtOnceAndNotDone) {
  RaftSetup setup;
  setup.raft.max_uncommitted_bytes = 1000;
  RaftWorld w(std::move(setup));
  w.lead();
  w.hold_writes = true;
  w.submit(1, {w.set(std::string(600, 'a')), w.set(std::string(600, 'b')), w.set("c")});
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(1, AnswerKind::overloaded)));
  w.hold_writes = false;
  w.run();
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::done), Pair(1, AnswerKind::overloaded),
                                      Pair(2, AnswerKind::done)));
  EXPECT_EQ(w.machine_calls.size(), 2u);
  w.submit(1, {w.set(std::string(600, 'd'))});
  EXPECT_EQ(w.kinds(1)[3], AnswerKind::done) << "there is room again";
}

TEST(RaftAnswers, AWriteThatTakesTooLongIsUnknownOnceAndItsLateReplyIsDropped) {
  RaftWorld w;
  w.lead();
  w.hold_applies = true;
  w.submit(1, {w.set("a")});
  auto question = w.propose("b");
  w.ticks(5000 / kTickMs);
  EXPECT_TRUE(w.answers(1).empty());
  w.ticks(3);
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::unknown)));
  ASSERT_EQ(question.answers(), 1u);
  EXPECT_EQ(answer_kind_of(question.error()), AnswerKind::unknown);
  w.hold_applies = false;
  w.submit(1, {w.set("c")});
  w.ticks(1);
  EXPECT_THAT(w.machine_calls, ElementsAre("apply 2 a", "apply 3 b", "apply 4 c"));
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::unknown), Pair(1, AnswerKind::done)));
  EXPECT_EQ(question.answers(), 1u);
}

TEST(RaftAnswers, AWriteThatTheDiskDoesNotTakeIsUnknownToo) {
  RaftWorld w;
  w.lead();
  w.hold_writes = true;
  w.submit(1, {w.set("a")});
  w.ticks(5000 / kTickMs + 3);
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::unknown)));
  w.hold_writes = false;
  w.run();
  EXPECT_THAT(w.machine_calls, ElementsAre("apply 2 a"))
      << "unknown is not a promise that it will not happen";
  EXPECT_EQ(w.answers(1).size(), 1u);
}

TEST(RaftAnswers, WithoutALeaderNobodyIsTold) {
  RaftWorld w({.nodes = 3, .raft = {}, .bindings = {}, .restored = {}, .log = {}});
  w.submit(1, {w.set("a"), w.get("b")});
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::no_leader), Pair(1, AnswerKind::no_leader)));
  EXPECT_EQ(answer_kind_of(w.propose("c").error()), AnswerKind::no_leader);
}

TEST(RaftAnswers, AFollowerNamesTheLeader) {
  RaftWorld w({.nodes = 3, .raft = {}, .bindings = {}, .restored = {}, .log = {}});
  w.from(2, HeartbeatRequest{Term(4), Index(0), 0});
  w.run();
  w.submit(1, {w.set("a"), w.get("b")});
  auto answers = w.answers(1);
  ASSERT_EQ(answers.size(), 2u);
  for (const auto& answer : answers) {
    EXPECT_EQ(answer.kind, AnswerKind::not_leader);
    EXPECT_EQ(answer.leader, member(2).address);
  }
  auto error = w.query("c").error();
  EXPECT_EQ(answer_kind_of(error), AnswerKind::not_leader);
  EXPECT_EQ(leader_of(error), member(2).address);
}

TEST(RaftAnswers, WithoutAClusterEverythingIsRefused) {
  RaftWorld w({.nodes = 0, .raft = {}, .bindings = {}, .restored = {}, .log = {}});
  w.submit(1, {w.set("a"), w.get("b"), w.stale_get("c")});
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::no_cluster), Pair(1, AnswerKind::no_cluster),
                                      Pair(2, AnswerKind::no_cluster)));
  EXPECT_EQ(answer_kind_of(w.propose("d").error()), AnswerKind::no_cluster);
}

}  // namespace
}  // namespace kiwi::test
