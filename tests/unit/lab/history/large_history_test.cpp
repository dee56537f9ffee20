// Histories of 100,000 operations: right ones pass, and one thing that went wrong is found and shown alone.

#include <gtest/gtest.h>

#include <algorithm>

#include "lab/history/check.hpp"
#include "tests/unit/lab/history/simulated_clients.hpp"

namespace kiwi::lab::history {
namespace {

using testing::Clients;
using testing::Random;

constexpr int kOperations = 100'000;

Clients load(int clients, std::vector<std::vector<std::string>> commands, int keys) {
  Clients options;
  options.clients = clients;
  options.operations = kOperations;
  options.lost_one_in = 1'000;
  options.refused_one_in = 100;
  options.command = testing::mix(std::move(commands), keys);
  return options;
}
const std::vector<std::vector<std::string>> kRegister = {{"SET", "KEY", "UNIQUE"}, {"GET", "KEY"}};
const std::vector<std::vector<std::string>> kCounter = {{"INCR", "KEY"}, {"GET", "KEY"}};
const std::vector<std::vector<std::string>> kDeleted = {
    {"SET", "KEY", "UNIQUE"}, {"GET", "KEY"}, {"GET", "KEY"}, {"DEL", "KEY"}, {"SET", "KEY", "UNIQUE", "NX"}};

/// Changes the first operation, from the middle on, for which `change` says that it did.
History damage(const History& history, const std::function<bool(Operation&)>& change) {
  bool damaged = false;
  const auto half = history.operations().size() / 2;
  auto bad = testing::changed(history, [&](Operation& o) {
    if (!damaged && o.number > half && o.outcome == Outcome::done)
      damaged = change(o);
  });
  EXPECT_TRUE(damaged);
  return bad;
}

void expect_found(const CheckResult& result, Kind kind, std::size_t most_operations) {
  ASSERT_EQ(result.verdict, Verdict::fail) << result.why;
  ASSERT_EQ(result.findings.size(), 1U);
  const auto& finding = result.findings[0];
  EXPECT_EQ(to_string(finding.kind), to_string(kind)) << finding.explanation;
  EXPECT_GE(finding.operations.size(), 1U);
  EXPECT_LE(finding.operations.size(), most_operations) << finding.explanation;
}

class LargeHistory : public ::testing::TestWithParam<int> {};

TEST_P(LargeHistory, RegistersPassByZones) {
  for (const int keys : {1, 100}) {
    const auto result = check(testing::simulate_with_final_reads(load(GetParam(), kRegister, keys), 1));
    EXPECT_EQ(result.verdict, Verdict::pass) << result.explanation();
    EXPECT_EQ(result.checker, "zones");
    EXPECT_EQ(result.statistics.keys_read_finally, static_cast<std::uint64_t>(keys));
    EXPECT_EQ(result.statistics.keys_not_read_finally, 0U);
    EXPECT_EQ(result.statistics.search_steps, 0U);
    EXPECT_GT(result.statistics.dropped_unseen_writes, 0U);
    EXPECT_GT(result.statistics.dropped_unknown_reads, 0U);
  }
}

TEST_P(LargeHistory, CountersPassByTheirOrder) {
  for (const int keys : {1, 100}) {
    const auto result = check(testing::simulate_with_final_reads(load(GetParam(), kCounter, keys), 2));
    EXPECT_EQ(result.verdict, Verdict::pass) << result.explanation();
    EXPECT_EQ(result.checker, "counter");
  }
}

TEST_P(LargeHistory, RegistersThatAreDeletedPassBySearch) {
  const auto result = check(testing::simulate_with_final_reads(load(GetParam(), kDeleted, 200), 3));
  EXPECT_EQ(result.verdict, Verdict::pass) << result.why << result.explanation();
  EXPECT_EQ(result.checker, "search");
  RecordProperty("search_steps", std::to_string(result.statistics.search_steps));
}

TEST_P(LargeHistory, CountersThatGoBothWaysPassBySearch) {
  const auto result =
      check(testing::simulate(load(GetParam(), {{"INCR", "KEY"}, {"DECR", "KEY"}, {"GET", "KEY"}}, 200), 4));
  EXPECT_EQ(result.verdict, Verdict::pass) << result.why << result.explanation();
}

// A read gives what the key held long before.
TEST_P(LargeHistory, AStaleReadIsFound) {
  const auto history = testing::simulate(load(GetParam(), kRegister, 10), 5);
  Reply old;
  const auto bad = damage(history, [&](Operation& o) {
    if (o.command[0] != "GET")
      return false;
    for (const auto& other : history.operations())
      if (other.command[0] == "SET" && other.command[1] == o.command[1] && other.outcome == Outcome::done) {
        o.reply = Reply::bulk(other.command[2]);
        return true;
      }
    return false;
  });
  const auto result = check(bad);
  ASSERT_EQ(result.findings.size(), 1U);
  if (result.findings[0].kind == Kind::session_went_back)
    expect_found(result, Kind::session_went_back, 4);
  else
    expect_found(result, Kind::stale_read, 4);
}

// An acknowledged write is gone, and so all reads after it show the one before.
TEST_P(LargeHistory, ALostWriteIsFoundByTheFinalRead) {
  const auto history = testing::simulate_with_final_reads(load(GetParam(), kRegister, 10), 6);
  const auto& final_read = history.operations().back();
  const auto bad = testing::changed(history, [&](Operation& o) {
    if (o.number == final_read.number)
      for (const auto& other : history.operations())
        if (other.command[0] == "SET" && other.command[1] == o.command[1] && other.outcome == Outcome::done) {
          o.reply = Reply::bulk(other.command[2]);
          return;
        }
  });
  expect_found(check(bad), Kind::lost_write, 4);
}

// Two increments got the same number.
TEST_P(LargeHistory, ALostUpdateIsFound) {
  auto options = load(GetParam(), kCounter, 10);
  options.refused_one_in = options.lost_one_in = 0;
  const auto bad = damage(testing::simulate(options, 7), [](Operation& o) {
    if (o.command[0] != "INCR")
      return false;
    o.reply = Reply::of(o.reply->integer - 1);
    return true;
  });
  const auto result = check(bad);
  ASSERT_EQ(result.verdict, Verdict::fail);
  EXPECT_LE(result.findings[0].operations.size(), 4U) << result.explanation();
}

// An increment was sent again and counted twice: everything after it is one too high.
TEST_P(LargeHistory, ADuplicateIncrementIsFound) {
  auto options = load(GetParam(), kCounter, 10);
  options.refused_one_in = options.lost_one_in = 0;
  const auto history = testing::simulate_with_final_reads(options, 8);
  std::int64_t from = -1;
  const auto bad = testing::changed(history, [&](Operation& o) {
    if (o.outcome != Outcome::done || o.command[1] != "k3" || o.reply->type == Reply::Type::nil)
      return;
    const bool is_read = o.reply->type == Reply::Type::bulk;
    const auto number = is_read ? std::stoll(o.reply->text.str()) : o.reply->integer;
    if (from < 0 && number > 3'000)
      from = number;
    if (from >= 0 && number >= from)
      o.reply = is_read ? Reply::bulk(std::to_string(number + 1)) : Reply::of(number + 1);
  });
  ASSERT_GT(from, 0);
  expect_found(check(bad), Kind::duplicate_effect, 4);
}

TEST_P(LargeHistory, APhantomValueIsFound) {
  const auto bad = damage(testing::simulate(load(GetParam(), kRegister, 10), 9), [](Operation& o) {
    if (o.command[0] != "GET")
      return false;
    o.reply = Reply::bulk(std::string("never written"));
    return true;
  });
  expect_found(check(bad), Kind::phantom_value, 1);
}

TEST_P(LargeHistory, AStaleReadOfADeletedRegisterIsFound) {
  const auto history = testing::simulate(load(GetParam(), kDeleted, 200), 10);
  const auto bad = damage(history, [&](Operation& o) {
    if (o.command[0] != "GET")
      return false;
    for (const auto& other : history.operations())
      if (other.command[0] == "SET" && other.command[1] == o.command[1] && other.command.size() == 3 &&
          other.outcome == Outcome::done &&
          *other.returned_at < o.invoked_at - Time(10 * kOperations / 100)) {
        o.reply = Reply::bulk(other.command[2]);
        return true;
      }
    return false;
  });
  const auto result = check(bad);
  ASSERT_EQ(result.verdict, Verdict::fail) << result.why;
  EXPECT_LE(result.findings[0].operations.size(), 8U) << result.explanation();
}

INSTANTIATE_TEST_SUITE_P(Clients, LargeHistory, ::testing::Values(4, 16, 64, 256));

}  // namespace
}  // namespace kiwi::lab::history
