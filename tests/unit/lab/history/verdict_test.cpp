// When a check says pass, fail, unknown and vacuous; what is counted as not checked.

#include <gtest/gtest.h>

#include "lab/history/check.hpp"
#include "tests/unit/lab/history/simulated_clients.hpp"

namespace kiwi::lab::history {
namespace {

using testing::Clients;

/// One client after the other.
class Story {
 public:
  Story& done(std::vector<std::string> command, Reply reply) {
    return ended(std::move(command), {Time(0), Outcome::done, std::move(reply), {}});
  }
  Story& lost(std::vector<std::string> command) {
    return ended(std::move(command), {Time(0), Outcome::unknown, {}, {}});
  }
  Story& refused(std::vector<std::string> command) {
    return ended(std::move(command), {Time(0), Outcome::not_done, Reply::error("TRYAGAIN"), {}});
  }
  Story& load(std::string name) {
    load_ = std::move(name);
    return *this;
  }
  History history;

 private:
  Story& ended(std::vector<std::string> command, Completion completion) {
    Operation operation;
    operation.client = operation.connection = ++clients_;
    operation.load = load_;
    operation.invoked_at = ++now_;
    operation.command = std::move(command);
    completion.at = ++now_;
    history.complete(history.append(std::move(operation)), std::move(completion));
    return *this;
  }
  std::uint64_t clients_ = 0;
  Time now_{0};
  std::string load_;
};
Reply bulk(const char* text) { return Reply::bulk(std::string(text)); }

TEST(Verdict, NothingAndTooLittleAreVacuous) {
  EXPECT_EQ(check(History()).verdict, Verdict::vacuous);
  Story story;
  story.done({"PING"}, Reply::simple("PONG"));
  EXPECT_EQ(check(story.history).verdict, Verdict::vacuous);
  story.done({"SET", "k", "a"}, Reply::ok()).done({"GET", "k"}, bulk("a"));
  EXPECT_EQ(check(story.history).verdict, Verdict::pass);
  Options options;
  options.min_done = 4;
  EXPECT_EQ(check(story.history, options).verdict, Verdict::vacuous);
  options.min_done = 3;
  EXPECT_EQ(check(story.history, options).verdict, Verdict::pass);
  options.min_overlapping = 1;
  EXPECT_EQ(check(story.history, options).verdict, Verdict::vacuous);
  Story all_refused;
  all_refused.refused({"SET", "k", "a"}).refused({"GET", "k"});
  EXPECT_EQ(check(all_refused.history).verdict, Verdict::vacuous);
}

TEST(Verdict, OverlapIsCountedPerKey) {
  Clients clients;
  clients.operations = 200;
  clients.command = testing::mix({{"SET", "KEY", "UNIQUE"}, {"GET", "KEY"}}, 1);
  EXPECT_GT(check(testing::simulate(clients, 1)).statistics.overlapping, 100U);
  clients.clients = 1;
  EXPECT_EQ(check(testing::simulate(clients, 1)).statistics.overlapping, 0U);
}

// The same values over and over, many at once: no cheap checker, and the search has no hold.
TEST(Verdict, ASpentBudgetIsUnknownAndOtherKeysAreStillJudged) {
  Clients clients;
  clients.clients = 24;
  clients.operations = 400;
  clients.lost_one_in = 20;
  clients.command = testing::mix({{"INCRBY", "KEY", "1"}, {"INCRBY", "KEY", "-1"}, {"SET", "KEY", "5"}}, 1);
  const auto history = testing::simulate(clients, 3);
  Options options;
  options.budget = 300;
  const auto result = check(history, options);
  EXPECT_EQ(result.verdict, Verdict::unknown);
  EXPECT_EQ(result.statistics.keys_out_of_budget, 1U);
  EXPECT_EQ(result.checker, "search");
  EXPECT_LE(result.statistics.search_steps, 300U);

  auto with_liar = history;
  Operation lie;
  lie.client = lie.connection = 1'000;
  lie.invoked_at = history.operations().back().invoked_at + Time(1'000);
  lie.command = {"GET", "other"};
  with_liar.complete(with_liar.append(lie), {lie.invoked_at + Time(1), Outcome::done, bulk("?"), {}});
  EXPECT_EQ(check(with_liar, options).verdict, Verdict::fail);
}

TEST(Verdict, TheSameCheckTwiceGivesTheSame) {
  Clients clients;
  clients.operations = 2'000;
  clients.lost_one_in = 20;
  clients.command = testing::mix(
      {{"SET", "KEY", "UNIQUE"}, {"GET", "KEY"}, {"DEL", "KEY"}, {"SET", "KEY", "SMALL", "NX"}}, 3);
  auto history = testing::changed(testing::simulate(clients, 4), [](Operation& o) {
    if (o.number == 1'500)
      o.reply = Reply::nil();
  });
  const auto one = check(history);
  const auto two = check(history);
  EXPECT_EQ(one.verdict, two.verdict);
  EXPECT_EQ(one.explanation(), two.explanation());
  EXPECT_EQ(one.statistics.search_steps, two.statistics.search_steps);
}

TEST(NotChecked, KeysOfUnknownCommandsAreCountedAndNeverPassed) {
  Story story;
  story.done({"SET", "k", "a"}, Reply::ok()).done({"GET", "k"}, bulk("a"));
  story.done({"LPUSH", "list", "x"}, Reply::of(1)).done({"GET", "list"}, Reply::error("WRONGTYPE Operation"));
  auto result = check(story.history);
  EXPECT_EQ(result.verdict, Verdict::unknown);
  EXPECT_EQ(result.statistics.keys_not_checked, 1U);
  EXPECT_EQ(result.statistics.commands_not_understood, std::vector<std::string>{"LPUSH"});
  EXPECT_EQ(result.statistics.checkers.at("zones").keys, 1U);
  Options options;
  options.tolerate_unchecked = true;
  EXPECT_EQ(check(story.history, options).verdict, Verdict::pass);
  // A broken key beside it is found either way.
  story.done({"GET", "k"}, bulk("b"));
  EXPECT_EQ(check(story.history, options).verdict, Verdict::fail);
}

TEST(NotChecked, AScriptMayDoAnythingToTheKeysThatItNames) {
  Story story;
  story.done({"SET", "a", "1"}, Reply::ok()).done({"EVAL", "return 1", "1", "a"}, Reply::of(1));
  story.done({"GET", "a"}, bulk("9")).done({"SET", "b", "1"}, Reply::ok());
  const auto result = check(story.history);
  EXPECT_EQ(result.verdict, Verdict::unknown);
  EXPECT_EQ(result.statistics.keys_not_checked, 2U);  // "a" and the word behind EVAL
}

TEST(NotChecked, QueuedCommandsTakeEffectElsewhere) {
  Story story;
  story.done({"MULTI"}, Reply::ok()).done({"SET", "k", "a"}, Reply::simple("QUEUED"));
  story.done({"EXEC"}, Reply::array({Reply::ok()})).done({"GET", "k"}, bulk("a"));
  EXPECT_EQ(check(story.history).verdict, Verdict::vacuous);
}

TEST(Expiry, AKeyMayVanishOnceItHasATimeToLive) {
  Story story;
  story.done({"SET", "k", "a", "PX", "5"}, Reply::ok())
      .done({"GET", "k"}, bulk("a"))
      .done({"GET", "k"}, Reply::nil());
  auto result = check(story.history);
  EXPECT_EQ(result.verdict, Verdict::pass) << result.explanation();
  EXPECT_EQ(result.statistics.keys_with_expiry, 1U);
  story.done({"GET", "k"}, bulk("a"));  // but it does not come back
  EXPECT_EQ(check(story.history).verdict, Verdict::fail);

  Story expire;
  expire.done({"SET", "k", "a"}, Reply::ok())
      .done({"EXPIRE", "k", "5"}, Reply::of(1))
      .done({"TTL", "k"}, Reply::of(-2));
  EXPECT_EQ(check(expire.history).verdict, Verdict::pass);
  Story without;
  without.done({"SET", "k", "a"}, Reply::ok()).done({"TTL", "k"}, Reply::of(-2));
  EXPECT_EQ(check(without.history).verdict, Verdict::fail);
}

TEST(Load, OnlyKeysOfTheLoadAreJudgedButAllOperationsOnThem) {
  Story story;
  story.load("L1").done({"SET", "k", "a"}, Reply::ok());
  story.load("L2").done({"SET", "k", "b"}, Reply::ok()).done({"GET", "broken"}, bulk("?"));
  story.load("L1").done({"GET", "k"}, bulk("b"));
  Options options;
  options.load = "L1";
  const auto result = check(story.history, options);
  EXPECT_EQ(result.verdict, Verdict::pass) << result.explanation();
  EXPECT_EQ(result.statistics.operations, 2U);
  EXPECT_EQ(result.statistics.keys, 1U);
  EXPECT_EQ(check(story.history).verdict, Verdict::fail);
  options.load = "L3";
  EXPECT_EQ(check(story.history, options).verdict, Verdict::vacuous);
}

TEST(Commands, FlushallRemovesEveryKey) {
  Story story;
  story.done({"SET", "k", "a"}, Reply::ok()).done({"FLUSHALL"}, Reply::ok());
  Story wrong = story;
  EXPECT_EQ(check(story.done({"GET", "k"}, Reply::nil()).history).verdict, Verdict::pass);
  EXPECT_EQ(check(wrong.done({"GET", "k"}, bulk("a")).history).verdict, Verdict::fail);
}

TEST(Commands, ErrorsThatTheStateMachineComputesAreReplies) {
  Story story;
  const auto error = Reply::error("ERR value is not an integer or out of range");
  story.done({"SET", "k", "text"}, Reply::ok()).done({"INCR", "k"}, error).done({"GET", "k"}, bulk("text"));
  EXPECT_EQ(check(story.history).verdict, Verdict::pass);
  Story wrong;
  wrong.done({"SET", "k", "5"}, Reply::ok()).done({"INCR", "k"}, error);
  EXPECT_EQ(check(wrong.history).verdict, Verdict::fail);
  Story overflow;
  overflow.done({"SET", "k", "9223372036854775807"}, Reply::ok());
  overflow.done({"INCR", "k"}, Reply::error("ERR increment or decrement would overflow"));
  overflow.done({"DECR", "k"}, Reply::of(9223372036854775806));
  EXPECT_EQ(check(overflow.history).verdict, Verdict::pass);
}

TEST(Commands, AReplyThatACommandCannotGiveIsFound) {
  for (const auto& [command, reply] : std::vector<std::pair<std::vector<std::string>, Reply>>{
           {{"GET", "k"}, Reply::of(1)},
           {{"SET", "k", "v"}, bulk("v")},
           {{"INCR", "k"}, Reply::ok()},
           {{"DEL", "k"}, Reply::of(2)},
           {{"MGET", "k", "l"}, Reply::array({Reply::nil()})},
           {{"GET", "k"}, Reply::error("WRONGTYPE Operation against a key")}}) {
    Story story;
    const auto result = check(story.done(command, reply).history);
    ASSERT_EQ(result.verdict, Verdict::fail) << command[0];
    EXPECT_EQ(result.findings[0].kind, Kind::wrong_reply) << command[0];
  }
}

// An error nobody knows, taken for done: it may have had an effect or none.
TEST(Commands, AnUnknownErrorAllowsBoth) {
  for (const bool happened : {true, false}) {
    Story story;
    story.done({"SET", "k", "a"}, Reply::ok()).done({"SET", "k", "b"}, Reply::error("ERR odd"));
    story.done({"GET", "k"}, bulk(happened ? "b" : "a"));
    EXPECT_EQ(check(story.history).verdict, Verdict::pass);
  }
}

}  // namespace
}  // namespace kiwi::lab::history
