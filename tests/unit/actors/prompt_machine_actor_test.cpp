// The actor in front of a state machine's actor: what can be done at once is, but never before what waits.

#include "actors/prompt_machine_actor.hpp"

#include <gmock/gmock.h>

#include "actor_world.hpp"
#include "actors/storage_errors.hpp"

namespace kiwi::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kEpoch = 5;

/// Does at once what it is told to.
class QuickMachine : public StateMachine {
 public:
  AppliedState applied_state() const override { return {}; }
  Result<ApplyResult> apply(const std::vector<Entry>&) override { return ApplyResult{}; }
  Result<StateAnswer> query(const StateQuery&) override { return StateAnswer{}; }
  Result<Index> flush() override { return Index(0); }
  std::optional<AppliedAtOnce> apply_at_once(const std::vector<Entry>& entries) override {
    if (!quick)
      return std::nullopt;
    done.push_back("apply " + to_string(entries.back().id.index));
    AppliedAtOnce at_once;
    at_once.result.replies.resize(entries.size(), Reply::of(std::int64_t{1}));
    at_once.result.next_deadline_ms = 9;
    at_once.applied = entries.back().id;
    at_once.stamp_ms = 8;
    at_once.durable = Index(7);
    return at_once;
  }
  std::optional<AnsweredAtOnce> query_at_once(const std::vector<StateQuery>& queries) override {
    if (!quick)
      return std::nullopt;
    done.push_back("query " + std::to_string(queries.front().token));
    AnsweredAtOnce at_once;
    at_once.applied = Index(6);
    for (const auto& query : queries) at_once.answers.push_back({query.token, 0, Reply::of(std::int64_t{2})});
    return at_once;
  }

  bool quick = true;
  std::vector<std::string> done;
};

struct PromptMachineTest : testing::Test {
  ActorWorld world;
  Stub& owner = world.stub();
  std::shared_ptr<QuickMachine> machine = std::make_shared<QuickMachine>();
  StateMachineActor actor = world.watch(spawn_prompt_machine(world.system(), CorePlace::scheduler,
                                                             owner.as<StateMachineActor>(), machine, kEpoch));
  std::uint64_t sequence = 0;

  Question<Applied> apply(std::uint64_t index, std::uint64_t epoch = kEpoch) {
    ApplyBatch batch;
    batch.stamp = {epoch, ++sequence};
    batch.entries.push_back({{Term(1), Index(index)}, EntryKind::command, 50, Bytes::copy_of("x")});
    auto question = world.ask<Applied>(actor, std::move(batch));
    world.run();
    return question;
  }
  Question<StateAnswers> query(std::uint64_t token, std::uint64_t epoch = kEpoch) {
    StateQueryBatch batch;
    batch.stamp = {epoch, ++sequence};
    batch.queries.push_back({token, 0, {}});
    auto question = world.ask<StateAnswers>(actor, std::move(batch));
    world.run();
    return question;
  }
  /// The owner answers its oldest call.
  void owner_applies() {
    auto& call = owner.next<ApplyBatch>();
    const auto& batch = call.as<ApplyBatch>();
    owner.reply(call, Applied{batch.stamp, batch.entries.back().id, 1, {Reply::of(std::int64_t{3})}, 0, {}});
    world.run();
  }
};

TEST_F(PromptMachineTest, WhatGoesAtOnceNeverReachesTheOwner) {
  const auto applied = apply(1);
  const auto answered = query(4);
  EXPECT_THAT(machine->done, ElementsAre("apply 1", "query 4"));
  EXPECT_THAT(owner.calls(), IsEmpty());
  EXPECT_EQ(applied.reply().stamp, (CallStamp{kEpoch, 1}));
  EXPECT_EQ(applied.reply().applied.index, Index(1));
  EXPECT_EQ(applied.reply().stamp_ms, 8u);
  EXPECT_EQ(applied.reply().next_deadline_ms, 9u);
  EXPECT_EQ(applied.reply().durable, Index(7));
  EXPECT_EQ(answered.reply().stamp, (CallStamp{kEpoch, 2}));
  EXPECT_EQ(answered.reply().applied, Index(6));
  EXPECT_EQ(answered.reply().answers.at(0).token, 4u);
}

TEST_F(PromptMachineTest, NothingOvertakesWhatTheOwnerHas) {
  machine->quick = false;
  const auto first = apply(1);
  machine->quick = true;
  const auto second = apply(2);
  const auto read = query(4);
  EXPECT_THAT(machine->done, IsEmpty()) << "they follow on entry 1, which is not applied";
  EXPECT_EQ(owner.calls_of<ApplyBatch>().size(), 2u);
  EXPECT_EQ(owner.calls_of<StateQueryBatch>().size(), 1u);
  owner_applies();
  EXPECT_EQ(first.reply().replies.at(0), Reply::of(std::int64_t{3}));
  apply(3);
  EXPECT_THAT(machine->done, IsEmpty()) << "two calls are still with the owner";
  EXPECT_EQ(second.answers(), 0u);
  EXPECT_EQ(read.answers(), 0u);
}

TEST_F(PromptMachineTest, OnceTheOwnerHasAnsweredAllItGoesOnAtOnce) {
  machine->quick = false;
  apply(1);
  auto stats = world.ask<StateStats>(actor, StatsRequest{});
  world.run();
  machine->quick = true;
  owner_applies();
  query(4);
  EXPECT_THAT(machine->done, IsEmpty()) << "figures are a call like the others";
  owner.reply(owner.next<StatsRequest>(), StateStats{});
  owner.reply(owner.next<StateQueryBatch>(), StateAnswers{{kEpoch, sequence}, Index(1), {}});
  world.run();
  EXPECT_TRUE(stats.succeeded());
  apply(2);
  EXPECT_THAT(machine->done, ElementsAre("apply 2"));
}

TEST_F(PromptMachineTest, AnErrorOfTheOwnerIsPassedOnAndEndsTheCall) {
  machine->quick = false;
  const auto first = apply(1);
  owner.reply(owner.next<ApplyBatch>(), to_caf_error({StorageSubject::state_machine, StorageVerb::write,
                                                      StorageKind::io, "disk", StorageOutcome::unknown}));
  world.run();
  EXPECT_EQ(storage_error_of(first.error(), StorageSubject::log, StorageVerb::open).cause, "disk");
}

TEST_F(PromptMachineTest, ACallForAnotherLifeIsTheOwnersToRefuse) {
  apply(1, kEpoch - 1);
  query(1, kEpoch + 1);
  EXPECT_THAT(machine->done, IsEmpty());
  EXPECT_EQ(owner.calls().size(), 2u);
}

TEST_F(PromptMachineTest, AMachineThatIsGoneIsNotUsed) {
  machine.reset();
  apply(1);
  EXPECT_EQ(owner.calls_of<ApplyBatch>().size(), 1u);
}

TEST_F(PromptMachineTest, ItEndsWithItsOwnerAndForTheSameReason) {
  machine->quick = false;
  const auto waiting = apply(1);
  const auto reason = to_caf_error(
      {StorageSubject::state_machine, StorageVerb::write, StorageKind::io, "disk", StorageOutcome::unknown});
  owner.die(reason);
  world.run();
  EXPECT_EQ(world.ended(actor), reason);
  EXPECT_EQ(waiting.answers(), 1u);
  EXPECT_EQ(waiting.error(), reason);
}

TEST_F(PromptMachineTest, AskedToEndItAsksItsOwnerAndEndsAfterIt) {
  world.exit(actor);
  world.run();
  EXPECT_EQ(owner.asked_to_exit(), caf::error(caf::exit_reason::user_shutdown));
  EXPECT_FALSE(world.ended(actor)) << "the owner may still have to flush";
  apply(1);
  EXPECT_THAT(machine->done, IsEmpty()) << "the machine is being closed";
  owner.die(caf::exit_reason::user_shutdown);
  world.run();
  EXPECT_EQ(world.ended(actor), caf::error(caf::exit_reason::user_shutdown));
}

}  // namespace
}  // namespace kiwi::test
