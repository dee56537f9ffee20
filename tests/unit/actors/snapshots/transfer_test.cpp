// Two snapshot builders and a bad network between them: whatever it does, the files are equal in the end, and
// not much more is sent than they hold.

#include <gmock/gmock.h>

#include <random>

#include "actors/snapshot_coding.hpp"
#include "actors/storage_errors.hpp"
#include "snapshot_world.hpp"

namespace kiwi::test {
namespace {

struct TransferTest : testing::Test {
  SnapshotWorld world;
  SnapshotNode& a = world.a;
  SnapshotNode& b = world.b;
  SnapshotManifest manifest;
  // What the receiver has asked for and not got, and the most of it ever.
  std::set<std::pair<std::uint32_t, std::uint64_t>> asked;
  std::size_t most_asked = 0;

  TransferTest() {
    for (auto* node : {&a, &b}) node->options.receive.part_bytes = 4096;
    for (std::uint64_t i = 0; i < 8; ++i)
      a.state->files["00000" + std::to_string(i) + ".sst"] = noise(i, 40'000 + i);
    a.state->files["CURRENT"] = "MANIFEST-000005\n";
    a.state->files["OPTIONS-000009"] = prose(1, 5000);
    a.state->files["zero"] = "";
    a.start();
    b.start();
    manifest = a.build(1).reply();
    set_network([](SnapshotWorld::Packet&) { return 1; });
  }
  void set_network(std::function<int(SnapshotWorld::Packet&)> bad) {
    world.network = [this, bad = std::move(bad)](SnapshotWorld::Packet& p) {
      if (const auto* fetch = std::get_if<SnapshotFetch>(&p.message)) {
        asked.emplace(fetch->file, fetch->offset);
        most_asked = std::max(most_asked, asked.size());
      }
      const auto* part = std::get_if<SnapshotPart>(&p.message);
      const auto sum = part != nullptr ? part->checksum : 0;
      const int times = bad(p);
      if (part != nullptr && times > 0 && part->checksum == sum)
        asked.erase({part->file, part->offset});
      return times;
    };
  }
  static bool is_part(const SnapshotWorld::Packet& p) {
    return std::holds_alternative<SnapshotPart>(p.message);
  }
  void expect_equal() {
    auto files = b.files_in(std::string(kDir) + "/incoming/" + manifest.meta.snapshot_id);
    files.erase(storage::kSnapshotManifestName);
    EXPECT_EQ(files, a.state->files);
  }
  StorageError error_of(const Question<SnapshotReceived>& question) {
    return storage_error_of(question.error(), StorageSubject::log, StorageVerb::seek);
  }
  void expect_received(const Question<SnapshotReceived>& question, std::uint64_t ms) {
    ASSERT_TRUE(world.run_until([&] { return question.answers() == 1; }, ms));
    ASSERT_TRUE(question.succeeded()) << caf::to_string(question.error());
    expect_equal();
  }
};

TEST_F(TransferTest, OnAGoodNetworkEachByteTravelsOnce) {
  auto question = b.receive(a.id, manifest);
  // No part is waited for; the sender gives a peer so many parts in 50 ms.
  expect_received(question, 50 * (world.a.state->files.size() + manifest.bytes() / 4096) / kPartsPerTick);
  EXPECT_LT(world.sent_bytes, manifest.bytes());
  EXPECT_EQ(most_asked, b.options.receive.window);
}

TEST_F(TransferTest, LostDoubledReorderedAndDamagedPartsDoNoHarm) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    world.shuffled = seed % 2 == 0;
    asked.clear();
    set_network([&](SnapshotWorld::Packet& p) {
      const auto dice = random() % 50;
      auto* part = std::get_if<SnapshotPart>(&p.message);
      if (part != nullptr && dice == 1) {
        auto bytes = part->data.str();
        if (!bytes.empty())
          bytes[random() % bytes.size()] ^= 0x10;
        part->data = Bytes(std::move(bytes));
      }
      if (part != nullptr && dice == 2)
        part->checksum ^= 1;
      return dice == 3 ? 0 : dice == 4 ? 2 : 1;
    });
    const auto before = world.sent_bytes;
    auto question = b.receive(a.id, manifest);
    expect_received(question, 600'000);
    EXPECT_LT(world.sent_bytes - before, manifest.bytes() * 13 / 10);
    // Fetches that were lost count as asked until their second try: no more than the window either way.
    EXPECT_LE(most_asked, b.options.receive.window);
    world.actors.tell(b.actor(), ReceiveEnded{manifest.meta.snapshot_id});
    ASSERT_TRUE(b.machine().env.RenameFile(question.reply().folder, "/node/old" + std::to_string(seed)).ok());
    b.kill();
  }
}

TEST_F(TransferTest, ALinkThatIsCutThreeTimesAndAReceiverThatIsKilledTwice) {
  std::size_t parts = 0;
  bool up = true;
  set_network([&](SnapshotWorld::Packet& p) {
    if (is_part(p))
      ++parts;
    if (parts == 12 || parts == 30 || parts == 60)
      up = false;
    return up ? 1 : 0;
  });
  auto question = b.receive(a.id, manifest);
  for (int kill = 0; kill < 2; ++kill) {
    ASSERT_TRUE(world.run_until([&] { return !up; }, 10'000));
    world.run_for(1'000);
    b.kill();
    ++parts;
    up = true;
    question = b.receive(a.id, manifest);
  }
  ASSERT_TRUE(world.run_until([&] { return !up; }, 10'000));
  ++parts;
  up = true;
  expect_received(question, 10'000);
  EXPECT_LT(world.sent_bytes, manifest.bytes() * 13 / 10);
}

TEST_F(TransferTest, AKillAtEveryPartLosesAWindowAtMost) {
  const std::uint64_t window = b.options.receive.window * 4096;
  for (std::size_t at = 1; at < 85; at += 7) {
    SCOPED_TRACE(at);
    std::size_t parts = 0;
    set_network([&](SnapshotWorld::Packet& p) { return is_part(p) && ++parts > at ? 0 : 1; });
    const auto before = world.sent_bytes;
    b.receive(a.id, manifest);
    world.settle();
    b.kill();
    set_network([](auto&) { return 1; });
    auto question = b.receive(a.id, manifest);
    expect_received(question, 10'000);
    EXPECT_LE(world.sent_bytes - before, manifest.bytes() + window);
    b.machine().env.RenameFile(question.reply().folder, "/node/old" + std::to_string(at));
  }
}

TEST_F(TransferTest, APowerCutOfTheReceiverCostsBytesButNoFaith) {
  for (std::size_t at = 1; at < 85; at += 7) {
    SCOPED_TRACE(at);
    std::size_t parts = 0;
    set_network([&](SnapshotWorld::Packet& p) { return is_part(p) && ++parts > at ? 0 : 1; });
    b.receive(a.id, manifest);
    world.settle();
    b.cut_power();
    set_network([](auto&) { return 1; });
    auto question = b.receive(a.id, manifest);
    expect_received(question, 10'000);
    b.machine().env.RenameFile(question.reply().folder, "/node/old" + std::to_string(at));
  }
}

TEST_F(TransferTest, ASenderThatCameBackHasNothingAndSaysSo) {
  std::size_t parts = 0;
  set_network([&](SnapshotWorld::Packet& p) { return is_part(p) && ++parts > 20 ? 0 : 1; });
  auto question = b.receive(a.id, manifest);
  world.settle();
  a.kill();
  set_network([](auto&) { return 1; });
  ASSERT_TRUE(world.run_until([&] { return question.answers() == 1; }, 3'000));
  EXPECT_EQ(error_of(question).kind, StorageKind::unavailable);
  EXPECT_THAT(error_of(question).cause, testing::HasSubstr("does not have it any more"));
  EXPECT_EQ(b.figures().receiving.snapshot_id, "");
  // Its next snapshot has the same files: what came is not sent again.
  a.state->at.index = Index(101);
  auto again = a.build(101).reply();
  const auto before = world.sent_bytes;
  auto second = b.receive(a.id, again);
  ASSERT_TRUE(world.run_until([&] { return second.answers() == 1; }, 3'000));
  EXPECT_TRUE(second.succeeded());
  EXPECT_LE(world.sent_bytes - before, manifest.bytes() - 20 * 4096);
}

TEST_F(TransferTest, ASilentSenderIsGivenUpAfterTenSeconds) {
  std::size_t parts = 0;
  std::size_t fetches = 0;
  set_network([&](SnapshotWorld::Packet& p) {
    fetches += !is_part(p);
    return is_part(p) && ++parts > 20 ? 0 : 1;
  });
  auto question = b.receive(a.id, manifest);
  world.settle();
  fetches = 0;
  world.run_for(9'800);
  EXPECT_EQ(question.answers(), 0u);
  EXPECT_LE(fetches, 3 * b.options.receive.window) << "after 2 s, 3 s more and 4.5 s more";
  world.run_for(400);
  ASSERT_EQ(question.answers(), 1u);
  EXPECT_EQ(error_of(question).subject, StorageSubject::snapshot);
  EXPECT_EQ(error_of(question).kind, StorageKind::unavailable);
  EXPECT_THAT(error_of(question).cause, testing::HasSubstr("silent"));
}

TEST_F(TransferTest, AFileThatRottedAtTheSenderEndsTheTransferAndTheSnapshot) {
  const auto built = std::string(kDir) + "/built/" + manifest.meta.snapshot_id;
  a.machine().disk.flip(built + "/000003.sst", 1000);
  auto question = b.receive(a.id, manifest);
  ASSERT_TRUE(world.run_until([&] { return question.answers() == 1; }, 5'000));
  EXPECT_EQ(error_of(question).kind, StorageKind::unavailable);
  EXPECT_THAT(a.figures().built, testing::IsEmpty()) << "nobody is offered that one again";
  EXPECT_LT(world.sent_bytes, manifest.bytes() * 2);
}

TEST_F(TransferTest, AFileThatIsNeverWhatTheManifestSaysEndsTheTransfer) {
  // A sender that does not look: each of its parts is well, all together are not the file.
  set_network([&](SnapshotWorld::Packet& p) {
    if (auto* part = std::get_if<SnapshotPart>(&p.message); part != nullptr && part->gone)
      return 0;
    if (auto* part = std::get_if<SnapshotPart>(&p.message); part != nullptr && part->file == 3) {
      SnapshotFetch fetch{part->snapshot_id, 3, part->offset, part->bytes};
      *part = make_part(fetch, noise(99, part->bytes), false);
    }
    return 1;
  });
  auto question = b.receive(a.id, manifest);
  ASSERT_TRUE(world.run_until([&] { return question.answers() == 1; }, 5'000));
  EXPECT_EQ(error_of(question).kind, StorageKind::corruption);
  EXPECT_THAT(error_of(question).cause, testing::HasSubstr("000003.sst"));
  EXPECT_LT(world.sent_bytes, manifest.bytes() * 2);
}

TEST_F(TransferTest, StrangersAndUnaskedPartsAreIgnored) {
  SnapshotPart gone;
  gone.snapshot_id = manifest.meta.snapshot_id;
  gone.gone = true;
  SnapshotPart wild;
  wild.snapshot_id = manifest.meta.snapshot_id;
  wild.file = ~0u;
  wild.offset = ~0ull;
  SnapshotPart other = gone;
  other.snapshot_id = "1-1-1";
  world.actors.tell(b.actor(), SnapshotTraffic{a.id, {gone, wild}});
  auto question = b.receive(a.id, manifest);
  world.actors.tell(b.actor(), SnapshotTraffic{world.c.id, {gone, wild}});
  world.actors.tell(b.actor(), SnapshotTraffic{a.id, {wild, other}});
  expect_received(question, 5'000);
  EXPECT_EQ(world.sent_parts, a.figures().sent_parts);
}

TEST_F(TransferTest, AnotherSnapshotTakesThePlaceOfTheOneUnderWay) {
  std::size_t parts = 0;
  set_network([&](SnapshotWorld::Packet& p) { return is_part(p) && ++parts > 20 ? 0 : 1; });
  auto first = b.receive(a.id, manifest);
  world.settle();
  a.state->at.index = Index(200);
  a.state->files["000009.sst"] = noise(9, 10'000);
  manifest = a.build(200).reply();
  set_network([](auto&) { return 1; });
  auto second = b.receive(a.id, manifest);
  world.settle();
  ASSERT_EQ(first.answers(), 1u);
  EXPECT_EQ(error_of(first).kind, StorageKind::unavailable);
  expect_received(second, 5'000);
  EXPECT_LE(world.sent_bytes, manifest.bytes() + 4 * 4096);
}

TEST_F(TransferTest, TheSameOfferAgainGoesOnWhereItIs) {
  std::size_t parts = 0;
  set_network([&](SnapshotWorld::Packet& p) { return is_part(p) && ++parts > 20 ? 0 : 1; });
  auto first = b.receive(a.id, manifest);
  world.settle();
  set_network([](auto&) { return 1; });
  auto second = b.receive(a.id, manifest);
  EXPECT_EQ(b.state->looks, 1);
  expect_received(second, 5'000);
  EXPECT_EQ(b.state->looks, 1);
  EXPECT_FALSE(first.succeeded());
}

TEST_F(TransferTest, ABadManifestIsRefusedAndDisturbsNothing) {
  std::size_t parts = 0;
  set_network([&](SnapshotWorld::Packet& p) { return is_part(p) && ++parts > 20 ? 0 : 1; });
  auto good = b.receive(a.id, manifest);
  world.settle();
  auto bad = manifest;
  bad.files[1].file = "../../data/CURRENT";
  auto refused = b.receive(a.id, bad);
  set_network([](auto&) { return 1; });
  world.settle();
  EXPECT_EQ(error_of(refused).kind, StorageKind::invalid_request);
  expect_received(good, 5'000);
}

TEST_F(TransferTest, AnotherFormatIsRefusedBeforeAnythingIsFetched) {
  auto newer = manifest;
  ++newer.format;
  auto refused = b.receive(a.id, newer);
  world.settle();
  EXPECT_EQ(error_of(refused).kind, StorageKind::mismatch);
  EXPECT_EQ(world.sent_bytes, 0u);
  auto good = b.receive(a.id, manifest);
  expect_received(good, 5'000);
}

TEST_F(TransferTest, AStateThatIsNotWhatItsManifestSaysIsFetchedOnceOnly) {
  b.state->finds_received_wrong = true;
  auto question = b.receive(a.id, manifest);
  ASSERT_TRUE(world.run_until([&] { return question.answers() == 1; }, 5'000));
  EXPECT_EQ(error_of(question).kind, StorageKind::corruption);
  EXPECT_THAT(b.files_in(kDir), testing::IsEmpty());
  const auto sent = world.sent_bytes;
  auto again = b.receive(a.id, manifest);
  ASSERT_TRUE(world.run_until([&] { return again.answers() == 1; }, 5'000));
  EXPECT_EQ(error_of(again).kind, StorageKind::corruption);
  EXPECT_EQ(world.sent_bytes, sent);
}

TEST_F(TransferTest, AFullDiskEndsItAndGetsItsRoomBack) {
  b.machine().fs->set_capacity(b.machine().disk.size() + 100'000);
  auto question = b.receive(a.id, manifest);
  ASSERT_TRUE(world.run_until([&] { return question.answers() == 1; }, 5'000));
  EXPECT_EQ(error_of(question).kind, StorageKind::no_space);
  EXPECT_THAT(b.files_in(kDir), testing::IsEmpty());
  b.machine().fs->set_capacity(~0ull);
  auto again = b.receive(a.id, manifest);
  expect_received(again, 5'000);
}

TEST_F(TransferTest, ProgressIsToldFourTimesASecondAtMost) {
  a.stop();
  a.options.rate = 128 << 10;
  a.start();
  manifest = a.build(1).reply();
  auto question = b.receive(a.id, manifest);
  std::uint64_t ms = 0;
  while (question.answers() == 0 && ms < 20'000) {
    world.run_for(50);
    ms += 50;
  }
  expect_received(question, 0);
  EXPECT_GE(ms, manifest.bytes() * 1000 / (128 << 10) - 100);
  ASSERT_GE(world.progress.size(), 4u);
  EXPECT_LE(world.progress.size(), ms / 250 + 1);
  for (std::size_t i = 1; i < world.progress.size(); ++i)
    EXPECT_LT(world.progress[i - 1].received, world.progress[i].received);
  EXPECT_EQ(world.progress.back().received, manifest.bytes());
  EXPECT_EQ(world.progress.back().bytes, manifest.bytes());
}

TEST_F(TransferTest, AStopAnswersWhoWaits) {
  set_network([](auto&) { return 0; });
  auto question = b.receive(a.id, manifest);
  world.settle();
  b.stop();
  ASSERT_EQ(question.answers(), 1u);
  EXPECT_EQ(error_of(question).kind, StorageKind::unavailable);
}

}  // namespace
}  // namespace kiwi::test
