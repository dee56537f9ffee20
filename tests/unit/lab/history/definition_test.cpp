// The checkers against the definition of linearizability, tried in every order on a store written
// independently of their model: tens of thousands of small histories, legal ones and spoilt ones.

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "lab/history/check.hpp"
#include "lab/history/json_lines.hpp"
#include "lab/history/judge.hpp"
#include "lab/history/prepare.hpp"
#include "lab/history/search.hpp"
#include "tests/unit/lab/history/reference_store.hpp"
#include "tests/unit/lab/history/simulated_clients.hpp"

namespace kiwi::lab::history {
namespace {

using testing::Clients;
using testing::Random;
using testing::ReferenceStore;
using Choices = std::vector<std::vector<std::string>>;

/// Some order in which each operation lies between its call and its return gives all the replies.
bool some_order_fits(const std::vector<Operation>& operations, std::vector<bool>& done,
                     const ReferenceStore& store) {
  auto first_return = UINT64_MAX;
  for (std::size_t i = 0; i < operations.size(); ++i)
    if (!done[i] && operations[i].outcome == Outcome::done)
      first_return = std::min(first_return, operations[i].returned_order);
  if (first_return == UINT64_MAX)
    return true;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto& o = operations[i];
    if (done[i] || o.outcome == Outcome::not_done || o.invoked_order > first_return)
      continue;
    auto after = store;
    const auto reply = after.run(o.command);
    if (o.outcome == Outcome::done && reply != *o.reply)
      continue;
    done[i] = true;
    const bool fits = some_order_fits(operations, done, after);
    done[i] = false;
    if (fits)
      return true;
  }
  return false;
}

bool is_linearizable(const History& history) {
  std::vector<bool> done(history.operations().size());
  return some_order_fits(history.operations(), done, {});
}

/// About half of the histories get a reply of another operation with the same command, or a made-up one.
History spoilt(const History& history, std::uint64_t seed) {
  Random random(seed * 31 + 7);
  if (random.one_in(3))
    return history;
  std::vector<Reply> replies;
  for (const auto& o : history.operations())
    if (o.outcome == Outcome::done)
      replies.push_back(*o.reply);
  return testing::changed(history, [&](Operation& o) {
    if (o.outcome != Outcome::done || !random.one_in(5))
      return;
    const auto& other = replies[random.below(replies.size())];
    if (o.reply->type == Reply::Type::integer)
      o.reply = Reply::of(o.reply->integer + static_cast<std::int64_t>(random.below(5)) - 2);
    else if (other.type == Reply::Type::bulk || other.type == Reply::Type::nil)
      o.reply = other;
  });
}

/// The judge of the key alone, without the direct checks that come before it, and the search instead of
/// whatever the judge chose.
void expect_judges_agree(const History& history, const Options& options, bool truth,
                         const std::string& where) {
  auto prepared = prepare(history, options);
  for (auto& [name, key] : prepared.keys) {
    auto budget = options.budget;
    const auto expected = truth ? KeyVerdict::Is::good : KeyVerdict::Is::bad;
    ASSERT_EQ(judge(key.operations, key.values, budget).is, expected) << where;
    ASSERT_EQ(search(key.operations, key.values, budget).is, expected) << where;
  }
}

struct Family {
  const char* name;
  Choices commands;
  const char* checker;  // one that must have been used often
};

class Definition : public ::testing::TestWithParam<Family> {};

TEST_P(Definition, AgreesOnSmallHistories) {
  const auto& family = GetParam();
  int legal = 0;
  int illegal = 0;
  std::map<std::string, int> used;
  for (std::uint64_t seed = 1; seed <= 8'000; ++seed) {
    Clients clients;
    clients.clients = 2 + static_cast<int>(seed % 3);
    clients.operations = 7;
    clients.lost_one_in = seed % 2 == 0 ? 8 : 0;
    clients.refused_one_in = seed % 5 == 0 ? 8 : 0;
    clients.command = testing::mix(family.commands, 1);
    const auto history = spoilt(testing::simulate(clients, seed), seed);
    const bool truth = is_linearizable(history);
    ++(truth ? legal : illegal);
    Options options;
    options.min_done = 0;
    const auto result = check(history, options);
    if (result.statistics.keys == 0)
      continue;
    for (const auto& [name, count] : result.statistics.checkers) ++used[name];
    std::ostringstream text;
    if (truth != (result.verdict == Verdict::pass)) {
      write_json_lines(text, history);
      FAIL() << family.name << ", seed " << seed << ": " << (truth ? "legal" : "not legal") << ", but "
             << to_string(result.verdict) << " by " << result.checker << ": " << result.why << "\n"
             << text.str();
    }
    expect_judges_agree(history, options, truth, std::string(family.name) + ", seed " + std::to_string(seed));
    if (HasFatalFailure())
      return;
    if (!truth) {
      ASSERT_EQ(result.verdict, Verdict::fail);
      ASSERT_FALSE(result.explanation().empty());
    }
  }
  EXPECT_GT(legal, 1'500);
  EXPECT_GT(illegal, 1'000);
  EXPECT_GT(used[family.checker], 1'000) << family.name;
}

INSTANTIATE_TEST_SUITE_P(
    Families, Definition,
    ::testing::Values(
        Family{"registers", {{"SET", "KEY", "UNIQUE"}, {"GET", "KEY"}}, "zones"},
        Family{"getset", {{"SET", "KEY", "UNIQUE"}, {"GET", "KEY"}, {"GETSET", "KEY", "UNIQUE"}}, "zones"},
        Family{"setnx_first",
               {{"SETNX", "KEY", "UNIQUE"}, {"GET", "KEY"}, {"GETSET", "KEY", "UNIQUE"}},
               "search"},
        Family{"delete",
               {{"SET", "KEY", "UNIQUE"}, {"GET", "KEY"}, {"DEL", "KEY"}, {"GETDEL", "KEY"}},
               "search"},
        Family{"conditions",
               {{"SET", "KEY", "UNIQUE", "NX"},
                {"SET", "KEY", "UNIQUE", "XX"},
                {"SET", "KEY", "UNIQUE", "XX", "GET"},
                {"SET", "KEY", "UNIQUE", "NX", "GET"},
                {"DEL", "KEY"},
                {"GET", "KEY"},
                {"EXISTS", "KEY"}},
               "search"},
        Family{"repeated_values",
               {{"SET", "KEY", "SMALL"}, {"GET", "KEY"}, {"SETNX", "KEY", "SMALL"}},
               "search"},
        Family{"counters", {{"INCR", "KEY"}, {"INCR", "KEY"}, {"GET", "KEY"}}, "counter"},
        Family{"down", {{"INCRBY", "KEY", "-3"}, {"GET", "KEY"}}, "counter"},
        Family{"steps", {{"INCR", "KEY"}, {"INCRBY", "KEY", "2"}, {"GET", "KEY"}}, "counter"},
        Family{"both_ways", {{"INCR", "KEY"}, {"DECR", "KEY"}, {"GET", "KEY"}}, "search"},
        Family{"text_and_numbers",
               {{"INCR", "KEY"},
                {"SET", "KEY", "SMALL"},
                {"SET", "KEY", "UNIQUE"},
                {"GET", "KEY"},
                {"DEL", "KEY"}},
               "search"},
        Family{"append",
               {{"APPEND", "KEY", "UNIQUE"}, {"STRLEN", "KEY"}, {"GET", "KEY"}, {"SET", "KEY", "SMALL"}},
               "search"}),
    [](const auto& given) { return std::string(given.param.name); });

// Without order numbers and with times of their own the same verdicts come out.
TEST(Definition, TimesAloneOrderEvents) {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    Clients clients;
    clients.operations = 7;
    clients.command = testing::mix({{"SET", "KEY", "UNIQUE"}, {"GET", "KEY"}, {"DEL", "KEY"}}, 1);
    const auto history = spoilt(testing::simulate(clients, seed), seed);
    const auto bare = testing::changed(history, [](Operation& o) { o.invoked_order = o.returned_order = 0; });
    ASSERT_EQ(check(history).verdict, check(bare).verdict) << "seed " << seed;
  }
}

// Parts of commands on several keys are necessary conditions: what is right always passes.
TEST(Definition, SeveralKeysOfARightStorePass) {
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    Clients clients;
    clients.operations = 40;
    clients.lost_one_in = 10;
    clients.refused_one_in = 20;
    clients.command = testing::mix({{"MSET", "KEY", "UNIQUE", "KEY", "UNIQUE"},
                                    {"MGET", "KEY", "KEY", "KEY"},
                                    {"DEL", "KEY", "KEY"},
                                    {"SET", "KEY", "UNIQUE"}},
                                   3);
    const auto result = check(testing::simulate(clients, seed));
    ASSERT_EQ(result.verdict, Verdict::pass) << "seed " << seed << ": " << result.explanation();
  }
}

}  // namespace
}  // namespace kiwi::lab::history
