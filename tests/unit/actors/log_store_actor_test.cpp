// The log store actor with a real log store on a simulated disk.

#include "actors/log_store_actor.hpp"

#include <gmock/gmock.h>

#include "actor_world.hpp"
#include "actors/storage_errors.hpp"
#include "storage/testing/sim_env.hpp"

namespace kiwi::test {
namespace {

constexpr std::uint64_t kEpoch = 3;

StorageError error_of(const caf::error& error) {
  return storage_error_of(error, StorageSubject::snapshot, StorageVerb::seek);
}

struct LogStoreActorTest : testing::Test {
  sim::SimMachine machine;
  storage::LogStore* store = nullptr;  // owned by the actor
  ActorWorld world;
  LogStoreActor actor = world.watch(start());
  std::uint64_t sequence = 0;
  std::uint64_t next_index = 1;

  LogStoreActor start() {
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
    store = opened->get();
    return spawn_log_store(world.system(), SpawnMode::scheduled,
                           std::make_shared<OpenLog>(std::move(*opened)), kEpoch);
  }
  ~LogStoreActorTest() override { machine.power_off(); }

  LogWrite entries(std::uint64_t count, std::uint64_t term = 1) {
    LogWrite call;
    call.stamp = {kEpoch, ++sequence};
    call.write = 100 + sequence;
    for (std::uint64_t i = 0; i < count; ++i)
      call.entries.push_back(
          {{Term(term), Index(next_index++)}, EntryKind::command, 1000, Bytes::copy_of("payload")});
    return call;
  }
  LogWrite vote(std::uint64_t term) {
    LogWrite call = entries(0);
    call.has_vote = true;
    call.vote = {Term(term), NodeId(2)};
    return call;
  }
  Question<LogWritten> write(LogWrite call) { return world.ask<LogWritten>(actor, std::move(call)); }
};

TEST_F(LogStoreActorTest, WhatWaitsTogetherIsSyncedOnceAndEachAnswerNamesItsOwnEnd) {
  auto before = store->stats().syncs;
  auto a = write(entries(2));
  auto b = write(vote(7));
  auto c = write(entries(3));
  auto replacement = entries(0, 8);
  replacement.truncate_from = Index(4);
  replacement.entries.push_back({{Term(8), Index(4)}, EntryKind::command, 1000, Bytes::copy_of("other")});
  auto d = write(replacement);
  EXPECT_EQ(a.answers(), 0u);
  world.run();
  EXPECT_EQ(store->stats().syncs - before, 1u);
  EXPECT_EQ(a.reply().last, (LogId{Term(1), Index(2)}));
  EXPECT_EQ(b.reply().last, (LogId{Term(1), Index(2)})) << "a vote leaves the log as it was";
  EXPECT_EQ(c.reply().last, (LogId{Term(1), Index(5)})) << "what was true after this write, though cut since";
  EXPECT_EQ(d.reply().last, (LogId{Term(8), Index(4)}));
  EXPECT_EQ(a.reply().stamp, (CallStamp{kEpoch, 1}));
  EXPECT_EQ(a.reply().write, 101u);
  EXPECT_EQ(c.reply().stamp, (CallStamp{kEpoch, 3}));
  EXPECT_EQ(store->last(), (LogId{Term(8), Index(4)}));
}

TEST_F(LogStoreActorTest, AfterAResetTheLogEndsWhereTheSnapshotEnds) {
  auto a = write(entries(3));
  auto reset = entries(0, 4);
  reset.reset_to = {Term(4), Index(90)};
  auto b = write(reset);
  next_index = 91;
  auto c = write(entries(2, 5));
  world.run();
  EXPECT_EQ(a.reply().last, (LogId{Term(1), Index(3)}));
  EXPECT_EQ(b.reply().last, (LogId{Term(4), Index(90)}));
  EXPECT_EQ(c.reply().last, (LogId{Term(5), Index(92)}));
}

TEST_F(LogStoreActorTest, AGroupIsSyncedWithItsNeighboursAndAnsweredWhole) {
  auto before = store->stats().syncs;
  auto single = write(entries(1));
  auto group = world.ask<LogWrittenGroup>(actor, LogWriteGroup{{entries(2), vote(3), entries(1)}});
  world.run();
  EXPECT_EQ(store->stats().syncs - before, 1u);
  EXPECT_EQ(single.reply().last.index, Index(1));
  ASSERT_EQ(group.reply().written.size(), 3u);
  EXPECT_EQ(group.reply().written[0].last.index, Index(3));
  EXPECT_EQ(group.reply().written[1].last.index, Index(3)) << "a vote leaves the log as it was";
  EXPECT_EQ(group.reply().written[2].last.index, Index(4));
  EXPECT_EQ(group.reply().written[1].stamp, (CallStamp{kEpoch, 3}));
}

TEST_F(LogStoreActorTest, AGroupWithACallForAnotherLifeIsRefusedWhole) {
  auto good = entries(1), old = entries(1);
  old.stamp.epoch = kEpoch - 1;
  auto group = world.ask<LogWrittenGroup>(actor, LogWriteGroup{{good, old}});
  world.run();
  EXPECT_EQ(error_of(group.error()).outcome, StorageOutcome::not_written);
  EXPECT_EQ(store->last(), LogId{});
}

TEST_F(LogStoreActorTest, TheNextGroupFormsWhileNothingWaits) {
  auto before = store->stats().syncs;
  auto a = write(entries(1));
  world.run();
  EXPECT_EQ(a.answers(), 1u);
  auto b = write(entries(1));
  world.run();
  EXPECT_EQ(b.reply().last.index, Index(2));
  EXPECT_EQ(store->stats().syncs - before, 2u);
}

TEST_F(LogStoreActorTest, AReadSeesOnlyWhatIsDurable) {
  write(entries(3));
  world.run();
  write(entries(2));
  auto early = world.ask<LogEntries>(actor, LogRead{{kEpoch, 50}, Index(1), Index(5), 1 << 20});
  world.run();
  // Queued before the flush: entries 4 and 5 were put aside, not written.
  EXPECT_EQ(error_of(early.error()).kind, StorageKind::invalid_request);
  auto late = world.ask<LogEntries>(actor, LogRead{{kEpoch, 51}, Index(1), Index(5), 1 << 20});
  world.run();
  EXPECT_EQ(late.reply().stamp, (CallStamp{kEpoch, 51}));
  ASSERT_EQ(late.reply().entries.size(), 5u);
  EXPECT_EQ(late.reply().entries[4].id, (LogId{Term(1), Index(5)}));
  EXPECT_FALSE(store->poisoned());
}

TEST_F(LogStoreActorTest, ACallForAnotherLifeIsRefusedAndNotWritten) {
  auto call = entries(1);
  call.stamp.epoch = kEpoch - 1;
  auto stale = write(call);
  auto read = world.ask<LogEntries>(actor, LogRead{{kEpoch + 1, 1}, Index(1), Index(1), 100});
  world.run();
  auto error = error_of(stale.error());
  EXPECT_EQ(error.kind, StorageKind::unavailable);
  EXPECT_EQ(error.outcome, StorageOutcome::not_written);
  EXPECT_EQ(error_of(read.error()).kind, StorageKind::unavailable);
  EXPECT_EQ(store->last(), LogId{});
}

TEST_F(LogStoreActorTest, AFailedSyncFailsTheWholeGroupAndAllThatComesAfter) {
  auto good = write(entries(1));
  world.run();
  ASSERT_TRUE(good.succeeded());
  machine.fs->inject({sim::DiskOp::sync, 1, false, false, ".log"});
  auto a = write(entries(1));
  auto b = write(entries(1));
  world.run();
  auto first = error_of(a.error());
  EXPECT_EQ(first.kind, StorageKind::io);
  EXPECT_EQ(first.outcome, StorageOutcome::unknown);
  EXPECT_EQ(error_of(b.error()).kind, StorageKind::io);
  // The disk is well again, yet nothing is acknowledged over the hole (rule 4).
  next_index = 2;
  auto c = write(entries(1));
  world.run();
  EXPECT_EQ(error_of(c.error()).kind, StorageKind::io);
  EXPECT_EQ(error_of(c.error()).cause, first.cause);
  EXPECT_TRUE(store->poisoned());
}

TEST_F(LogStoreActorTest, StoppingAnswersWhatIsPutAsideWithSurelyNotWritten) {
  auto a = write(entries(1));
  auto b = write(vote(2));
  // The exit is queued before the flush, which the first write brings.
  world.exit(actor);
  world.run();
  for (const auto& error : {a.error(), b.error()}) {
    EXPECT_EQ(error_of(error).kind, StorageKind::unavailable);
    EXPECT_EQ(error_of(error).outcome, StorageOutcome::not_written);
  }
  EXPECT_EQ(world.ended(actor), caf::error(caf::exit_reason::user_shutdown));
  EXPECT_EQ(write(entries(1)).error(), caf::error(caf::sec::request_receiver_down));
}

TEST_F(LogStoreActorTest, ADirectoryIsAdoptedByOneClusterOnly) {
  auto membership = membership_of({Member{NodeId(1), {"127.0.0.1", 6379, 16379}}});
  auto first = world.ask<ClusterId>(actor, AdoptCluster{ClusterId(4), membership});
  world.run();
  EXPECT_TRUE(first.succeeded());
  auto second = world.ask<ClusterId>(actor, AdoptCluster{ClusterId(5), membership});
  world.run();
  EXPECT_EQ(error_of(second.error()).kind, StorageKind::invalid_request);
  EXPECT_FALSE(store->poisoned());
}

TEST_F(LogStoreActorTest, FiguresAreThoseOfTheStore) {
  write(entries(4));
  world.run();
  auto later = world.ask<LogStoreFigures>(actor, LogStatsRequest{});
  world.run();
  EXPECT_EQ(later.reply().entries_written, 4u);
  EXPECT_EQ(later.reply().syncs, store->stats().syncs);
  EXPECT_EQ(later.reply().bytes_written, 4 * std::string("payload").size());
}

}  // namespace
}  // namespace kiwi::test
