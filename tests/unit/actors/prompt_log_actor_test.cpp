// The actor in front of a log store's actor: short writes are durable at once, but never before what waits.

#include "actors/prompt_log_actor.hpp"

#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "actor_world.hpp"
#include "actors/log_store_actor.hpp"
#include "actors/storage_errors.hpp"
#include "storage/testing/sim_env.hpp"

namespace kiwi::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kEpoch = 3;

/// Somebody else uses the store as long as this lives. A thread: who holds a mutex may not try it.
class OthersTurn {
 public:
  explicit OthersTurn(OpenLog& log) {
    std::promise<void> taken;
    auto known = taken.get_future();
    thread_ = std::thread([this, &log, taken = std::move(taken)]() mutable {
      const std::lock_guard turn(log.in_use);
      taken.set_value();
      over_.get_future().wait();
    });
    known.wait();
  }
  ~OthersTurn() {
    over_.set_value();
    thread_.join();
  }

 private:
  std::promise<void> over_;
  std::thread thread_;
};

struct PromptLogTest : testing::Test {
  sim::SimMachine machine;
  std::shared_ptr<OpenLog> log = open();
  ActorWorld world;
  Stub& owner = world.stub();
  LogStoreActor actor = world.watch(
      spawn_prompt_log(world.system(), CorePlace::scheduler, owner.as<LogStoreActor>(), log, kEpoch));
  std::uint64_t sequence = 0;
  std::uint64_t next_index = 1;

  std::shared_ptr<OpenLog> open() {
    storage::LogStoreOptions options;
    options.dir = "/node/log";
    options.env = &machine.env;
    options.simulated = true;
    storage::Identity identity;
    identity.node = NodeId(1);
    identity.instance = InstanceId(9);
    identity.address = {"127.0.0.1", 6379, 16379};
    if (!storage::LogStore::create(options, identity))
      throw std::logic_error("the log store cannot be made");
    storage::Recovered recovered;
    auto opened = storage::LogStore::open(options, recovered);
    if (!opened)
      throw std::logic_error(opened.error().cause);
    return std::make_shared<OpenLog>(std::move(*opened));
  }
  ~PromptLogTest() override { machine.power_off(); }

  storage::LogStore& store() { return *log->store; }
  /// Writes that are put aside.
  std::size_t aside() {
    auto* base = caf::actor_cast<caf::abstract_actor*>(actor);
    return static_cast<PromptLogState::Self>(base)->state.group.writes.size();
  }

  LogWrite entries(std::uint64_t count, std::size_t payload = 10) {
    LogWrite call;
    call.stamp = {kEpoch, ++sequence};
    call.write = 100 + sequence;
    call.at_once = true;
    for (std::uint64_t i = 0; i < count; ++i)
      call.entries.push_back({{Term(1), Index(next_index++)},
                              EntryKind::command,
                              1000,
                              Bytes::copy_of(std::string(payload, 'p'))});
    return call;
  }
  LogWrite later(LogWrite call) {
    call.at_once = false;
    return call;
  }
  Question<LogWritten> write(LogWrite call) {
    auto question = world.ask<LogWritten>(actor, std::move(call));
    world.run();
    return question;
  }
  Question<LogWrittenGroup> write_group(std::vector<LogWrite> calls) {
    auto question = world.ask<LogWrittenGroup>(actor, LogWriteGroup{std::move(calls)});
    world.run();
    return question;
  }
  /// The owner does its oldest write, and answers.
  void owner_writes() {
    auto& call = owner.next<LogWrite>();
    const auto& write = call.as<LogWrite>();
    const auto done = store().write({write});
    ASSERT_TRUE(done);
    owner.reply(call, LogWritten{write.stamp, write.write, *done});
    world.run();
  }
};

TEST_F(PromptLogTest, WhatComesTogetherIsSyncedOnceAndEachAnswerNamesItsOwnEnd) {
  const auto before = store().stats().syncs;
  auto one = world.ask<LogWritten>(actor, entries(2));
  auto many = world.ask<LogWrittenGroup>(actor, LogWriteGroup{{entries(1), entries(3)}});
  world.run();
  EXPECT_EQ(store().stats().syncs - before, 1u);
  EXPECT_THAT(owner.calls(), IsEmpty());
  EXPECT_EQ(one.reply().stamp, (CallStamp{kEpoch, 1}));
  EXPECT_EQ(one.reply().write, 101u);
  EXPECT_EQ(one.reply().last.index, Index(2));
  ASSERT_EQ(many.reply().written.size(), 2u);
  EXPECT_EQ(many.reply().written[0].last.index, Index(3));
  EXPECT_EQ(many.reply().written[1].last.index, Index(6));
  EXPECT_EQ(store().last().index, Index(6));
}

TEST_F(PromptLogTest, NothingOvertakesWhatTheOwnerHas) {
  const auto first = write(later(entries(1)));
  const auto second = write(entries(1));
  EXPECT_EQ(store().last().index, Index(0)) << "the second follows on the first";
  EXPECT_EQ(owner.calls_of<LogWrite>().size(), 2u);
  owner_writes();
  EXPECT_EQ(first.reply().last.index, Index(1));
  const auto third = write(entries(1));
  EXPECT_EQ(store().last().index, Index(1)) << "one call is still with the owner";
  owner_writes();
  owner_writes();
  EXPECT_EQ(second.reply().last.index, Index(2));
  EXPECT_EQ(third.reply().last.index, Index(3));
  EXPECT_EQ(write(entries(1)).reply().last.index, Index(4));
  EXPECT_EQ(owner.calls_of<LogWrite>().size(), 3u) << "it owes nothing any more";
}

TEST_F(PromptLogTest, WhatIsPutAsideGoesBeforeACallForTheOwner) {
  auto aside = world.ask<LogWritten>(actor, entries(1));
  auto behind = world.ask<LogWritten>(actor, later(entries(1)));
  world.run();
  EXPECT_EQ(aside.reply().last.index, Index(1));
  EXPECT_EQ(owner.calls_of<LogWrite>().size(), 1u);
  owner_writes();
  EXPECT_EQ(behind.reply().last.index, Index(2));
}

TEST_F(PromptLogTest, LongAndRareWritesAreTheOwners) {
  write(entries(1, PromptLogState::kMostBytes + 1));
  owner_writes();
  auto reset = entries(0);
  reset.reset_to = {Term(2), Index(70)};
  write(reset);
  owner_writes();
  EXPECT_EQ(store().last().index, Index(70));
  auto binding = entries(0);
  binding.has_binding = true;
  binding.binding = {NodeId(2), InstanceId(7)};
  write(binding);
  owner_writes();
  next_index = 71;
  auto half = entries(1, PromptLogState::kMostBytes / 2);
  half.entries.front().id.term = Term(2);
  auto other_half = half;
  other_half.stamp.sequence = ++sequence;
  other_half.entries.front().id.index = Index(72);
  write_group({half, other_half});
  EXPECT_EQ(owner.calls_of<LogWriteGroup>().size(), 1u) << "together they are long";
}

TEST_F(PromptLogTest, WhileTheOwnerUsesTheStoreItsCallsAreTheOwners) {
  auto turn = std::make_unique<OthersTurn>(*log);
  const auto question = write(entries(1));
  EXPECT_EQ(store().last().index, Index(0));
  turn.reset();
  owner_writes();
  EXPECT_EQ(question.reply().last.index, Index(1));
}

TEST_F(PromptLogTest, WhenTheOwnerTakesItsTurnMeanwhileAllGoesToItInOrder) {
  auto one = world.ask<LogWritten>(actor, entries(1));
  auto many = world.ask<LogWrittenGroup>(actor, LogWriteGroup{{entries(1), entries(1)}});
  world.run_one();
  world.run_one();
  ASSERT_EQ(aside(), 3u);
  auto turn = std::make_unique<OthersTurn>(*log);
  world.run();
  EXPECT_EQ(aside(), 0u);
  EXPECT_EQ(store().last().index, Index(0));
  turn.reset();
  ASSERT_EQ(owner.calls_of<LogWriteGroup>().size(), 1u);
  EXPECT_EQ(owner.calls_of<LogWriteGroup>()[0]->as<LogWriteGroup>().writes.size(), 2u);
  EXPECT_EQ(owner.calls_of<LogWriteGroup>()[0]->as<LogWriteGroup>().writes[1].stamp.sequence, 3u);
  owner_writes();
  EXPECT_EQ(one.reply().last.index, Index(1));
  EXPECT_EQ(many.answers(), 0u);
}

TEST_F(PromptLogTest, TogetherTheyAreLong) {
  auto one = world.ask<LogWritten>(actor, entries(1, PromptLogState::kMostBytes * 2 / 3));
  auto two = world.ask<LogWritten>(actor, entries(1, PromptLogState::kMostBytes * 2 / 3));
  world.run();
  EXPECT_EQ(one.reply().last.index, Index(1));
  EXPECT_EQ(two.answers(), 0u);
  owner_writes();
  EXPECT_EQ(two.reply().last.index, Index(2));
}

TEST_F(PromptLogTest, WhatNeedsMoreThanAnAppendAndASyncIsTheOwners) {
  std::uint64_t at_once = 0, of_the_owner = 0;
  for (int i = 0; i < 400; ++i) {
    const auto before = owner.calls_of<LogWrite>().size();
    write(entries(1, 12'000));
    if (owner.calls_of<LogWrite>().size() == before) {
      ++at_once;
      continue;
    }
    ++of_the_owner;
    owner_writes();
  }
  EXPECT_GT(at_once, 380u);
  EXPECT_GE(of_the_owner, 4u) << "once a MiB";
}

TEST_F(PromptLogTest, ASlowDiskIsTheOwnersUntilItIsQuickAgain) {
  std::uint64_t takes_us = 3000;
  machine.fs->before_change([&](const std::string&) { machine.clock->advance(takes_us); });
  EXPECT_TRUE(write(entries(1)).succeeded());
  takes_us = 0;
  ASSERT_GT(store().stats().last_sync_us, 2000u);
  write(entries(1));
  EXPECT_EQ(owner.calls_of<LogWrite>().size(), 1u);
  owner_writes();
  EXPECT_TRUE(write(entries(1)).succeeded());
  EXPECT_EQ(owner.calls_of<LogWrite>().size(), 1u) << "the owner's sync was quick";
}

TEST_F(PromptLogTest, AFailedSyncIsTheLast) {
  machine.fs->inject({.op = sim::DiskOp::sync, .nth = 1, .lasting = true, .drops = false, .in_name = ".log"});
  const auto failed = write(entries(1));
  EXPECT_EQ(storage_error_of(failed.error(), StorageSubject::log, StorageVerb::write).outcome,
            StorageOutcome::unknown);
  const auto next = write(entries(1));
  EXPECT_FALSE(next.succeeded());
  EXPECT_TRUE(store().poisoned());
}

TEST_F(PromptLogTest, ACallForAnotherLifeIsTheOwnersToRefuse) {
  auto call = entries(1);
  call.stamp.epoch = kEpoch - 1;
  write(call);
  EXPECT_EQ(store().last().index, Index(0));
  EXPECT_EQ(owner.calls_of<LogWrite>().size(), 1u);
}

TEST_F(PromptLogTest, ALogThatIsGoneIsNotUsed) {
  world.ask<LogWritten>(actor, entries(1));
  world.run_one();
  log.reset();
  world.run();
  write(entries(1));
  EXPECT_EQ(owner.calls_of<LogWrite>().size(), 2u);
}

TEST_F(PromptLogTest, ItEndsWithTheOwnerAndOwesNothingThen) {
  const auto question = write(later(entries(1)));
  owner.die(to_caf_error(
      {StorageSubject::log, StorageVerb::read, StorageKind::corruption, "rot", StorageOutcome::not_written}));
  world.run();
  EXPECT_EQ(storage_error_of(question.error(), StorageSubject::log, StorageVerb::open).cause, "rot");
  EXPECT_TRUE(world.ended(actor).has_value());
}

TEST_F(PromptLogTest, WhenItIsAskedToEndWhatIsPutAsideIsNotWritten) {
  auto question = world.ask<LogWritten>(actor, entries(1));
  world.exit(actor);
  world.run();
  EXPECT_EQ(storage_error_of(question.error(), StorageSubject::log, StorageVerb::open).outcome,
            StorageOutcome::not_written);
  EXPECT_EQ(store().last().index, Index(0));
}

}  // namespace
}  // namespace kiwi::test
