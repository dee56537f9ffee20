// What holds along one client, one connection and the log.

#include <gtest/gtest.h>

#include "lab/history/check.hpp"
#include "tests/unit/lab/history/simulated_clients.hpp"

namespace kiwi::lab::history {
namespace {

Operation operation(std::uint64_t number, std::uint64_t client, int from, int to,
                    std::vector<std::string> command, Reply reply) {
  Operation o;
  o.number = number;
  o.client = o.connection = client;
  o.invoked_at = Time(from);
  o.returned_at = Time(to);
  o.command = std::move(command);
  o.reply = std::move(reply);
  o.outcome = Outcome::done;
  return o;
}
History history_of(const std::vector<Operation>& operations) {
  History history;
  for (const auto& o : operations) history.restore(o);
  return history;
}
Reply bulk(const char* text) { return Reply::bulk(std::string(text)); }
Options stale_reads_allowed() {
  Options options;
  options.linearizable = false;
  return options;
}
Kind kind_of(const CheckResult& result) {
  EXPECT_EQ(result.verdict, Verdict::fail) << result.why;
  return result.findings.empty() ? Kind::not_linearizable : result.findings[0].kind;
}

TEST(Sessions, AStaleReadThatWasAskedForPassesButGoingBackDoesNot) {
  std::vector<Operation> story = {operation(1, 1, 1, 2, {"SET", "k", "a"}, Reply::ok()),
                                  operation(2, 1, 3, 4, {"SET", "k", "b"}, Reply::ok()),
                                  operation(3, 2, 5, 6, {"GET", "k"}, bulk("a"))};
  EXPECT_EQ(kind_of(check(history_of(story))), Kind::stale_read);
  EXPECT_EQ(check(history_of(story), stale_reads_allowed()).verdict, Verdict::pass);
  story.push_back(operation(4, 2, 7, 8, {"GET", "k"}, bulk("b")));
  EXPECT_EQ(check(history_of(story), stale_reads_allowed()).verdict, Verdict::pass);
  story.push_back(operation(5, 2, 9, 10, {"GET", "k"}, bulk("a")));
  EXPECT_EQ(kind_of(check(history_of(story), stale_reads_allowed())), Kind::session_went_back);
}

TEST(Sessions, AClientSeesItsOwnWrites) {
  const auto history = history_of({operation(1, 1, 1, 2, {"SET", "k", "a"}, Reply::ok()),
                                   operation(2, 2, 3, 4, {"SET", "k", "b"}, Reply::ok()),
                                   operation(3, 2, 5, 6, {"GET", "k"}, bulk("a"))});
  EXPECT_EQ(kind_of(check(history, stale_reads_allowed())), Kind::session_went_back);
}

// The two writes overlap, so that only the client's own reads tell their order.
TEST(Sessions, AValueDoesNotComeBack) {
  const auto history = history_of(
      {operation(1, 1, 1, 20, {"SET", "k", "a"}, Reply::ok()),
       operation(2, 2, 1, 20, {"SET", "k", "b"}, Reply::ok()), operation(3, 3, 2, 3, {"GET", "k"}, bulk("a")),
       operation(4, 3, 4, 5, {"GET", "k"}, bulk("b")), operation(5, 3, 6, 7, {"GET", "k"}, bulk("a"))});
  EXPECT_EQ(kind_of(check(history, stale_reads_allowed())), Kind::session_went_back);
}

TEST(Sessions, ACounterDoesNotGoBack) {
  std::vector<Operation> story = {
      operation(1, 1, 1, 2, {"INCR", "k"}, Reply::of(1)), operation(2, 1, 3, 4, {"INCR", "k"}, Reply::of(2)),
      operation(3, 2, 5, 6, {"GET", "k"}, bulk("2")), operation(4, 2, 7, 8, {"GET", "k"}, bulk("1"))};
  EXPECT_EQ(kind_of(check(history_of(story), stale_reads_allowed())), Kind::session_went_back);
  story.back().client = 3;
  EXPECT_EQ(check(history_of(story), stale_reads_allowed()).verdict, Verdict::pass);
}

// Pipelined operations of one client overlap; which came first is open.
TEST(Sessions, PipelinedOperationsAreNotOrdered) {
  const auto history = history_of({operation(1, 1, 1, 2, {"SET", "k", "a"}, Reply::ok()),
                                   operation(2, 2, 3, 10, {"SET", "k", "b"}, Reply::ok()),
                                   operation(3, 2, 3, 11, {"GET", "k"}, bulk("a")),
                                   operation(4, 2, 12, 13, {"GET", "k"}, bulk("b"))});
  EXPECT_EQ(check(history).verdict, Verdict::pass) << check(history).explanation();
  EXPECT_EQ(check(history, stale_reads_allowed()).verdict, Verdict::pass);
}

TEST(Sessions, RightHistoriesNeverGoBack) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    testing::Clients clients;
    clients.operations = 60;
    clients.lost_one_in = 10;
    clients.command = testing::mix({{"SET", "KEY", "UNIQUE"},
                                    {"GET", "KEY"},
                                    {"GETSET", "KEY", "UNIQUE"},
                                    {"DEL", "KEY"},
                                    {"SETNX", "KEY", "UNIQUE"}},
                                   2);
    ASSERT_EQ(check(testing::simulate(clients, seed), stale_reads_allowed()).verdict, Verdict::pass) << seed;
    clients.command = testing::mix({{"INCRBY", "KEY", "-2"}, {"GET", "KEY"}}, 2);
    ASSERT_EQ(check(testing::simulate(clients, seed), stale_reads_allowed()).verdict, Verdict::pass) << seed;
  }
}

TEST(Attempts, OfOneOperationTakeEffectOnce) {
  std::vector<Operation> story = {operation(1, 1, 1, 2, {"INCR", "k"}, Reply::of(1)),
                                  operation(2, 1, 3, 4, {"INCR", "k"}, Reply::of(1)),
                                  operation(3, 2, 5, 6, {"GET", "k"}, bulk("1"))};
  for (auto& o : story)
    if (o.number < 3)
      o.session = o.serial = 7;
  const auto result = check(history_of(story));
  EXPECT_EQ(result.verdict, Verdict::pass) << result.explanation();
  EXPECT_EQ(result.statistics.merged_attempts, 1U);
  story[1].reply = Reply::of(2);
  EXPECT_EQ(kind_of(check(history_of(story))), Kind::duplicate_effect);
  // The first attempt unanswered, the second answered: called when the first was.
  story[0].outcome = Outcome::unknown;
  story[0].connection = 9;
  story[1].reply = Reply::of(1);
  EXPECT_EQ(check(history_of(story)).verdict, Verdict::pass);
  story[2].reply = bulk("2");
  EXPECT_EQ(kind_of(check(history_of(story))), Kind::duplicate_effect);
}

TEST(Replies, ComeInTheOrderOfTheRequests) {
  std::vector<Operation> story = {operation(1, 1, 1, 5, {"GET", "k"}, Reply::nil()),
                                  operation(2, 1, 2, 5, {"GET", "k"}, Reply::nil())};
  EXPECT_EQ(check(history_of(story)).verdict, Verdict::pass);
  story[1].returned_at = Time(4);
  EXPECT_EQ(kind_of(check(history_of(story))), Kind::reply_order);
  story[1].connection = 2;
  EXPECT_EQ(check(history_of(story)).verdict, Verdict::pass);
  story[0].connection = story[1].connection = 0;  // not known
  EXPECT_EQ(check(history_of(story)).verdict, Verdict::pass);
}

TEST(Replies, NoneIsSkippedAndNoneIsTooMany) {
  std::vector<Operation> story = {operation(1, 1, 1, 5, {"GET", "k"}, Reply::nil()),
                                  operation(2, 1, 6, 7, {"GET", "k"}, Reply::nil())};
  story[0].outcome = Outcome::unknown;
  EXPECT_EQ(check(history_of(story)).verdict, Verdict::pass);  // a TIMEOUT reply is a reply
  story[0].reply.reset();
  EXPECT_EQ(kind_of(check(history_of(story))), Kind::reply_order);
  story[0].outcome = Outcome::not_done;  // refused before it was sent
  auto history = history_of(story);
  EXPECT_EQ(check(history).verdict, Verdict::pass);
  history.surplus(1, Time(9), Reply::ok());
  EXPECT_EQ(kind_of(check(history)), Kind::reply_order);
}

TEST(CommitOrder, FollowsRealTimeOverAllKeys) {
  std::vector<Operation> story = {operation(1, 1, 1, 2, {"SET", "a", "1"}, Reply::ok()),
                                  operation(2, 2, 3, 4, {"SET", "b", "1"}, Reply::ok())};
  story[0].index = Index(9);
  story[1].index = Index(10);
  EXPECT_EQ(check(history_of(story)).verdict, Verdict::pass);
  story[1].index = Index(8);
  EXPECT_EQ(kind_of(check(history_of(story))), Kind::commit_order);
  story[1].invoked_at = Time(2);  // they overlap
  EXPECT_EQ(check(history_of(story)).verdict, Verdict::pass);
}

}  // namespace
}  // namespace kiwi::lab::history
