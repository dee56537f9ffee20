// What clients of loads do, seen in the history of runs.

#include <algorithm>

#include "runs.hpp"

namespace kiwi::lab {
namespace {

using history::Operation;
using history::Outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string script(const std::string& load, const std::string& body) {
  return "scenario s\ncluster nodes=3 seed=7\nload L1 " + load + "\n" + body;
}

std::vector<Operation> of_load(const RunRecord& record, const std::string& load) {
  std::vector<Operation> found;
  for (const Operation& operation : record.history.operations()) {
    if (operation.load == load) {
      found.push_back(operation);
    }
  }
  return found;
}

std::size_t count(const std::vector<Operation>& operations, Outcome outcome) {
  return static_cast<std::size_t>(
      std::count_if(operations.begin(), operations.end(),
                    [&](const auto& operation) { return operation.outcome == outcome; }));
}

TEST(Loads, RateGivesAboutThatManyOperationsAndAllValuesAreUnique) {
  const RunRecord record = run_text(script("clients=8 keys=4 rate=200/s mix=\"get 50, set 40, incr 10\"",
                                           "at 1s  start L1\nat 11s  stop L1\n"));
  EXPECT_EQ(record.verdict.outcome, lab::Outcome::pass) << record.verdict.why;
  const auto operations = of_load(record, "L1");
  EXPECT_GT(operations.size(), 1800u);
  EXPECT_LT(operations.size(), 2200u);
  std::set<std::string> values;
  for (const Operation& operation : operations) {
    if (operation.command[0] == "SET") {
      EXPECT_TRUE(values.insert(operation.command[2]).second) << operation.command[2];
    }
    EXPECT_EQ(operation.command[1].substr(0, 4), operation.command[0] == "INCR" ? "L1:c" : "L1:k");
  }
}

TEST(Loads, ClosedLoopClientsSendTheNextWhenTheyHaveTheReply) {
  const RunRecord record =
      run_text(script("clients=2 rate=closed think=9ms", "at 1s  start L1\nat 2s  stop L1\n"));
  const auto operations = of_load(record, "L1");
  // Two clients, 10 ms a turn.
  EXPECT_NEAR(static_cast<double>(operations.size()), 200, 10);
  for (const Operation& operation : operations) {
    EXPECT_TRUE(operation.returned_at);
  }
}

TEST(Loads, OpsBoundsThem) {
  const RunRecord record = run_text(script("rate=1000/s ops=50", "at 1s  start L1\nat 2s  stop L1\n"));
  EXPECT_EQ(of_load(record, "L1").size(), 50u);
}

TEST(Loads, MovedIsNotDoneAndTheClientGoesToTheLeader) {
  const RunRecord record = run_text(script("clients=6 rate=closed", "at 1s  start L1\nat 2s  stop L1\n"));
  const auto operations = of_load(record, "L1");
  const std::size_t refused = count(operations, Outcome::not_done);
  EXPECT_GT(refused, 0u);
  EXPECT_LE(refused, 6u);  // each client once at most
  EXPECT_GT(count(operations, Outcome::done), 1000u);
}

TEST(Loads, AfterATimeOutTheOutcomeIsUnknownAndTheClientIsSomebodyElse) {
  const RunRecord record =
      run_text(script("clients=1 rate=closed timeout=100ms", "at 1s  start L1\nat 4s  stop L1\n"),
               [](FakeBackend& cluster) {
                 cluster.at(seconds(2), [&] { cluster.swallow(true); });
                 cluster.at(milliseconds(2500), [&] { cluster.swallow(false); });
               });
  EXPECT_EQ(record.verdict.outcome, lab::Outcome::pass) << record.verdict.why;
  const auto operations = of_load(record, "L1");
  EXPECT_GE(count(operations, Outcome::unknown), 4u);
  std::set<std::uint64_t> retired;
  std::set<std::vector<std::string>> unknown_writes;
  for (const Operation& operation : operations) {
    EXPECT_FALSE(retired.contains(operation.client));
    EXPECT_FALSE(unknown_writes.contains(operation.command)) << "an unknown write was sent again";
    if (operation.outcome == Outcome::unknown) {
      EXPECT_EQ(*operation.returned_at - operation.invoked_at, milliseconds(100));
      retired.insert(operation.client);
      if (operation.command[0] == "SET") {
        unknown_writes.insert(operation.command);
      }
    }
  }
}

TEST(Loads, WhatWasInFlightOnALostConnectionIsUnknown) {
  const RunRecord record = run_text(script("clients=1 pipeline=10 rate=closed think=0",
                                           "at 1s  start L1\n"
                                           "at 2s  disconnect L1\n"
                                           "at 3s  stop L1\n"));
  const auto operations = of_load(record, "L1");
  EXPECT_GT(count(operations, Outcome::unknown), 0u);
  for (const Operation& operation : operations) {
    if (operation.outcome == Outcome::unknown) {
      EXPECT_EQ(operation.returned_at, seconds(2));
    }
  }
}

TEST(Loads, AClientOnAnUnreachableNodeGoesElsewhere) {
  const RunRecord record = run_text(script("clients=3 rate=closed",
                                           "at 0s  crash n1\n"
                                           "at 1s  start L1\n"
                                           "at 2s  stop L1\n"
                                           "        restart n1\n"));
  EXPECT_EQ(record.verdict.outcome, lab::Outcome::pass) << record.verdict.why;
  EXPECT_GT(count(of_load(record, "L1"), Outcome::done), 500u);
}

TEST(Loads, ClosedLoopClientsSurviveATimeWithoutALeader) {
  const RunRecord record =
      run_text(script("clients=4 pipeline=20 rate=closed think=20ms", "at 0s  start L1\nat 3s  stop L1\n"),
               [](FakeBackend& cluster) {
                 cluster.may_elect = false;
                 cluster.at(milliseconds(0), [&] { cluster.depose(); });
                 cluster.at(seconds(1), [&] { cluster.elect(NodeId(2)); });
               });
  std::size_t late = 0;
  for (const Operation& operation : of_load(record, "L1")) {
    late += operation.outcome == Outcome::done && operation.invoked_at > seconds(2) ? 1 : 0;
  }
  EXPECT_GT(late, 100u);
}

TEST(Loads, AClientOfOneNodeFollowsNobody) {
  const RunRecord record =
      run_text(script("clients=1 rate=closed to=n3", "at 1s  start L1\nat 2s  stop L1\n"));
  for (const Operation& operation : of_load(record, "L1")) {
    EXPECT_EQ(operation.node, NodeId(3));
    EXPECT_EQ(operation.outcome, Outcome::not_done);
  }
  EXPECT_EQ(record.verdict.outcome, lab::Outcome::vacuous);
}

TEST(Loads, RateAndBurstChangeARunningLoad) {
  const RunRecord record = run_text(script("clients=10 pipeline=10 rate=100/s",
                                           "at 1s  start L1\n"
                                           "at 2s  burst L1 50\n"
                                           "at 3s  rate L1 1000/s\n"
                                           "at 4s  stop L1\n"));
  const auto operations = of_load(record, "L1");
  EXPECT_NEAR(static_cast<double>(operations.size()), 100 + 50 + 100 + 1000, 120);
  EXPECT_EQ(std::count_if(operations.begin(), operations.end(),
                          [](const auto& operation) { return operation.invoked_at == seconds(2); }),
            50);
}

TEST(Loads, AllKeysAreReadAtTheEnd) {
  const RunRecord record = run_text(script("keys=5 rate=closed", "at 1s  start L1\nat 2s  stop L1\n"));
  EXPECT_EQ(record.figures.at("keys not read at the end"), 0u);
  EXPECT_TRUE(record.history.marked_at(history::kFinalReads));
}

TEST(Loads, ALostWriteIsFound) {
  const RunRecord record = run_text(
      script("keys=5 rate=closed mix=\"set 1\"", "at 1s  start L1\nat 2s  stop L1\n"),
      [](FakeBackend& cluster) { cluster.at(milliseconds(1900), [&] { cluster.forget_write(20); }); });
  // A later write of the key may hide it: 20 writes on, 5 keys, 100 ms of writes behind it.
  EXPECT_EQ(record.verdict.outcome, lab::Outcome::pass) << record.verdict.check;
  const RunRecord seen = run_text(
      script("keys=5 rate=closed mix=\"set 1, get 9\"", "at 1s  start L1\nat 2s  stop L1\n"),
      [](FakeBackend& cluster) { cluster.at(milliseconds(1500), [&] { cluster.forget_write(1); }); });
  EXPECT_EQ(seen.verdict.outcome, lab::Outcome::fail);
  EXPECT_EQ(seen.verdict.check.substr(0, 8), "clients:");
}

TEST(Loads, ALostIncrementIsFound) {
  const RunRecord record = run_text(
      script("keys=2 rate=closed mix=\"incr 1\"", "at 1s  start L1\nat 2s  stop L1\n"),
      [](FakeBackend& cluster) { cluster.at(milliseconds(1500), [&] { cluster.forget_write(1); }); });
  EXPECT_EQ(record.verdict.outcome, lab::Outcome::fail);
}

TEST(Loads, StaleReadsAreJudgedApart) {
  const RunRecord record = run_text(
      "scenario s\ncluster nodes=3 seed=7\nload L1 keys=3 rate=closed\nload S1 stale=L1 rate=closed "
      "clients=3\n"
      "at 1s  start L1\n        start S1\nat 2s  stop L1\n        stop S1\n");
  EXPECT_EQ(record.verdict.outcome, lab::Outcome::pass) << record.verdict.why;
  for (const Operation& operation : of_load(record, "S1")) {
    EXPECT_EQ(operation.command[0], "GET");
  }
}

}  // namespace
}  // namespace kiwi::lab
