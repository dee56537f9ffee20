// Every verdict, and that each can be had.

#include "lab/run/load_spec.hpp"
#include "runs.hpp"

namespace kiwi::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kHead = "scenario s\ncluster nodes=3 seed=7 settle=2s\nload L1 rate=closed keys=4\n";

Verdict verdict_of(const std::string& body, const Prepare& prepare = {}) {
  return run_text(kHead + body, prepare).verdict;
}

TEST(Verdicts, Pass) {
  const Verdict verdict = verdict_of("at 0s  start L1\nat 1s  crash n2\nat 2s  restart n2\nat 3s  stop L1\n");
  EXPECT_EQ(verdict.outcome, Outcome::pass) << verdict.why;
  EXPECT_EQ(verdict.check, "");
}

TEST(Verdicts, ABrokenInvariantEndsTheRun) {
  const RunRecord record =
      run_text(std::string(kHead) + "at 0s  start L1\nat 9s  stop L1\n",
               [](FakeBackend& cluster) { cluster.at(seconds(2), [&] { cluster.break_invariant(); }); });
  EXPECT_EQ(record.verdict.outcome, Outcome::fail);
  EXPECT_EQ(record.verdict.check, "invariant:7");
  EXPECT_LT(record.ended, seconds(3));
}

TEST(Verdicts, ANodeThatEndsByItselfWithoutAReasonFails) {
  const auto end = [](FakeBackend& cluster) {
    cluster.at(seconds(2), [&] { cluster.end_node(NodeId(2), "assertion"); });
  };
  EXPECT_EQ(verdict_of("at 0s  start L1\nat 5s  stop L1\n", end).check, "node-ended");
  // A disk fault on that node is a reason; one on another is not.
  EXPECT_EQ(verdict_of("at 0s  start L1\nat 1s fail n2 sync eio\nat 5s  stop L1\n", end).outcome,
            Outcome::pass);
  EXPECT_EQ(verdict_of("at 0s  start L1\nat 1s fail n3 sync eio\nat 5s  stop L1\n", end).check, "node-ended");
}

TEST(Verdicts, NoLeaderAfterHealingIsAFailureOfLiveness) {
  const Verdict verdict = verdict_of("at 0s  start L1\nat 1s  crash n1\nat 5s  stop L1\n",
                                     [](FakeBackend& cluster) { cluster.may_elect = false; });
  EXPECT_EQ(verdict.outcome, Outcome::fail);
  EXPECT_EQ(verdict.check, "liveness");
}

TEST(Verdicts, FaultsAreMendedAtTheEnd) {
  const RunRecord record =
      run_text(std::string(kHead) +
               "at 0s  start L1\nat 1s  crash n1\n        pause n2\n        cut n3 -> n2\n"
               "at 2s  stop L1\n");
  EXPECT_EQ(record.verdict.outcome, Outcome::pass) << record.verdict.why;
  std::vector<std::string> closing;
  for (const Step& step : record.steps) {
    if (step.closing) {
      closing.push_back(step.action.verb);
    }
  }
  EXPECT_EQ(closing, (std::vector<std::string>{"heal", "resume", "restart"}));
}

TEST(Verdicts, ReplicasThatDifferFail) {
  const Verdict verdict = verdict_of("at 0s  start L1\nat 1s  stop L1\n",
                                     [](FakeBackend& cluster) { cluster.lie_about_digest(NodeId(3)); });
  EXPECT_EQ(verdict.outcome, Outcome::fail);
  EXPECT_EQ(verdict.check, "digest-equal");
}

TEST(Verdicts, AFaultThatChangesNothingIsVacuous) {
  const Verdict verdict =
      verdict_of("at 0s  start L1\nat 1s  cut n1 -> n2\nat 2s  heal all\nat 3s  stop L1\n",
                 [](FakeBackend& cluster) { cluster.ineffective = {"cut"}; });
  EXPECT_EQ(verdict.outcome, Outcome::vacuous);
  EXPECT_EQ(verdict.check, "vacuous: cut");
}

TEST(Verdicts, AFaultOnNobodyIsVacuous) {
  const Verdict verdict = verdict_of("at 0s  start L1\nat 1s  crash learners\nat 2s  stop L1\n");
  EXPECT_EQ(verdict.outcome, Outcome::vacuous);
}

TEST(Verdicts, TooFewOperationsAreVacuous) {
  const RunRecord record = run_text(
      "scenario s\ncluster nodes=3 floor=1000\nload L1 rate=10/s\nat 0s  start L1\nat 1s  stop L1\n");
  EXPECT_EQ(record.verdict.outcome, Outcome::vacuous);
  EXPECT_EQ(record.verdict.check, "vacuous: floor");
}

TEST(Verdicts, NoOperationDuringAFaultIsVacuous) {
  const Verdict verdict = verdict_of("at 0s  start L1\nat 1s  stop L1\nat 2s  crash n2\nat 3s  restart n2\n");
  EXPECT_EQ(verdict.outcome, Outcome::vacuous);
  EXPECT_EQ(verdict.check, "vacuous: overlap");
}

// A process that is started again at once is away for some time all the same.
TEST(Verdicts, ARestartInTheSameInstantIsAFaultForASecond) {
  const std::string story = "at 0s  start L1\nat 1s  stop L1\n";
  const RunRecord record =
      run_text(std::string(kHead) + story + "at 500ms  crash n2\n          restart n2\n");
  EXPECT_EQ(record.verdict.outcome, Outcome::pass) << record.verdict.why;
  const auto& windows = record.windows;
  ASSERT_EQ(windows.size(), 1U);
  ASSERT_TRUE(windows[0].until);
  EXPECT_EQ(*windows[0].until - windows[0].from, seconds(1));
  EXPECT_EQ(verdict_of(story + "at 2s  crash n2\n       restart n2\n").check, "vacuous: overlap");
}

TEST(Verdicts, DemandsOfFinally) {
  const std::string story = "at 0s  start L1\nat 1s  crash n2\nat 2s  restart n2\nat 3s  stop L1\n";
  EXPECT_EQ(verdict_of(story + "finally fired(crash)\n").outcome, Outcome::pass);
  EXPECT_EQ(verdict_of(story + "finally fired(cut)\n").outcome, Outcome::vacuous);
  EXPECT_EQ(verdict_of(story + "finally sometimes(vote.synced)\n").outcome, Outcome::vacuous);
  const auto mark = [](FakeBackend& cluster) {
    cluster.at(seconds(2), [&] { cluster.pass_mark(NodeId(1), "vote.synced"); });
  };
  EXPECT_EQ(verdict_of(story + "finally sometimes(vote.synced)\n", mark).outcome, Outcome::pass);
  EXPECT_EQ(verdict_of(story + "finally never(vote.synced)\n", mark).outcome, Outcome::fail);
  EXPECT_EQ(verdict_of(story + "finally served(L1, during=crash, at-least=100)\n").outcome, Outcome::pass);
  EXPECT_EQ(verdict_of(story + "finally served(L1, during=crash, at-least=100000)\n").outcome, Outcome::fail);
  EXPECT_EQ(verdict_of(story + "finally gap(L1) < 200ms\n").outcome, Outcome::pass);
  EXPECT_EQ(
      verdict_of(
          "at 0s  start L1\nat 1s  crash n1\nat 2s  restart n1\nat 3s  stop L1\nfinally gap(L1) < 200ms\n")
          .outcome,
      Outcome::fail);
}

TEST(Verdicts, WhatTheBackendLacksIsUnsupportedBeforeTheStart) {
  RunOptions options;
  options.backend = "process";
  const RunRecord record = run_text(std::string(kHead) + "at 0s  kill-actor n1 raft\n", {}, options);
  EXPECT_EQ(record.verdict.outcome, Outcome::unsupported);
  EXPECT_TRUE(record.steps.empty());
}

TEST(Verdicts, MistakesOfLoadsAreNamed) {
  EXPECT_EQ(parse_load("L1", {{"clients", "0"}}).error(),
            "load L1: clients=0: clients wants a number from 1 to 1000");
  EXPECT_EQ(parse_load("L1", {{"to", "nowhere"}}).error(),
            "load L1: to=nowhere: to wants a node such as n1, or any");
  EXPECT_EQ(parse_load("L1", {{"stale", "L2"}, {"mix", "set 1"}}).error(),
            "load L1: stale loads read only, and 'set' writes");
  EXPECT_FALSE(parse_load("L1", {{"mix", "sett 1"}}));
  EXPECT_FALSE(parse_load("L1", {{"rate", "fast"}}));
  EXPECT_TRUE(parse_load("L1", {{"rate", "closed"}, {"think", "0"}, {"keys-by", "zipf"}}));
}

TEST(Verdicts, ARunThatDoesNotEndIsUnknown) {
  RunOptions options;
  options.longest = seconds(10);
  const RunRecord record = run_text("scenario s\ncluster nodes=3\nat 20s  note x\n", {}, options);
  EXPECT_EQ(record.verdict.outcome, Outcome::unknown);
  EXPECT_EQ(record.verdict.check, "endless");
}

TEST(Verdicts, TheWorstOfSeveralCounts) {
  EXPECT_EQ(worst(Outcome::pass, Outcome::vacuous), Outcome::vacuous);
  EXPECT_EQ(worst(Outcome::vacuous, Outcome::unknown), Outcome::unknown);
  EXPECT_EQ(worst(Outcome::unsupported, Outcome::unknown), Outcome::unsupported);
  EXPECT_EQ(worst(Outcome::fail, Outcome::unsupported), Outcome::fail);
  EXPECT_EQ(worst(Outcome::fail, Outcome::error), Outcome::error);
  EXPECT_EQ(exit_code(Outcome::unsupported), 5);
  EXPECT_EQ(exit_code(Outcome::error), 4);
}

}  // namespace
}  // namespace kiwi::lab
