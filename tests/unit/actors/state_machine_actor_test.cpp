// The state machine actor around a machine that records what is asked of it.

#include "actors/state_machine_actor.hpp"

#include <gmock/gmock.h>

#include "actor_world.hpp"
#include "actors/storage_errors.hpp"

namespace kiwi::test {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kEpoch = 5;

StorageError disk_error(std::string cause) {
  return {StorageSubject::state_machine, StorageVerb::write, StorageKind::io, std::move(cause),
          StorageOutcome::unknown};
}

/// What the machine saw and shall do; outlives the actor.
struct Diary {
  std::vector<std::string> calls;
  int background_slices = 0;  // that there are to do after each apply
  bool apply_fails = false;
  bool query_fails = false;
  bool background_fails = false;
  bool flush_fails = false;
  int work_aside = 0;  // pieces that the machine has to give away
  LogId applied;
};

class DiaryMachine : public StateMachine {
 public:
  explicit DiaryMachine(std::shared_ptr<Diary> diary) : diary_(std::move(diary)) {}
  ~DiaryMachine() override { diary_->calls.push_back("closed"); }

  AppliedState applied_state() const override { return {diary_->applied, 77, {}, {}}; }
  Result<ApplyResult> apply(const std::vector<Entry>& entries) override {
    diary_->calls.push_back("apply " + to_string(entries.front().id.index));
    if (diary_->apply_fails)
      return tl::unexpected(disk_error("apply"));
    diary_->applied = entries.back().id;
    slices_ = diary_->background_slices;
    ApplyResult result;
    for (const auto& entry : entries)
      result.replies.push_back(Reply::of(static_cast<std::int64_t>(entry.id.index.value)));
    result.next_deadline_ms = 99;
    return result;
  }
  Result<StateAnswer> query(const StateQuery& query) override {
    diary_->calls.push_back("query " + std::to_string(query.token));
    if (diary_->query_fails)
      return tl::unexpected(disk_error("query"));
    return StateAnswer{query.token, 0, Reply::of(static_cast<std::int64_t>(diary_->applied.index.value))};
  }
  std::function<void()> work_aside() override {
    if (diary_->work_aside == 0)
      return {};
    --diary_->work_aside;
    return [diary = diary_] { diary->calls.push_back("aside"); };
  }
  Result<Index> flush() override {
    diary_->calls.push_back("flush");
    if (diary_->flush_fails)
      return tl::unexpected(disk_error("flush"));
    return diary_->applied.index;
  }
  Result<bool> background_work() override {
    diary_->calls.push_back("background");
    if (diary_->background_fails)
      return tl::unexpected(disk_error("background"));
    return --slices_ > 0;
  }

 private:
  std::shared_ptr<Diary> diary_;
  int slices_ = 0;
};

struct StateMachineActorTest : testing::Test {
  std::shared_ptr<Diary> diary = std::make_shared<Diary>();
  ActorWorld world;
  StateMachineActor actor = world.watch(spawn_state_machine(world.system(), SpawnMode::scheduled,
                                                            std::make_unique<DiaryMachine>(diary), kEpoch));
  std::uint64_t sequence = 0;

  Question<Applied> apply(std::uint64_t first, std::uint64_t last, std::uint64_t epoch = kEpoch) {
    ApplyBatch batch;
    batch.stamp = {epoch, ++sequence};
    for (auto i = first; i <= last; ++i)
      batch.entries.push_back({{Term(1), Index(i)}, EntryKind::command, 50 + i, Bytes::copy_of("x")});
    return world.ask<Applied>(actor, std::move(batch));
  }
  Question<StateAnswers> query(std::vector<std::uint64_t> tokens, std::uint64_t epoch = kEpoch) {
    StateQueryBatch batch;
    batch.stamp = {epoch, ++sequence};
    for (auto token : tokens) batch.queries.push_back({token, 0, {}});
    return world.ask<StateAnswers>(actor, std::move(batch));
  }
};

TEST_F(StateMachineActorTest, ApplyAndQueryComeInTheOrderTheyWereSent) {
  auto q0 = query({10});
  auto a1 = apply(1, 2);
  auto q1 = query({11, 12});
  auto a2 = apply(3, 3);
  auto q2 = query({13});
  world.run();
  std::erase(diary->calls, "background");
  EXPECT_THAT(diary->calls,
              ElementsAre("query 10", "apply 1", "query 11", "query 12", "apply 3", "query 13"));
  EXPECT_EQ(q0.reply().applied, Index(0));
  EXPECT_EQ(a1.reply().applied.index, Index(2));
  EXPECT_EQ(a1.reply().stamp, (CallStamp{kEpoch, 2}));
  EXPECT_EQ(a1.reply().stamp_ms, 77u);
  EXPECT_EQ(a1.reply().next_deadline_ms, 99u);
  EXPECT_THAT(a1.reply().replies, ElementsAre(Reply::of(1), Reply::of(2)));
  EXPECT_EQ(q1.reply().applied, Index(2));
  EXPECT_EQ(q1.reply().stamp, (CallStamp{kEpoch, 3}));
  ASSERT_EQ(q1.reply().answers.size(), 2u);
  EXPECT_EQ(q1.reply().answers[0].token, 11u);
  EXPECT_EQ(q1.reply().answers[1].token, 12u);
  EXPECT_EQ(a2.reply().applied.index, Index(3));
  EXPECT_EQ(q2.reply().answers[0].reply, Reply::of(3));
}

TEST_F(StateMachineActorTest, BackgroundWorkLeavesRoomForApplies) {
  diary->background_slices = 3;
  apply(1, 1);
  apply(2, 2);
  query({9});
  world.run();
  // One slice is queued behind what was there; it never runs to the end at once, nor twice at a time.
  EXPECT_THAT(diary->calls,
              ElementsAre("apply 1", "apply 2", "query 9", "background", "background", "background"));
  diary->calls.clear();
  diary->background_slices = 100;
  apply(3, 3);
  world.run();
  EXPECT_EQ(std::count(diary->calls.begin(), diary->calls.end(), "background"), 100);
}

TEST_F(StateMachineActorTest, AnApplyOvertakesTheRestOfTheBackgroundWork) {
  diary->background_slices = 50;
  auto first = apply(1, 1);
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(world.system().scheduler());
  for (int i = 0; i < 10; ++i) scheduler.run_once();
  ASSERT_EQ(first.answers(), 1u);
  auto second = apply(2, 2);
  for (int i = 0; i < 3; ++i) scheduler.run_once();
  EXPECT_EQ(second.answers(), 1u) << "it waits for one slice at most";
}

TEST_F(StateMachineActorTest, ACallForAnotherLifeIsRefusedAndNotDone) {
  auto a = apply(1, 1, kEpoch - 1);
  auto q = query({1}, kEpoch + 1);
  world.run();
  for (const auto& error : {a.error(), q.error()}) {
    auto e = storage_error_of(error, StorageSubject::log, StorageVerb::open);
    EXPECT_EQ(e.subject, StorageSubject::state_machine);
    EXPECT_EQ(e.kind, StorageKind::unavailable);
    EXPECT_EQ(e.outcome, StorageOutcome::not_written);
  }
  EXPECT_TRUE(diary->calls.empty());
}

TEST_F(StateMachineActorTest, WhatTheMachineGivesAwayIsDoneBesideIt) {
  diary->work_aside = 2;
  apply(1, 1);
  apply(2, 2);
  apply(3, 3);
  world.run();
  EXPECT_EQ(std::count(diary->calls.begin(), diary->calls.end(), "aside"), 2);
  EXPECT_LT(std::find(diary->calls.begin(), diary->calls.end(), "apply 2"),
            std::find(diary->calls.begin(), diary->calls.end(), "aside"))
      << "the machine does not wait for it";
}

TEST_F(StateMachineActorTest, AFailedApplyIsTheLast) {
  diary->apply_fails = true;
  auto first = apply(1, 1);
  auto second = apply(2, 2);
  auto third = query({1});
  world.run();
  EXPECT_EQ(storage_error_of(first.error(), StorageSubject::log, StorageVerb::open), disk_error("apply"));
  EXPECT_FALSE(second.succeeded());
  EXPECT_FALSE(third.succeeded());
  // Entry 2 right after nothing: the machine must never see that, and what it would answer now means nothing.
  EXPECT_THAT(diary->calls, ElementsAre("apply 1", "closed"));
  EXPECT_EQ(world.ended(actor), to_caf_error(disk_error("apply")));
}

TEST_F(StateMachineActorTest, AFailedQueryIsAStorageError) {
  diary->query_fails = true;
  auto question = query({1, 2});
  world.run();
  EXPECT_EQ(storage_error_of(question.error(), StorageSubject::log, StorageVerb::open), disk_error("query"));
  EXPECT_THAT(diary->calls, testing::Contains("query 1"));
  EXPECT_THAT(diary->calls, testing::Not(testing::Contains("query 2")));
}

TEST_F(StateMachineActorTest, FailedBackgroundWorkEndsTheActorWithTheReason) {
  diary->background_fails = true;
  auto done = apply(1, 1);
  world.run();
  EXPECT_TRUE(done.succeeded());
  ASSERT_TRUE(world.ended(actor));
  EXPECT_EQ(storage_error_of(*world.ended(actor), StorageSubject::log, StorageVerb::open),
            disk_error("background"));
  EXPECT_EQ(apply(2, 2).error(), caf::error(caf::sec::request_receiver_down));
}

TEST_F(StateMachineActorTest, AnOrderedStopFlushesThenCloses) {
  apply(1, 4);
  world.run();
  diary->calls.clear();
  world.exit(actor);
  world.run();
  EXPECT_THAT(diary->calls, ElementsAre("flush", "closed"));
  EXPECT_EQ(world.ended(actor), caf::error(caf::exit_reason::user_shutdown));
}

TEST_F(StateMachineActorTest, AStopWhoseFlushFailsSaysSo) {
  diary->flush_fails = true;
  world.exit(actor);
  world.run();
  ASSERT_TRUE(world.ended(actor));
  EXPECT_EQ(storage_error_of(*world.ended(actor), StorageSubject::log, StorageVerb::open),
            disk_error("flush"));
}

TEST_F(StateMachineActorTest, DigestsAndFiguresAreAnswered) {
  auto digest = world.ask<DigestAnswer>(actor, DigestRequest{Index(1)});
  auto stats = world.ask<StateStats>(actor, StatsRequest{});
  world.run();
  EXPECT_FALSE(digest.reply().found);
  EXPECT_EQ(stats.reply().keys, 0u);
}

}  // namespace
}  // namespace kiwi::test
