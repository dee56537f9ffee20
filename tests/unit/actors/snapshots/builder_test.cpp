// When a snapshot is built, and how long it stays.

#include <gmock/gmock.h>

#include "actors/storage_errors.hpp"
#include "snapshot_world.hpp"

namespace kiwi::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

struct SnapshotBuildTest : testing::Test {
  SnapshotWorld world;
  SnapshotNode& a = world.a;
  SnapshotBuildTest() {
    a.state->files = {{"CURRENT", "MANIFEST-000005\n"}, {"000007.sst", noise(1, 3000)}};
    a.start();
  }
  void fetch_from(const SnapshotManifest& manifest) {
    world.actors.tell(a.actor(),
                      SnapshotTraffic{NodeId(2), {SnapshotFetch{manifest.meta.snapshot_id, 0, 0, 1}}});
    world.actors.run();
  }
  static StorageError error_of(const caf::error& e) {
    return storage_error_of(e, StorageSubject::log, StorageVerb::seek);
  }
};

TEST_F(SnapshotBuildTest, OneThatIsNewEnoughIsNotBuiltAgain) {
  auto first = a.build(100);
  auto again = a.build(50);
  EXPECT_EQ(first.reply(), manifest_of(*a.state));
  EXPECT_EQ(again.reply(), first.reply());
  EXPECT_EQ(a.state->builds, 1);
  a.state->at.index = Index(200);
  auto newer = a.build(101);
  EXPECT_EQ(newer.reply().meta.last_log_id.index, Index(200));
  EXPECT_EQ(a.figures().builds, 2u);
  EXPECT_THAT(a.figures().built, SizeIs(2)) << "somebody may be fetching from the old one";
}

TEST_F(SnapshotBuildTest, AStateThatIsNotThereYetIsAnErrorAndTheSnapshotStays) {
  auto early = a.build(101);
  auto e = error_of(early.error());
  EXPECT_EQ(e.subject, StorageSubject::snapshot);
  EXPECT_EQ(e.kind, StorageKind::unavailable);
  EXPECT_EQ(e.cause, "the state is at 100, not yet at 101");
  EXPECT_TRUE(a.build(100).succeeded());
  EXPECT_EQ(a.state->builds, 1);
}

TEST_F(SnapshotBuildTest, AFailureIsAnsweredAndTheNextOneTriesAgain) {
  a.state->fails = true;
  auto failed = a.build(1);
  EXPECT_EQ(error_of(failed.error()).cause, "the disk says no");
  EXPECT_EQ(a.figures().build_failures, 1u);
  EXPECT_THAT(a.figures().built, IsEmpty());
  a.state->fails = false;
  EXPECT_TRUE(a.build(1).succeeded());
}

TEST_F(SnapshotBuildTest, OneThatNobodyFetchesIsRemovedAfterAWhile) {
  auto manifest = a.build(1).reply();
  world.run_for(59'000);
  EXPECT_THAT(a.files_in(kDir), SizeIs(2));
  fetch_from(manifest);
  world.run_for(59'000);
  EXPECT_THAT(a.files_in(kDir), SizeIs(2));
  a.build(1);
  world.run_for(59'000);
  EXPECT_THAT(a.files_in(kDir), SizeIs(2));
  world.run_for(2'000);
  EXPECT_THAT(a.files_in(kDir), IsEmpty());
  EXPECT_THAT(a.figures().built, IsEmpty());
}

TEST_F(SnapshotBuildTest, AReplacedOneGoesSoonButNotFromUnderAReceiver) {
  auto old = a.build(1).reply();
  a.state->at.index = Index(200);
  auto newer = a.build(200).reply();
  for (int i = 0; i < 10; ++i) {
    world.run_for(10'000);
    fetch_from(old);
    fetch_from(newer);
  }
  EXPECT_THAT(a.figures().built, SizeIs(2));
  world.run_for(21'000);
  ASSERT_THAT(a.figures().built, SizeIs(1));
  EXPECT_EQ(a.figures().built[0], newer);
}

TEST_F(SnapshotBuildTest, WhatAnEarlierLifeBuiltIsRemovedAtStart) {
  a.build(1);
  EXPECT_THAT(a.files_in(kDir), SizeIs(2));
  a.kill();
  EXPECT_THAT(a.files_in(kDir), IsEmpty());
  EXPECT_EQ(a.state->builds, 1);
}

TEST_F(SnapshotBuildTest, AMachineWithoutSnapshotsSaysSo) {
  const StorageError why{StorageSubject::state_machine, StorageVerb::open, StorageKind::unsupported, "none",
                         StorageOutcome::not_written};
  auto actor = world.actors.watch(
      spawn_snapshot_builder(world.actors.system(), SpawnMode::own_thread, tl::unexpected(why), {}));
  world.actors.tell(actor, ConnectOutlet{a.outlet().as<SnapshotOutlet>()});
  auto built = world.actors.ask<SnapshotManifest>(actor, BuildSnapshot{});
  auto received =
      world.actors.ask<SnapshotReceived>(actor, ReceiveSnapshot{NodeId(2), manifest_of(*a.state)});
  world.actors.tell(actor, SnapshotTraffic{NodeId(2), {SnapshotFetch{"3-100-1", 0, 0, 1}, SnapshotPart{}}});
  world.actors.run();
  EXPECT_EQ(error_of(built.error()), why);
  EXPECT_EQ(error_of(received.error()), why);
  auto said = a.outlet().take<SnapshotTraffic>();
  ASSERT_THAT(said, SizeIs(1));
  ASSERT_THAT(said[0].messages, SizeIs(1));
  EXPECT_TRUE(std::get<SnapshotPart>(said[0].messages[0]).gone);
}

TEST_F(SnapshotBuildTest, NothingIsTickingWhenNothingIsThere) {
  a.build(1);
  world.run_for(61'000);
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(world.actors.system().scheduler());
  EXPECT_FALSE(scheduler.has_pending_timeout());
}

}  // namespace
}  // namespace kiwi::test
