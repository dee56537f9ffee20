// What a receiver finds already there, and what it refuses to believe.

#include <gmock/gmock.h>

#include "actors/storage_errors.hpp"
#include "snapshot_world.hpp"
#include "storage/durable_dir.hpp"

namespace kiwi::test {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::SizeIs;

constexpr std::size_t kFileBytes = 20'000;

struct ReuseTest : testing::Test {
  SnapshotWorld world;
  SnapshotNode& a = world.a;
  SnapshotNode& b = world.b;
  SnapshotManifest manifest;

  ReuseTest() {
    for (auto* node : {&a, &b, &world.c}) node->options.receive.part_bytes = 4096;
    for (std::uint64_t i = 0; i < 10; ++i)
      a.state->files["00000" + std::to_string(i) + ".sst"] = noise(i, kFileBytes);
    a.state->files["CURRENT"] = "MANIFEST-000005\n";
    a.state->files["empty.log"] = "";
    a.start();
    b.start();
    manifest = a.build(1).reply();
  }
  std::string folder() const { return std::string(kDir) + "/incoming/" + manifest.meta.snapshot_id; }
  void give(const std::string& path, const std::string& content) {
    auto& env = b.machine().env;
    ASSERT_TRUE(storage::make_dir_durably(env, path.substr(0, path.rfind('/'))).ok());
    ASSERT_TRUE(rocksdb::WriteStringToFile(&env, content, path, true).ok());
    ASSERT_TRUE(storage::sync_dir(env, path.substr(0, path.rfind('/'))).ok());
  }
  /// Receives it all and looks at every byte.
  void receive_all() {
    auto question = b.receive(a.id, manifest);
    ASSERT_TRUE(world.run_until([&] { return question.answers() == 1; }, 5'000));
    ASSERT_TRUE(question.succeeded()) << caf::to_string(question.error());
    EXPECT_EQ(question.reply().folder, folder());
    EXPECT_EQ(question.reply().meta, manifest.meta);
    auto files = b.files_in(folder());
    files.erase(storage::kSnapshotManifestName);
    EXPECT_EQ(files, a.state->files);
    EXPECT_THAT(b.files_in(std::string(kDir) + "/own"), IsEmpty());
  }
};

TEST_F(ReuseTest, FilesOfTheOwnDatabaseWithTheSameContentAreNotSent) {
  for (std::uint64_t i = 0; i < 9; ++i)
    give(std::string(kDataDir) + "/00010" + std::to_string(i) + ".sst", noise(i, kFileBytes));
  give(std::string(kDataDir) + "/000200.sst", noise(77, kFileBytes));
  receive_all();
  EXPECT_EQ(b.state->looks, 1);
  EXPECT_EQ(b.figures().reused_bytes, 9 * kFileBytes);
  EXPECT_LE(world.sent_bytes, kFileBytes + 100);
  // Linked, not copied, and the own files are as they were.
  const auto& disk = b.machine().disk;
  EXPECT_EQ(disk.find(folder() + "/000003.sst"), disk.find(std::string(kDataDir) + "/000103.sst"));
  EXPECT_EQ(b.content(std::string(kDataDir) + "/000103.sst"), noise(3, kFileBytes));
}

TEST_F(ReuseTest, WithoutOwnFilesAllOfItIsSent) {
  receive_all();
  EXPECT_EQ(world.sent_bytes, manifest.bytes());
  EXPECT_EQ(b.figures().received_bytes, manifest.bytes());
  EXPECT_EQ(b.figures().reused_bytes, 0u);
  EXPECT_EQ(b.figures().received_snapshots, 1u);
}

TEST_F(ReuseTest, ARottenFileIsFetchedAgain) {
  receive_all();
  b.kill();
  b.machine().disk.flip(folder() + "/000004.sst", 8 * 9'999 + 3);
  const auto before = world.sent_bytes;
  receive_all();
  EXPECT_EQ(world.sent_bytes - before, kFileBytes);
}

TEST_F(ReuseTest, ARottenFileThatIsSharedIsNotWrittenTo) {
  give(std::string(kDataDir) + "/000104.sst", noise(4, kFileBytes));
  receive_all();
  b.kill();
  const auto own = std::string(kDataDir) + "/000104.sst";
  b.machine().disk.flip(own, 5);
  const auto rotten = b.content(own);
  receive_all();
  EXPECT_EQ(b.content(own), rotten) << "it is for the database to say what is wrong with its files";
}

TEST_F(ReuseTest, AnotherTransfersFilesAreTakenAlsoTheUnfinishedOne) {
  // The first snapshot comes in half, then its sender is replaced by one whose snapshot differs in one file.
  std::size_t parts = 0;
  world.network = [&](SnapshotWorld::Packet& p) {
    return !std::holds_alternative<SnapshotPart>(p.message) || ++parts <= 23;
  };
  auto first = b.receive(a.id, manifest);
  ASSERT_TRUE(world.run_until([&] { return first.answers() == 1; }, 20'000));
  EXPECT_FALSE(first.succeeded());
  world.network = [](auto&) { return 1; };
  world.c.state->files = a.state->files;
  world.c.state->files["000000.sst"] = noise(100, kFileBytes);
  world.c.state->at.index = Index(150);
  world.c.start();
  auto other = world.c.build(150).reply();
  const auto before = world.sent_bytes;
  auto second = b.receive(world.c.id, other);
  ASSERT_TRUE(world.run_until([&] { return second.answers() == 1; }, 5'000));
  ASSERT_TRUE(second.succeeded());
  auto files = b.files_in(second.reply().folder);
  files.erase(storage::kSnapshotManifestName);
  EXPECT_EQ(files, world.c.state->files);
  // 23 parts of 4 KiB came, five files each of five parts; the first file is of no use now.
  const auto all = world.sent_bytes - before;
  EXPECT_EQ(all, other.bytes() - (3 * kFileBytes + 3 * 4096));
}

TEST_F(ReuseTest, StrangeThingsInTheFolderAreSweptAway) {
  give(folder() + "/000099.sst", "of another world");
  give(folder() + "/000001.sst", "too short");
  give(folder() + "/000002.sst.part", std::string(kFileBytes + 1, 'x'));
  give(folder() + "/000003.sst.have", noise(4, kFileBytes));
  give(folder() + "/000005.sst.part", noise(6, 9000));
  give(folder() + "/sub/file", "x");
  give(std::string(kDir) + "/incoming/no-manifest/000001.sst", noise(1, kFileBytes));
  receive_all();
  EXPECT_THAT(b.files_in(std::string(kDir) + "/incoming/no-manifest"), IsEmpty());
}

TEST_F(ReuseTest, OnlyAFewGivenUpTransfersAreKept) {
  for (std::uint64_t i = 1; i <= 5; ++i) {
    FakeState old;
    old.at.index = Index(i);
    old.files = {{"x", noise(50 + i, 10)}};
    auto theirs = manifest_of(old);
    b.receive(NodeId(9), theirs);
    world.settle();
  }
  auto question = b.receive(a.id, manifest);
  ASSERT_TRUE(world.run_until([&] { return question.answers() == 1; }, 5'000));
  std::set<std::string> folders;
  for (const auto& [path, content] : b.files_in(std::string(kDir) + "/incoming"))
    folders.insert(path.substr(0, path.find('/')));
  EXPECT_THAT(folders, SizeIs(3)) << "this one and the two newest others";
}

TEST_F(ReuseTest, WhatIsLeftOverGoesAfterALongWhile) {
  b.stop();
  b.options.keep_incoming_ms = 100'000;
  b.start();
  auto question = b.receive(NodeId(9), manifest);
  ASSERT_TRUE(world.run_until([&] { return question.answers() == 1; }, 20'000));
  b.kill();
  world.run_for(99'000);
  EXPECT_THAT(b.files_in(kDir), Not(IsEmpty()));
  world.run_for(2'000);
  EXPECT_THAT(b.files_in(kDir), IsEmpty());
}

TEST_F(ReuseTest, WhenItIsInstalledTheRestGoesAndWhenNotItStays) {
  receive_all();
  auto refused = b.build(1);
  EXPECT_EQ(storage_error_of(refused.error(), StorageSubject::log, StorageVerb::seek).kind,
            StorageKind::unavailable)
      << "the database is being swapped";
  auto same = b.receive(a.id, manifest);
  auto other = manifest;
  other.meta.snapshot_id = "4-1-1";
  auto another = b.receive(a.id, other);
  world.settle();
  EXPECT_TRUE(same.succeeded());
  EXPECT_FALSE(another.succeeded());

  world.actors.tell(b.actor(), ReceiveEnded{manifest.meta.snapshot_id});
  world.settle();
  EXPECT_THAT(b.files_in(kDir), Contains(Key(testing::HasSubstr("000004.sst"))))
      << "given up: for the next time";
  EXPECT_TRUE(b.build(1).succeeded());

  const auto before = world.sent_bytes;
  receive_all();
  EXPECT_EQ(world.sent_bytes, before);
  give(std::string(kDir) + "/incoming/1-1-1/x", "y");
  ASSERT_TRUE(b.machine().env.RenameFile(folder(), kDataDir).ok());
  world.actors.tell(b.actor(), ReceiveEnded{manifest.meta.snapshot_id});
  world.settle();
  EXPECT_THAT(b.files_in(std::string(kDir) + "/incoming"), IsEmpty());
}

TEST_F(ReuseTest, WhatIsAnsweredSurvivesAPowerCut) {
  receive_all();
  auto disk = b.machine().disk.after_power_failure();
  std::map<std::string, std::string> left;
  for (const auto& [path, file] : disk.files())
    if (path.starts_with(folder() + "/"))
      left[path.substr(folder().size() + 1)] = file->bytes.str();
  left.erase(storage::kSnapshotManifestName);
  EXPECT_EQ(left, a.state->files);
}

}  // namespace
}  // namespace kiwi::test
