// The whole way of a snapshot with the Redis machine on a real disk: built by one node, fetched by another,
// installed there; and once more after a little has changed.

#include <gtest/gtest.h>

#include <filesystem>

#include "../actor_world.hpp"
#include "actors/snapshot_builder_actor.hpp"
#include "tests/unit/statemachine/machine_fixture.hpp"

namespace kiwi::test {
namespace {

struct RedisNode {
  RedisNode(ActorWorld& w, NodeId node, const std::string& d)
      : world(w),
        id(node),
        dir(d),
        outlet(w.stub()),
        machine((std::filesystem::create_directories(d), d + "/data")) {
    SnapshotBuilderOptions options;
    options.dir = dir + "/snapshots";
    options.receive.part_bytes = 16 << 10;
    actor = world.watch(spawn_snapshot_builder(world.system(), SpawnMode::scheduled,
                                               machine->get_snapshot_builder(), options));
    world.tell(actor, ConnectOutlet{outlet.as<SnapshotOutlet>()});
    world.run();
  }
  void set(int first, int last, char what) {
    std::vector<Entry> entries;
    auto index = machine->applied_state().applied.index;
    for (int i = first; i <= last; ++i) {
      auto entry = machine.entry_of({"SET", "key-" + std::to_string(i), std::string(500, what)});
      entry.id.index = ++index;
      entries.push_back(std::move(entry));
    }
    ASSERT_TRUE(machine->apply(entries));
  }
  std::string digest() { return machine->digest_now().value()->hex; }

  ActorWorld& world;
  NodeId id;
  std::string dir;
  Stub& outlet;
  Machine machine;
  SnapshotBuilderActor actor;
};

struct RedisSnapshotTest : testing::Test {
  Folder folder;
  ActorWorld world;
  RedisNode a{world, NodeId(1), folder.path("a")};
  RedisNode b{world, NodeId(2), folder.path("b")};
  std::uint64_t sent = 0;

  void travel() {
    for (int quiet = 0; quiet < 20;) {
      world.run();
      bool any = false;
      for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)})
        for (auto& traffic : from->outlet.take<SnapshotTraffic>()) {
          for (const auto& message : traffic.messages)
            if (const auto* part = std::get_if<SnapshotPart>(&message))
              sent += part->data.size();
          world.tell(to->actor, SnapshotTraffic{from->id, std::move(traffic.messages)});
          any = true;
        }
      quiet = any ? 0 : quiet + 1;
      world.advance(kPaceTickMs);
    }
  }
  /// From a's present state to b's.
  SnapshotManifest catch_up() {
    auto built =
        world.ask<SnapshotManifest>(a.actor, BuildSnapshot{a.machine->applied_state().applied.index});
    world.run();
    auto manifest = built.reply();
    auto received = world.ask<SnapshotReceived>(b.actor, ReceiveSnapshot{a.id, manifest});
    travel();
    auto installed = b.machine->install_snapshot(received.reply().meta, received.reply().folder);
    EXPECT_TRUE(installed) << to_string(installed.error());
    EXPECT_TRUE(b.machine->finish_install());
    world.tell(b.actor, ReceiveEnded{manifest.meta.snapshot_id});
    world.run();
    EXPECT_FALSE(std::filesystem::exists(b.dir + "/snapshots/incoming"));
    return manifest;
  }
};

TEST_F(RedisSnapshotTest, TheReceiverHasTheSendersStateAndGoesOnFromThere) {
  a.set(1, 4000, 'a');
  b.set(1, 10, 'x');
  const auto first = catch_up();
  EXPECT_EQ(b.machine->applied_state(), a.machine->applied_state());
  EXPECT_EQ(b.digest(), a.digest());

  // A hundredth has changed: what both have already is not sent again.
  const auto all = std::exchange(sent, 0);
  a.set(1, 40, 'b');
  const auto second = catch_up();
  EXPECT_EQ(b.digest(), a.digest());
  EXPECT_LT(sent * 4, all);
  EXPECT_GT(all, 0u);
  auto figures = world.ask<SnapshotFigures>(b.actor, SnapshotFiguresRequest{});
  world.run();
  EXPECT_GT(figures.reply().reused_bytes * 10, first.bytes() * 9);
  EXPECT_EQ(figures.reply().received_snapshots, 2u);

  // Both are good for more, and for building.
  a.set(41, 50, 'c');
  b.set(41, 50, 'c');
  EXPECT_EQ(b.digest(), a.digest());
  auto built = world.ask<SnapshotManifest>(b.actor, BuildSnapshot{b.machine->applied_state().applied.index});
  world.run();
  EXPECT_TRUE(built.succeeded());
}

}  // namespace
}  // namespace kiwi::test
