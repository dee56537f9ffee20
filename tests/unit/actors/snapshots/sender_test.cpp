// What a sender gives to whom, how fast, and what a fetch can make it do.

#include <gmock/gmock.h>

#include "actors/snapshot_coding.hpp"
#include "messages/limits.hpp"
#include "snapshot_world.hpp"

namespace kiwi::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct SnapshotSenderTest : testing::Test {
  SnapshotWorld world;
  SnapshotNode& a = world.a;
  SnapshotManifest manifest;

  void build() {
    a.start();
    manifest = a.build(1).reply();
  }
  void fetch(NodeId peer, std::uint32_t file, std::uint64_t offset, std::uint32_t bytes,
             std::string id = {}) {
    SnapshotFetch fetch{id.empty() ? manifest.meta.snapshot_id : id, file, offset, bytes};
    world.actors.tell(a.actor(), SnapshotTraffic{peer, {fetch}});
  }
  std::vector<SnapshotPart> parts() {
    world.actors.run();
    std::vector<SnapshotPart> parts;
    for (auto& traffic : a.outlet().take<SnapshotTraffic>())
      for (auto& message : traffic.messages) parts.push_back(std::get<SnapshotPart>(message));
    return parts;
  }
};

TEST_F(SnapshotSenderTest, AFetchIsAnsweredWithTheBytesThere) {
  a.state->files = {{"a", noise(1, 5000)}, {"b", "kiwi"}};
  build();
  fetch(NodeId(2), 0, 4096, 904);
  fetch(NodeId(2), 1, 1, 2);
  auto got = parts();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(content_of(got[0], 904), noise(1, 5000).substr(4096));
  EXPECT_EQ(content_of(got[1], 2), "iw");
  EXPECT_EQ(a.figures().sent_parts, 2u);
  EXPECT_EQ(a.figures().sent_bytes, 906u);
}

TEST_F(SnapshotSenderTest, WhatItDoesNotHaveIsGone) {
  a.state->files = {{"a", noise(1, 5000)}};
  build();
  fetch(NodeId(2), 0, 0, 100, "3-99-1");
  auto got = parts();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_TRUE(got[0].gone);
  EXPECT_EQ(got[0].snapshot_id, "3-99-1");
  EXPECT_EQ(a.figures().sent_parts, 0u);
}

TEST_F(SnapshotSenderTest, WrongFetchesCostNothing) {
  a.state->files = {{"a", noise(1, 5000)}, {"b", ""}};
  build();
  const auto reads = a.machine().fs->operations();
  for (auto peer : {NodeId(2), NodeId(3)}) {
    fetch(peer, 2, 0, 1);
    fetch(peer, ~0u, 0, 1);
    fetch(peer, 0, 5000, 1);
    fetch(peer, 0, 4999, 2);
    fetch(peer, 0, ~0ull, 2);
    fetch(peer, 0, ~0ull - 1, kMaxSnapshotPartBytes);
    fetch(peer, 0, 0, 0);
    fetch(peer, 0, 0, kMaxSnapshotPartBytes + 1);
    fetch(peer, 1, 0, 1);
    fetch(peer, 0, 0, 1, std::string(1 << 20, 'x'));
  }
  EXPECT_THAT(parts(), IsEmpty());
  EXPECT_EQ(a.machine().fs->operations(), reads);
}

TEST_F(SnapshotSenderTest, AFloodOfFetchesIsCutOff) {
  a.state->files = {{"a", noise(1, 100'000)}};
  build();
  std::vector<PeerMessage> flood;
  for (std::uint64_t i = 0; i < 1000; ++i)
    flood.emplace_back(SnapshotFetch{manifest.meta.snapshot_id, 0, i, 100});
  for (int i = 0; i < 100; ++i) world.actors.tell(a.actor(), SnapshotTraffic{NodeId(2), flood});
  EXPECT_LE(parts().size(), kPartsPerTick);
  // The next one still gets his.
  fetch(NodeId(3), 0, 0, 100);
  EXPECT_EQ(parts().size(), 1u);
  world.actors.advance(kPaceTickMs);
  EXPECT_LE(parts().size(), kPartsPerTick);
  world.actors.advance(10 * kPaceTickMs);
  EXPECT_LE(parts().size(), kQueuedFetches);
  world.actors.advance(10 * kPaceTickMs);
  EXPECT_THAT(parts(), IsEmpty());
}

TEST_F(SnapshotSenderTest, TheRateHoldsForAllTogetherAndIsShared) {
  a.state->files = {{"a", noise(1, 4 << 20)}};
  a.options.rate = 1 << 20;
  build();
  std::map<NodeId, std::uint64_t> offset;
  std::map<NodeId, std::uint64_t> got;
  std::uint64_t all = 0;
  const std::uint32_t size = 16 << 10;
  for (auto peer : {NodeId(2), NodeId(3)})
    for (int i = 0; i < 4; ++i) fetch(peer, 0, std::exchange(offset[peer], offset[peer] + size), size);
  for (int tick = 1; tick <= 40; ++tick) {
    world.actors.run();
    for (auto& traffic : a.outlet().take<SnapshotTraffic>()) {
      got[traffic.peer] += size;
      all += size;
      fetch(traffic.peer, 0, std::exchange(offset[traffic.peer], offset[traffic.peer] + size), size);
    }
    EXPECT_LE(all, tick * (1 << 20) / 20 + size) << "smooth: never ahead by more than a part";
    world.actors.advance(kPaceTickMs);
  }
  EXPECT_NEAR(static_cast<double>(all), 2 << 20, 2 * size);
  EXPECT_NEAR(static_cast<double>(got[NodeId(2)]), static_cast<double>(got[NodeId(3)]), size);
}

TEST_F(SnapshotSenderTest, WhatWasNotUsedOfTheRateIsNotSavedUp) {
  a.state->files = {{"a", noise(1, 4 << 20)}};
  a.options.rate = 1 << 20;
  build();
  world.run_for(5000);
  for (std::uint64_t i = 0; i < 10; ++i) fetch(NodeId(2), 0, i * 100'000, 100'000);
  EXPECT_EQ(parts().size(), 1u);
}

TEST_F(SnapshotSenderTest, AFileWhoseFirstPartsDoNotPackIsNotTriedAnyFurther) {
  a.state->files = {{"a", noise(1, 12'000) + prose(1, 8000)}, {"b", prose(2, 8000)}};
  build();
  for (std::uint64_t i = 0; i < 5; ++i) fetch(NodeId(2), 0, i * 4000, 4000);
  fetch(NodeId(2), 1, 0, 4000);
  std::vector<PartCoding> codings;
  for (const auto& part : parts()) codings.push_back(part.coding);
  EXPECT_THAT(codings, ElementsAre(PartCoding::plain, PartCoding::plain, PartCoding::plain, PartCoding::plain,
                                   PartCoding::plain, PartCoding::lz4));
}

TEST_F(SnapshotSenderTest, WhatCannotBeReadIsGoneAndRemoved) {
  a.state->files = {{"a", noise(1, 5000)}};
  build();
  a.machine().fs->inject({sim::DiskOp::read, 1, true, false, "built"});
  fetch(NodeId(2), 0, 0, 100);
  auto got = parts();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_TRUE(got[0].gone);
  EXPECT_THAT(a.figures().built, IsEmpty());
  EXPECT_THAT(a.files_in(kDir), IsEmpty());
  // The next who asks gets a new one.
  a.machine().fs->heal();
  EXPECT_TRUE(a.build(1).succeeded());
  EXPECT_EQ(a.state->builds, 2);
}

}  // namespace
}  // namespace kiwi::test
