// Time words and expectations, as stories on a cluster that elects 300 ms after it lost its leader.

#include "runs.hpp"

namespace kiwi::lab {
namespace {

using std::chrono::milliseconds;
using testing::Test;

constexpr const char* kHead = "scenario s\ncluster nodes=3 seed=7\n";

std::string script(const std::string& body) { return kHead + body; }

TEST(Expectations, WithinIsMetByAnElectionInTime) {
  const RunRecord record =
      run_text(script("at 1s  let old = leader\n"
                      "       crash old\n"
                      "       expect within 400ms  leader != old\n"
                      "       restart old\n"));
  EXPECT_EQ(record.verdict.outcome, Outcome::pass) << record.verdict.why;
  ASSERT_EQ(record.checks.size(), 1u);
  EXPECT_EQ(record.checks[0].until, milliseconds(1300));
}

TEST(Expectations, WithinIsMetExactlyAtItsDeadlineAndMissedAnInstantBefore) {
  EXPECT_EQ(run_text(script("at 1s  let old = leader\n"
                            "       crash old\n"
                            "       expect within 300ms  leader != old\n"
                            "       restart old\n"))
                .verdict.outcome,
            Outcome::pass);
  const RunRecord missed =
      run_text(script("at 1s  let old = leader\n"
                      "       crash old\n"
                      "       expect within 299999us  leader != old\n"));
  EXPECT_EQ(missed.verdict.outcome, Outcome::fail);
  EXPECT_EQ(missed.verdict.check, "expect within 299999us leader != n1");
  EXPECT_EQ(missed.ended, milliseconds(1300) - std::chrono::microseconds(1));
}

TEST(Expectations, ForMustHoldThroughout) {
  EXPECT_EQ(run_text(script("at 1s  expect for 2s  leader = n1\n")).verdict.outcome, Outcome::pass);
  const RunRecord broken = run_text(script("at 1s  expect for 2s  leader = n1\n"), [](FakeBackend& cluster) {
    cluster.at(milliseconds(1700), [&] { cluster.elect(NodeId(2)); });
    cluster.at(milliseconds(1701), [&] { cluster.elect(NodeId(1)); });
  });
  EXPECT_EQ(broken.verdict.outcome, Outcome::fail);
  EXPECT_EQ(broken.ended, milliseconds(1700));
}

TEST(Expectations, PlainLooksAtOnce) {
  EXPECT_EQ(run_text(script("at 1s  expect leader = n1\n")).verdict.outcome, Outcome::pass);
  EXPECT_EQ(run_text(script("at 1s  expect leader = n2\n")).verdict.outcome, Outcome::fail);
}

TEST(Expectations, AllPredicatesOfALineMustHold) {
  EXPECT_EQ(run_text(script("at 1s  expect leader = n1, leaders = 1, up(all)\n")).verdict.outcome,
            Outcome::pass);
  EXPECT_EQ(run_text(script("at 1s  expect leader = n1, leaders = 2\n")).verdict.outcome, Outcome::fail);
  EXPECT_EQ(run_text(script("at 1s  expect not down(n1), not failed(all)\n")).verdict.outcome, Outcome::pass);
}

TEST(Expectations, AlwaysLooksDuringTheWholeRun) {
  const auto blink = [](FakeBackend& cluster) {
    cluster.at(milliseconds(1500), [&] { cluster.elect(NodeId(2)); });
  };
  EXPECT_EQ(run_text(script("at 2s  note \"x\"\nalways leader-changes <= 2\n"), blink).verdict.outcome,
            Outcome::pass);
  const RunRecord broken = run_text(script("at 2s  note \"x\"\nalways term(all) <= 1\n"), blink);
  EXPECT_EQ(broken.verdict.outcome, Outcome::fail);
  EXPECT_EQ(broken.verdict.check, "always term(all) <= 1");
  EXPECT_EQ(broken.ended, milliseconds(1500));
}

TEST(TimeWords, AfterCountsFromTheLineAboveWhenItIsDone) {
  const RunRecord record =
      run_text(script("at 1s  let old = leader\n"
                      "       crash old\n"
                      "       expect within 1s leader != old\n"
                      "       after 200ms restart old\n"
                      "after 100ms  note \"done\"\n"));
  EXPECT_EQ(record.verdict.outcome, Outcome::pass) << record.verdict.why;
  const auto steps = steps_of(record);
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0], "! 1.000000s  crash n1");
  // The election at 1.3 s, one instant, 200 ms; then 100 ms after the block.
  EXPECT_EQ(steps[1], "! 1.500000001s  restart n1");
  EXPECT_EQ(steps[2], "! 1.600000001s  note done");
}

TEST(TimeWords, EveryRunsAtOnceAndThenUntilItsTimeIsOver) {
  const RunRecord record =
      run_text(script("at 1s\n"
                      "  every 1s for 3s  note \"tick\"\n"
                      "  note \"end\"\n"));
  const auto steps = steps_of(record);
  ASSERT_EQ(steps.size(), 4u);
  EXPECT_EQ(steps[2], "! 3.000000s  note tick");
  EXPECT_EQ(steps[3], "! 4.000000s  note end");
}

TEST(TimeWords, WhenAMarkIsPassedTheScriptGoesOnAnInstantLater) {
  const auto marks = [](FakeBackend& cluster) {
    cluster.at(milliseconds(100), [&] { cluster.pass_mark(NodeId(2), "vote.synced"); });
    cluster.at(milliseconds(200), [&] { cluster.pass_mark(NodeId(1), "vote.synced"); });
    cluster.at(milliseconds(300), [&] { cluster.pass_mark(NodeId(1), "vote.synced"); });
  };
  const RunRecord record = run_text(script("when mark vote.synced on leader  crash n2\n"
                                           "       after 1s restart n2\n"),
                                    marks);
  EXPECT_EQ(record.verdict.outcome, Outcome::pass) << record.verdict.why;
  EXPECT_EQ(steps_of(record)[0], "! 0.200000001s  crash n2");
  EXPECT_EQ(record.marks.at("vote.synced"), 3u);
}

TEST(TimeWords, WhenAMessageIsSeenTheScriptActsAtOnce) {
  const auto messages = [](FakeBackend& cluster) {
    cluster.at(milliseconds(100), [&] { cluster.send_message(NodeId(1), NodeId(3), "append", 40); });
    cluster.at(milliseconds(200), [&] { cluster.send_message(NodeId(1), NodeId(2), "append", 41); });
    cluster.at(milliseconds(300), [&] { cluster.send_message(NodeId(1), NodeId(3), "append", 41); });
  };
  const RunRecord record = run_text(script("when msg append n1->n3 (index = 41)  cut n1 -> n3\n"
                                           "       after 1s heal all\n"),
                                    messages);
  EXPECT_EQ(record.verdict.outcome, Outcome::pass) << record.verdict.why;
  EXPECT_EQ(steps_of(record)[0], "! 0.300000s  cut n1 -> n3");
}

TEST(TimeWords, WhenWithinFailsIfItDoesNotComeInTime) {
  const RunRecord record = run_text(script("when leader = n2 within 2s  note \"x\"\n"));
  EXPECT_EQ(record.verdict.outcome, Outcome::fail);
  EXPECT_EQ(record.verdict.check, "when: leader = n2");
  EXPECT_EQ(record.ended, std::chrono::seconds(2));
}

TEST(TimeWords, WhenThatNeverComesIsVacuous) {
  const RunRecord record = run_text(script("when mark vote.synced on n1  crash n1\n"));
  EXPECT_EQ(record.verdict.outcome, Outcome::vacuous);
  EXPECT_EQ(record.verdict.check, "vacuous: when mark vote.synced on n1");
}

TEST(Do, TheReplyIsComparedAndTheNextLineWaitsForIt) {
  const RunRecord record =
      run_text(script("at 1s  do SET color red -> OK\n"
                      "       do GET color -> \"red\"\n"
                      "       do INCR n -> 1\n"
                      "       do GET nothing -> nil\n"
                      "       do on n2 GET color -> error MOVED\n"
                      "       expect key color = red\n"));
  EXPECT_EQ(record.verdict.outcome, Outcome::pass) << record.verdict.why;
  const RunRecord wrong =
      run_text(script("at 1s  do SET color red -> OK\n"
                      "       do GET color -> \"blue\"\n"));
  EXPECT_EQ(wrong.verdict.outcome, Outcome::fail);
  EXPECT_EQ(wrong.verdict.check, "do GET color -> \"blue\"");
}

TEST(Do, NoReplyInTenSecondsFails) {
  const RunRecord record =
      run_text(script("at 1s  do SET color red\n"), [](FakeBackend& cluster) { cluster.swallow(true); });
  EXPECT_EQ(record.verdict.outcome, Outcome::fail);
  EXPECT_EQ(record.ended, std::chrono::seconds(11));
}

TEST(Let, KeepsWhatItWas) {
  const RunRecord record =
      run_text(script("at 1s  let old = leader\n"
                      "       let i = commit(leader)\n"
                      "       crash old\n"
                      "       expect within 1s leader != old\n"
                      "       restart old\n"
                      "       expect within 1s converged(all)\n"
                      "       do SET a b\n"
                      "       expect applied(all) > i\n"
                      "       expect leader != old\n"));
  EXPECT_EQ(record.verdict.outcome, Outcome::pass) << record.verdict.why;
}

TEST(Let, NobodyIsAMistakeOfTheScript) {
  const RunRecord record = run_text(script("at 1s  let x = learners\n"));
  EXPECT_EQ(record.verdict.outcome, Outcome::error);
}

}  // namespace
}  // namespace kiwi::lab
