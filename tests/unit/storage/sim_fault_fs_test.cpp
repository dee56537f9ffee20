// The faults in front of real files.

#include <chrono>
#include <future>

#include "log_testing.hpp"
#include "sim_chooser.hpp"
#include "storage/testing/fault_fs.hpp"

namespace kiwi::sim {
namespace {

using storage::LogStore;
using storage::why;

class FaultFsTest : public ::testing::Test {
 protected:
  FaultFsTest() { options_.dir = dir_.path("log"); }
  ~FaultFsTest() override { stop(); }
  void start(FaultFileSystemOptions options = {}) {
    fs_ = std::make_shared<FaultFileSystem>(rocksdb::FileSystem::Default(), std::move(options));
    env_ = rocksdb::NewCompositeEnv(fs_);
    options_.env = env_.get();
  }
  void stop() {
    opened_.reset();
    env_.reset();
    fs_.reset();
  }
  /// kill -9, or the machine loses power: what is in memory is gone.
  void kill() {
    fs_->freeze();
    stop();
  }
  void open() {
    opened_.emplace(options_);
    ASSERT_TRUE(*opened_) << why(opened_->error);
  }
  void make() {
    const auto made = LogStore::create(options_, storage::some_identity());
    ASSERT_TRUE(made) << why(made);
    open();
  }
  bool write(std::uint64_t index) {
    return static_cast<bool>((*opened_)->write({storage::append(index, index)}));
  }
  std::uint64_t last() { return (*opened_)->last().index.value; }
  /// Opens a plain file of the directory for writing.
  std::unique_ptr<rocksdb::FSWritableFile> file(const std::string& name) {
    std::unique_ptr<rocksdb::FSWritableFile> out;
    EXPECT_TRUE(fs_->NewWritableFile(dir_.path(name), {}, &out, nullptr).ok());
    return out;
  }
  void sync_dir() {
    std::unique_ptr<rocksdb::FSDirectory> handle;
    ASSERT_TRUE(fs_->NewDirectory(dir_.path(""), {}, &handle, nullptr).ok());
    ASSERT_TRUE(handle->Fsync({}, nullptr).ok());
  }
  std::string seen(const std::string& name) {
    std::string bytes;
    return rocksdb::ReadFileToString(env_.get(), dir_.path(name), &bytes).ok() ? bytes : "(none)";
  }
  std::string real(const std::string& name) { return storage::read_file(dir_.path(name)); }

  storage::TempDir dir_;
  std::shared_ptr<FaultFileSystem> fs_;
  std::unique_ptr<rocksdb::Env> env_;
  storage::LogStoreOptions options_;
  std::optional<storage::Opened> opened_;
};

TEST_F(FaultFsTest, ADirectoryTakesItsFilesAlongWhenItIsRenamed) {
  start();
  ASSERT_TRUE(fs_->CreateDir(dir_.path("d"), {}, nullptr).ok());
  const auto old = file("d/x");
  ASSERT_TRUE(old->Append("old", {}, nullptr).ok());
  ASSERT_TRUE(old->Sync({}, nullptr).ok());
  ASSERT_TRUE(old->Append("-lost", {}, nullptr).ok());
  ASSERT_TRUE(fs_->RenameFile(dir_.path("d"), dir_.path("e"), {}, nullptr).ok());
  EXPECT_EQ(seen("e/x"), "old-lost");
  EXPECT_EQ(seen("d/x"), "(none)");
  // Other files under the old names are other files.
  ASSERT_TRUE(fs_->CreateDir(dir_.path("d"), {}, nullptr).ok());
  storage::write_file(dir_.path("d/x"), "made elsewhere");
  EXPECT_EQ(seen("d/x"), "made elsewhere");
  kill();
  EXPECT_EQ(real("e/x"), "old");
}

TEST_F(FaultFsTest, WhatIsNotSyncedIsSeenButGoneAfterAKill) {
  start();
  const auto a = file("a");
  ASSERT_TRUE(a->Append("synced", {}, nullptr).ok());
  ASSERT_TRUE(a->Sync({}, nullptr).ok());
  ASSERT_TRUE(a->Append("-lost", {}, nullptr).ok());
  EXPECT_EQ(seen("a"), "synced-lost");
  EXPECT_EQ(real("a"), "synced");
  EXPECT_EQ(fs_->unsynced_bytes(), 5u);
  kill();
  EXPECT_EQ(real("a"), "synced");
}

TEST_F(FaultFsTest, AnOrderedEndWritesBackAndWithoutBuffersAKillLosesNothing) {
  start();
  ASSERT_TRUE(file("a")->Append("late", {}, nullptr).ok());
  EXPECT_EQ(real("a"), "");
  stop();
  EXPECT_EQ(real("a"), "late");
  FaultFileSystemOptions through;
  through.buffers = false;
  start(through);
  ASSERT_TRUE(file("b")->Append("at once", {}, nullptr).ok());
  kill();
  EXPECT_EQ(real("b"), "at once");
}

TEST_F(FaultFsTest, ASyncThatIsHeldDoesNotHappenAfterAll) {
  start();
  const auto a = file("a");
  sync_dir();
  ASSERT_TRUE(a->Append("un-synced", {}, nullptr).ok());
  fs_->hold();
  auto synced = std::async(std::launch::async, [&a] { return a->Sync({}, nullptr).ok(); });
  EXPECT_EQ(synced.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout) << "it waits";
  static_cast<void>(fs_->power_fail(CrashProfile::ordered, [](auto, auto, auto) { return 0u; }));
  EXPECT_FALSE(synced.get()) << "the machine is off";
  EXPECT_EQ(real("a"), "");
}

TEST_F(FaultFsTest, APowerFailureKeepsWhatItSaysAndRemovesNamesThatWereNotSynced) {
  start();
  const auto a = file("a");
  sync_dir();
  ASSERT_TRUE(a->Append(std::string(512, 's'), {}, nullptr).ok());
  ASSERT_TRUE(a->Sync({}, nullptr).ok());
  ASSERT_TRUE(a->Append(std::string(2048, 'x'), {}, nullptr).ok());
  const auto b = file("b");
  ASSERT_TRUE(b->Append("b", {}, nullptr).ok());
  ASSERT_TRUE(b->Sync({}, nullptr).ok());
  const auto cut = fs_->power_fail(CrashProfile::ordered, [](auto, std::string_view decision, auto) {
    return decision == "fate" ? 2u : decision == "prefix" ? 3u : 0u;
  });
  EXPECT_EQ(to_string(cut), dir_.path("a") + " keep=bytes:1536");
  EXPECT_FALSE(a->Append("y", {}, nullptr).ok()) << "the machine is off";
  EXPECT_EQ(real("a"), std::string(512, 's') + std::string(1536, 'x'));
  EXPECT_FALSE(std::filesystem::exists(dir_.path("b")));
}

TEST_F(FaultFsTest, ALogStoreLosesNothingAcknowledgedOverManyPowerFailures) {
  start();
  make();
  std::uint64_t torn = 0;
  for (std::uint64_t life = 1; life <= 30; ++life) {
    const auto before = last();
    for (std::uint64_t i = 1; i <= life % 4; ++i) {
      ASSERT_TRUE(write(before + i));
    }
    EXPECT_EQ(fs_->unsynced_bytes(FileClass::log_wal), 0u);
    const auto acknowledged = last();
    fs_->arm({"no sync", FaultKind::error, DiskOp::sync, FileClass::log_wal});
    ASSERT_FALSE(write(acknowledged + 1)) << "its sync failed: un-synced";
    EXPECT_GT(fs_->unsynced_bytes(FileClass::log_wal), 0u);
    const auto profile = life % 2 == 0 ? CrashProfile::hostile : CrashProfile::ordered;
    torn += fs_->power_fail(profile, keyed(life)).keeps_nothing() ? 0 : 1;
    stop();
    start();
    open();
    if (HasFatalFailure()) {
      return;
    }
    EXPECT_GE(last(), acknowledged);
    EXPECT_LE(last(), acknowledged + 1);
  }
  EXPECT_GT(torn, 5u);
}

TEST_F(FaultFsTest, FaultsHitTheirFilesAndAreCounted) {
  start();
  make();
  fs_->arm({"the log's disk is full", FaultKind::full, DiskOp::append, FileClass::log_wal, "", 2});
  EXPECT_TRUE(write(1));
  const auto failed = (*opened_)->write({storage::append(2, 2)});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, StorageKind::no_space);
  EXPECT_EQ(fs_->fired("the log's disk is full"), 1u);
  kill();
  start();
  open();
  EXPECT_EQ(last(), 1u);
  fs_->arm({"", FaultKind::read_only, {}, FileClass::any, "", 1, kAlways});
  EXPECT_FALSE(write(2));
  EXPECT_GE(fs_->fired("read-only"), 1u);
}

TEST_F(FaultFsTest, ASyncThatDropsItsPagesLeavesAHole) {
  start();
  const auto a = file("a");
  ASSERT_TRUE(a->Append("dropped", {}, nullptr).ok());
  fs_->arm({"", FaultKind::sync_drops});
  EXPECT_FALSE(a->Sync({}, nullptr).ok());
  EXPECT_EQ(seen("a"), "dropped") << "the cache still shows it";
  ASSERT_TRUE(a->Append("kept", {}, nullptr).ok());
  ASSERT_TRUE(a->Sync({}, nullptr).ok());
  EXPECT_EQ(real("a"), std::string(7, '\0') + "kept");
  EXPECT_EQ(fs_->fired("sync-drops"), 1u);
}

TEST_F(FaultFsTest, LostAndMisdirectedWritesAreAcknowledged) {
  start();
  const auto victim = file("victim");
  ASSERT_TRUE(victim->Append("0123456789", {}, nullptr).ok());
  ASSERT_TRUE(victim->Sync({}, nullptr).ok());
  const auto a = file("a");
  fs_->arm({"", FaultKind::lost_write, {}, FileClass::any, "/a"});
  ASSERT_TRUE(a->Append("lost", {}, nullptr).ok());
  Fault astray;
  astray.kind = FaultKind::misdirected;
  astray.in_path = "/a";
  astray.target = dir_.path("victim");
  astray.target_offset = 3;
  fs_->arm(astray);
  ASSERT_TRUE(a->Append("xyz", {}, nullptr).ok());
  ASSERT_TRUE(a->Sync({}, nullptr).ok());
  EXPECT_EQ(real("a"), std::string(7, '\0'));
  EXPECT_EQ(real("victim"), "012xyz6789");
  EXPECT_TRUE(fs_->flip(dir_.path("victim"), 8));
  EXPECT_EQ(real("victim"), "002xyz6789");
  EXPECT_FALSE(fs_->flip(dir_.path("victim"), 80));
}

TEST_F(FaultFsTest, SlowAndHungCallsWait) {
  std::uint64_t waited = 0;
  FaultFileSystemOptions options;
  options.wait = [&](std::uint64_t us) {
    waited += us;
    if (waited > 1'000'000) {
      fs_->heal();
    }
  };
  start(options);
  const auto a = file("a");
  Fault slow;
  slow.kind = FaultKind::slow;
  slow.op = DiskOp::sync;
  slow.delay_us = 700;
  slow.nth = 2;
  fs_->arm(slow);
  ASSERT_TRUE(a->Sync({}, nullptr).ok());
  EXPECT_EQ(waited, 0u);
  ASSERT_TRUE(a->Sync({}, nullptr).ok());
  EXPECT_EQ(waited, 700u);
  fs_->arm({"", FaultKind::hang, DiskOp::sync});
  ASSERT_TRUE(a->Sync({}, nullptr).ok()) << "it returns once it is healed";
  EXPECT_GT(waited, 1'000'000u);
  EXPECT_EQ(fs_->fired("hang"), 1u);
  EXPECT_EQ(fs_->fired("slow"), 1u);
}

}  // namespace
}  // namespace kiwi::sim
