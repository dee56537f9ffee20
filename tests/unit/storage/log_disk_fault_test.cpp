// Disks that fail, lie about it, and fill up.

#include <rocksdb/file_system.h>

#include "sim_node.hpp"
#include "storage/log_env.hpp"

namespace kiwi::storage {
namespace {

using ::testing::HasSubstr;

class LogDiskFaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto made = node_->create();
    ASSERT_TRUE(made) << why(made);
    ASSERT_TRUE(node_->open()) << why(node_->opened->error);
    ASSERT_TRUE(node_->store().write({append(1, 3), vote(1, 1)}));
  }
  sim::SimFs& fs() { return *node_->machine.fs; }
  Result<LogId> write(std::uint64_t index) { return node_->store().write({append(index, index)}); }
  /// Another machine, or another process, with what is left.
  void continue_with(sim::SimDisk image) {
    auto next = std::make_unique<Node>(std::move(image));
    node_ = std::move(next);
    ASSERT_TRUE(node_->open()) << why(node_->opened->error);
  }
  std::uint64_t last() { return node_->store().last().index.value; }

  std::unique_ptr<Node> node_ = std::make_unique<Node>();
};

TEST_F(LogDiskFaultTest, AFailedSyncIsTheLastEvenIfTheDiskHeals) {
  fs().inject({sim::DiskOp::sync, 1, false, false, ".log"});
  const auto failed = write(4);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, StorageKind::io);
  EXPECT_EQ(failed.error().subject, StorageSubject::log);
  EXPECT_EQ(failed.error().outcome, StorageOutcome::unknown) << "the record is in the file";
  EXPECT_TRUE(node_->store().poisoned());
  EXPECT_EQ(last(), 3u) << "nothing of it is acknowledged";
  fs().heal();
  const auto later = write(4);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().cause, failed.error().cause) << "the first error, again";
  EXPECT_EQ(later.error().outcome, StorageOutcome::not_written);
  EXPECT_FALSE(node_->store().read(Index(1), Index(1), 100));
  EXPECT_FALSE(node_->store().adopt_cluster(ClusterId(1), {}));
  EXPECT_EQ(fs().faults_fired(), 1u);
  continue_with(node_->machine.disk.after_power_failure());
  EXPECT_EQ(last(), 3u);
  EXPECT_TRUE(write(4));
}

TEST_F(LogDiskFaultTest, WhatAPageCacheStillShowsIsMadeDurableBeforeItCounts) {
  // The sync failed and the pages count as clean: a restarted process reads a record that is not on the disk.
  fs().inject({sim::DiskOp::sync, 1, false, true, ".log"});
  ASSERT_FALSE(write(4));
  continue_with(node_->machine.disk.after_kill());
  EXPECT_EQ(last(), 4u) << "it is read back from the cache";
  EXPECT_EQ(node_->found().last, log_id(1, 4));
  continue_with(node_->machine.disk.after_power_failure());
  EXPECT_EQ(last(), 4u) << "it counted, so it must be there";
}

TEST_F(LogDiskFaultTest, AFailedAppendIsTheLastToo) {
  fs().inject({sim::DiskOp::append, 1, false, false, ".log"});
  const auto failed = write(4);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, StorageKind::io);
  fs().heal();
  EXPECT_FALSE(write(4));
  continue_with(node_->machine.disk.after_kill());
  EXPECT_EQ(last(), 3u);
}

TEST_F(LogDiskFaultTest, AFullDiskIsSaidAndTheStoreGoesOnOnceThereIsRoom) {
  for (const std::uint64_t room : {0u, 1u, 100u, 511u}) {
    SCOPED_TRACE(room);
    const auto before = last();
    fs().set_capacity(node_->machine.disk.size() + room);
    const auto failed = write(before + 1);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, StorageKind::no_space);
    EXPECT_TRUE(node_->store().poisoned());
    continue_with(node_->machine.disk.after_kill());
    EXPECT_EQ(last(), before);
    EXPECT_TRUE(write(before + 1));
  }
}

TEST_F(LogDiskFaultTest, AReadErrorIsNotTheAbsenceOfAnEntry) {
  continue_with(node_->machine.disk.after_power_failure());  // the entries are in a table now
  fs().inject({sim::DiskOp::read, 1, true, false, ".sst"});
  const auto failed = node_->store().read(Index(1), Index(3), 1000);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, StorageKind::io);
  EXPECT_EQ(failed.error().verb, StorageVerb::read);
  EXPECT_TRUE(node_->store().poisoned());
}

TEST_F(LogDiskFaultTest, AFaultAtAnyCallOfOpenLosesNothing) {
  const auto image = node_->machine.disk.after_kill();
  int failures = 0;
  for (const auto op : {sim::DiskOp::append, sim::DiskOp::sync, sim::DiskOp::create, sim::DiskOp::rename,
                        sim::DiskOp::sync_dir, sim::DiskOp::read}) {
    for (std::uint64_t nth = 1; nth < 200; ++nth) {
      SCOPED_TRACE(std::string(to_string(op)) + " " + std::to_string(nth));
      Node broken(image.after_kill());
      broken.machine.fs->inject({op, nth, true, op == sim::DiskOp::sync, ""});
      const bool opened = broken.open();
      if (broken.machine.fs->faults_fired() == 0) {
        ASSERT_TRUE(opened);
        break;  // there is no such call any more
      }
      failures += opened ? 0 : 1;
      Node after(broken.machine.disk.after_kill());
      ASSERT_TRUE(after.open()) << why(after.opened->error);
      EXPECT_EQ(after.store().last(), log_id(1, 3));
      Node later(broken.machine.disk.after_power_failure());
      ASSERT_TRUE(later.open()) << why(later.opened->error);
      EXPECT_EQ(later.store().last(), log_id(1, 3));
      EXPECT_EQ(later.found().vote, (Vote{Term(1), NodeId(1)}));
    }
  }
  EXPECT_GT(failures, 20);
}

TEST_F(LogDiskFaultTest, AFlushThatFailsInTheBackgroundStopsTheStore) {
  ASSERT_TRUE(node_->store().write({append({entry(4, 1, std::string(10'000, 'x'))})}));
  ASSERT_TRUE(write(5));  // the write-ahead log is large now: this starts a flush
  fs().inject({sim::DiskOp::sync, 1, true, true, ".sst"});
  node_->machine.env.run_jobs();
  fs().heal();
  EXPECT_FALSE(write(6));
  EXPECT_FALSE(write(6));
  continue_with(node_->machine.disk.after_power_failure());
  EXPECT_EQ(last(), 5u);
}

TEST_F(LogDiskFaultTest, ACreationWithoutRoomIsNoStore) {
  for (std::uint64_t capacity = 0; capacity < 3000; capacity += 250) {
    Node full;
    full.machine.fs->set_capacity(capacity);
    const auto failed = full.create();
    if (failed) {
      continue;
    }
    EXPECT_EQ(failed.error().kind, StorageKind::no_space) << why(failed);
    full.machine.fs->set_capacity(~std::uint64_t{0});
    if (!LogStore::exists(full.options)) {
      const auto made = full.create();
      EXPECT_TRUE(made) << why(made);
    }
    EXPECT_TRUE(full.open()) << why(full.opened->error);
  }
}

TEST(SimMachine, TheSameStoryLeavesTheSameTrace) {
  const auto trace = [](std::uint64_t entries) {
    Node node;
    EXPECT_TRUE(node.create());
    EXPECT_TRUE(node.open());
    for (std::uint64_t i = 1; i <= entries; ++i) {
      EXPECT_TRUE(node.store().write({append({entry(i, 1, std::string(i * 37 % 2000, 'x'))})}));
      node.machine.env.run_jobs();
    }
    return node.machine.fs->trace();
  };
  const auto first = trace(200);
  EXPECT_EQ(first, trace(200));
  EXPECT_NE(first, trace(201));
}

/// A disk that takes no byte of RocksDB's own log.
class NoRoomForLines : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "NoRoomForLines"; }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* out,
                                    rocksdb::IODebugContext* debug) override {
    auto status = target()->NewWritableFile(path, options, out, debug);
    if (status.ok() && path.ends_with("/LOG")) {
      *out = std::make_unique<Full>(std::move(*out));
    }
    return status;
  }

 private:
  struct Full : rocksdb::FSWritableFileOwnerWrapper {
    using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;
    rocksdb::IOStatus Append(const rocksdb::Slice&, const rocksdb::IOOptions&,
                             rocksdb::IODebugContext*) override {
      return rocksdb::IOStatus::NoSpace();
    }
  };
};

/// RocksDB 7.8 would end the process at the second line.
TEST(LogOnAFullDisk, LosesLinesOfRocksDBsOwnLogAndNothingElse) {
  TempDir dir;
  const auto full =
      rocksdb::NewCompositeEnv(std::make_shared<NoRoomForLines>(rocksdb::FileSystem::Default()));
  auto options = at(dir.path());
  options.env = full.get();
  ASSERT_TRUE(LogStore::create(options, some_identity()));
  {
    Opened opened(options);
    ASSERT_TRUE(opened) << why(opened.error);
    ASSERT_TRUE(opened->write({append(1, 3)}));
  }
  EXPECT_EQ(std::filesystem::file_size(dir.path() + "/LOG"), 0u);
  const LogEnv env(full.get());
  std::shared_ptr<rocksdb::Logger> lines;
  ASSERT_TRUE(env.env().GetFileSystem()->NewLogger(dir.path() + "/LOG", {}, &lines, nullptr).ok());
  for (int i = 0; i < 3; ++i) {
    rocksdb::Error(lines, "line %d", i);
    lines->Flush();
  }
  Opened opened(options);
  ASSERT_TRUE(opened) << why(opened.error);
  EXPECT_EQ(opened->last(), log_id(1, 3));
}

}  // namespace
}  // namespace kiwi::storage
