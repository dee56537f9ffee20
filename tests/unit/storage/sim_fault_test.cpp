// Each fault of the simulated disk: it hits what it was armed for, when it was asked to, and is counted.

#include <set>

#include "log_story.hpp"
#include "sim_chooser.hpp"
#include "storage/testing/power_cut.hpp"

namespace kiwi::sim {
namespace {

class SimFaultTest : public ::testing::Test {
 protected:
  SimFaultTest() {
    disk_.make_dir("/n");
    disk_.make_dir("/n/log");
    disk_.sync_dir("/");
    disk_.sync_dir("/n");
  }
  std::unique_ptr<rocksdb::FSWritableFile> open(const std::string& name) {
    std::unique_ptr<rocksdb::FSWritableFile> out;
    EXPECT_TRUE(fs_->NewWritableFile("/n/log/" + name, {}, &out, nullptr).ok());
    return out;
  }
  /// "" or the error.
  static std::string append(rocksdb::FSWritableFile& file, const std::string& bytes) {
    const auto status = file.Append(bytes, {}, nullptr);
    return status.ok() ? "" : status.ToString();
  }
  static std::string sync(rocksdb::FSWritableFile& file) {
    const auto status = file.Sync({}, nullptr);
    return status.ok() ? "" : status.ToString();
  }
  std::string read(const std::string& name, std::uint64_t at = 0, std::size_t n = 1u << 20) {
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    EXPECT_TRUE(fs_->NewRandomAccessFile("/n/log/" + name, {}, &file, nullptr).ok());
    std::string scratch(n, '\0');
    rocksdb::Slice result;
    const auto status = file->Read(at, n, {}, &result, scratch.data(), nullptr);
    return status.ok() ? result.ToString() : "error";
  }
  std::string after_cut(const std::string& name) {
    const auto image = disk_.after_power_failure({0, false, 1000});
    const auto file = image.find("/n/log/" + name);
    return file ? file->bytes.str() : "(none)";
  }
  Faults& faults() { return fs_->faults(); }
  std::uint64_t unsynced(FileClass where) const { return disk_.unsynced_bytes(where); }

  SimDisk disk_;
  std::shared_ptr<SimFs> fs_ = std::make_shared<SimFs>(disk_);
};

TEST_F(SimFaultTest, AnErrorHitsTheNthCallOfItsKindAndClassOnly) {
  const auto wal = open("000004.log");
  const auto table = open("000005.sst");
  faults().arm({"third", FaultKind::error, DiskOp::append, FileClass::log_wal, "", 3, 2});
  for (int i = 1; i <= 6; ++i) {
    EXPECT_EQ(append(*table, "x"), "");
    EXPECT_EQ(append(*wal, "x").empty(), i != 3 && i != 4) << i;
    EXPECT_EQ(sync(*wal), "");
  }
  EXPECT_EQ(faults().fired("third"), 2u);
  EXPECT_EQ(read("000004.log"), "xxxx");
  EXPECT_EQ(read("000005.sst"), "xxxxxx");
}

TEST_F(SimFaultTest, AnArmedFaultThatNeverFiresIsListedWithZero) {
  faults().arm({"never", FaultKind::error, DiskOp::read, FileClass::data_table});
  append(*open("000004.log"), "x");
  read("000004.log");
  EXPECT_EQ(faults().fired(), (std::map<std::string, std::uint64_t, std::less<>>{{"never", 0}}));
  EXPECT_TRUE(faults().disarm("never"));
  EXPECT_FALSE(faults().disarm("never"));
  EXPECT_EQ(faults().fired().count("never"), 1u) << "still told at the end";
}

TEST_F(SimFaultTest, ASyncThatDropsIsSeenByTheCacheOnlyAndCountsAsUnsynced) {
  const auto wal = open("000004.log");
  append(*wal, "kept");
  sync(*wal);
  append(*wal, "lost");
  faults().arm({"", FaultKind::sync_drops, {}, FileClass::log_wal});
  EXPECT_THAT(sync(*wal), ::testing::HasSubstr("Input/output"));
  EXPECT_EQ(sync(*wal), "") << "nothing is dirty any more";
  EXPECT_EQ(read("000004.log"), "keptlost");
  EXPECT_EQ(after_cut("000004.log"), "kept");
  fs_->disk().sync_dir("/n/log");
  EXPECT_EQ(unsynced(FileClass::log_wal), 4u);
  append(*wal, "more");
  sync(*wal);
  EXPECT_EQ(after_cut("000004.log"), std::string("kept") + std::string(4, '\0') + "more");
  EXPECT_EQ(faults().fired("sync-drops"), 1u);
}

TEST_F(SimFaultTest, FullAndReadOnlySayTheirNameUntilDisarmed) {
  const auto wal = open("000004.log");
  faults().arm({"", FaultKind::full, {}, FileClass::any, "", 1, kAlways});
  EXPECT_THAT(append(*wal, "x"), ::testing::HasSubstr("No space"));
  EXPECT_EQ(sync(*wal), "") << "a full disk still syncs";
  faults().disarm("full");
  faults().arm({"", FaultKind::read_only, {}, FileClass::any, "", 1, kAlways});
  EXPECT_THAT(append(*wal, "x"), ::testing::HasSubstr("Read-only"));
  EXPECT_THAT(sync(*wal), ::testing::HasSubstr("Read-only"));
  EXPECT_FALSE(fs_->DeleteFile("/n/log/000004.log", {}, nullptr).ok());
  EXPECT_EQ(read("000004.log"), "");
  fs_->heal();
  EXPECT_EQ(append(*wal, "x"), "");
  EXPECT_EQ(faults().fired("full"), 1u);
  EXPECT_EQ(faults().fired("read-only"), 3u);
}

TEST_F(SimFaultTest, SlowAndHungAreNumbersForTheWorldAndNeverStopRocksDB) {
  const auto wal = open("000004.log");
  Fault slow;
  slow.kind = FaultKind::slow;
  slow.op = DiskOp::sync;
  slow.where = FileClass::log_wal;
  slow.nth = 2;
  slow.times = 2;
  slow.delay_us = 500'000;
  faults().arm(slow);
  EXPECT_EQ(sync(*wal), "");
  std::vector<std::uint64_t> delays;
  for (int batch = 0; batch < 4; ++batch) {
    delays.push_back(fs_->pending_delay(DiskOp::sync, FileClass::log_wal).us);
    EXPECT_EQ(fs_->pending_delay(DiskOp::sync, FileClass::data_wal).us, 0u);
  }
  EXPECT_THAT(delays, ::testing::ElementsAre(0, 500'000, 500'000, 0));
  EXPECT_EQ(faults().fired("slow"), 2u);
  faults().arm({"", FaultKind::hang, DiskOp::sync, FileClass::any, "", 1, kAlways});
  EXPECT_TRUE(fs_->pending_delay(DiskOp::sync, FileClass::log_wal).hangs);
  faults().disarm("hang");
  EXPECT_FALSE(fs_->pending_delay(DiskOp::sync, FileClass::log_wal).hangs);
}

TEST_F(SimFaultTest, OneCallInSoMany) {
  const auto wal = open("000004.log");
  Fault slow;
  slow.kind = FaultKind::slow;
  slow.op = DiskOp::sync;
  slow.nth = 2;
  slow.times = kAlways;
  slow.every = 3;
  slow.delay_us = 500'000;
  faults().arm(slow);
  std::vector<std::uint64_t> delays;
  for (int call = 0; call < 6; ++call) {
    delays.push_back(fs_->pending_delay(DiskOp::sync, FileClass::log_wal).us);
  }
  EXPECT_THAT(delays, ::testing::ElementsAre(0, 500'000, 0, 0, 500'000, 0));
  EXPECT_EQ(faults().fired("slow"), 2u);
}

TEST_F(SimFaultTest, ALostWriteIsAcknowledgedAndGoneAfterThePowerCut) {
  const auto wal = open("000004.log");
  append(*wal, "aa");
  faults().arm({"", FaultKind::lost_write, {}, FileClass::log_wal});
  EXPECT_EQ(append(*wal, "bb"), "");
  append(*wal, "cc");
  EXPECT_EQ(sync(*wal), "");
  EXPECT_EQ(read("000004.log"), "aabbcc") << "the cache has it";
  EXPECT_EQ(after_cut("000004.log"), std::string("aa\0\0cc", 6));
  disk_.evict();
  EXPECT_EQ(read("000004.log"), std::string("aa\0\0cc", 6));
  EXPECT_EQ(faults().fired("lost-write"), 1u);
}

TEST_F(SimFaultTest, AMisdirectedWriteSpoilsAnotherFileOfItsClass) {
  const auto other = open("000003.log");
  append(*other, "0123456789");
  sync(*other);
  const auto wal = open("000004.log");
  Fault astray;
  astray.kind = FaultKind::misdirected;
  astray.target_offset = 4;
  faults().arm(astray);
  EXPECT_EQ(append(*wal, "xyz"), "");
  EXPECT_EQ(sync(*wal), "");
  EXPECT_EQ(after_cut("000004.log"), "");
  EXPECT_EQ(after_cut("000003.log"), "0123xyz789");
  EXPECT_EQ(read("000003.log"), "0123456789") << "cached";
  EXPECT_EQ(faults().fired("misdirected"), 1u);
}

TEST_F(SimFaultTest, AStaleBlockIsAnOlderVersionOrAnotherFilesRemains) {
  const auto old = open("000003.log");
  append(*old, std::string(5000, 'o'));
  sync(*old);
  ASSERT_TRUE(fs_->DeleteFile("/n/log/000003.log", {}, nullptr).ok());
  const auto wal = open("000004.log");
  append(*wal, "first");
  sync(*wal);
  append(*wal, "second");
  sync(*wal);
  faults().arm({"", FaultKind::stale_block, {}, FileClass::log_wal, "", 2});
  EXPECT_EQ(read("000004.log"), "firstsecond");
  EXPECT_EQ(read("000004.log"), "firstoooooo");
  EXPECT_EQ(read("000004.log"), "firstsecond");
  EXPECT_EQ(faults().fired("stale-block"), 1u);
  EXPECT_TRUE(disk_.make_stale("/n/log/000004.log", 0)) << "at rest";
  EXPECT_EQ(after_cut("000004.log"), "firstoooooo");
}

TEST_F(SimFaultTest, AStaleReadWithoutAnOlderVersionDoesNotCount) {
  const auto wal = open("000004.log");
  append(*wal, std::string(8, '\0'));
  sync(*wal);
  faults().arm({"", FaultKind::stale_block});
  EXPECT_EQ(read("000004.log"), std::string(8, '\0'));
  EXPECT_EQ(faults().fired("stale-block"), 0u);
}

TEST_F(SimFaultTest, ShortReadsAndShortWrites) {
  const auto wal = open("000004.log");
  faults().arm({"", FaultKind::short_write});
  EXPECT_THAT(append(*wal, "12345678"), ::testing::HasSubstr("Input/output"));
  EXPECT_EQ(read("000004.log"), "1234");
  faults().arm({"", FaultKind::short_read});
  EXPECT_EQ(read("000004.log"), "12");
  EXPECT_EQ(read("000004.log"), "1234");
  EXPECT_EQ(faults().fired("short-write"), 1u);
  EXPECT_EQ(faults().fired("short-read"), 1u);
}

TEST_F(SimFaultTest, ABitFlipsInTheChosenClassOrPlace) {
  const auto wal = open("000004.log");
  append(*wal, std::string(100, 'w'));
  sync(*wal);
  append(*open("000005.sst"), "table");
  std::set<std::uint64_t> bits;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto flipped = disk_.flip_any(FileClass::log_wal, keyed(1), i);
    ASSERT_TRUE(flipped);
    EXPECT_EQ(flipped->path, "/n/log/000004.log");
    bits.insert(flipped->bit);
  }
  EXPECT_GT(bits.size(), 15u);
  EXPECT_NE(after_cut("000004.log"), std::string(100, '\0'));
  EXPECT_EQ(read("000005.sst"), "table");
  EXPECT_FALSE(disk_.flip_any(FileClass::data_table, keyed(1)));
}

TEST_F(SimFaultTest, TheUnsyncedBytesOfAClassAreThoseThatAPowerCutCouldTake) {
  const auto wal = open("000004.log");
  append(*wal, "12345");
  EXPECT_EQ(unsynced(FileClass::log_wal), 5u);
  sync(*wal);
  EXPECT_EQ(unsynced(FileClass::log_wal), 5u) << "its name is not durable";
  disk_.sync_dir("/n/log");
  EXPECT_EQ(unsynced(FileClass::log_wal), 0u);
  append(*wal, "67");
  EXPECT_EQ(unsynced(FileClass::log_wal), 2u);
  EXPECT_EQ(unsynced(FileClass::log_table), 0u);
  EXPECT_EQ(disk_.after_kill().unsynced_bytes(FileClass::log_wal), 2u);
  EXPECT_EQ(disk_.after_power_failure().unsynced_bytes(FileClass::any), 0u);
  ASSERT_TRUE(fs_->RenameFile("/n/log/000004.log", "/n/log/000009.sst", {}, nullptr).ok());
  EXPECT_EQ(unsynced(FileClass::log_wal), 0u);
  ASSERT_TRUE(fs_->DeleteFile("/n/log/000009.sst", {}, nullptr).ok());
  EXPECT_EQ(unsynced(FileClass::any), 0u);
}

TEST_F(SimFaultTest, FilesAreOfTheClassThatTheirPathSays) {
  const std::vector<std::pair<std::string, FileClass>> known = {
      {"/n1/log/000004.log", FileClass::log_wal},
      {"/n1/data/000007.sst", FileClass::data_table},
      {"/n1/log/MANIFEST-000003", FileClass::log_manifest},
      {"/n1/data/CURRENT", FileClass::data_current},
      {"/n1/log/000003.dbtmp", FileClass::log_current},
      {"/n1/data/OPTIONS-000005", FileClass::data_options},
      {"/n1/log/KIWI-LOG", FileClass::marker},
      {"/n1/snapshots/5/000001.sst", FileClass::snapshot},
      {"/n1/LOCK", FileClass::marker},
      {"/n1/what", FileClass::other}};
  for (const auto& [path, where] : known) {
    EXPECT_EQ(class_of(path), where) << path;
    EXPECT_EQ(parse_file_class(to_string(where)), where);
  }
  for (std::uint8_t kind = 0; kind <= static_cast<std::uint8_t>(FaultKind::short_write); ++kind) {
    EXPECT_EQ(parse_fault_kind(to_string(static_cast<FaultKind>(kind))), static_cast<FaultKind>(kind));
  }
  EXPECT_FALSE(parse_file_class("wal"));
}

TEST(SimFreeze, AtAnyOperationOfAWriteItIsACrash) {
  using storage::Node;
  std::uint64_t crashes = 0;
  for (std::uint64_t k = 0;; ++k) {
    Node node;
    ASSERT_TRUE(node.create());
    ASSERT_TRUE(node.open());
    ASSERT_TRUE(node.store().write({storage::append(1, 3)}));
    node.machine.fs->freeze_after(k);
    const bool written = static_cast<bool>(node.store().write({storage::append(4, 4)}));
    if (!node.machine.fs->frozen()) {
      EXPECT_TRUE(written);
      break;
    }
    ++crashes;
    EXPECT_FALSE(written);
    const auto operations = node.machine.fs->operations();
    EXPECT_FALSE(node.store().write({storage::append(5, 5)}));
    EXPECT_EQ(node.machine.fs->operations(), operations) << "a dead machine leaves no trace";
    Node later(node.machine.disk.after_power_failure());
    ASSERT_TRUE(later.open());
    EXPECT_EQ(later.store().last().index.value, 3u);
  }
  EXPECT_GE(crashes, 2u) << "an append and a sync at least";
}

/// A model with plain strings says what shared chunks must hold.
TEST(SimContent, CopiesShareBytesButNeverChanges) {
  std::vector<std::pair<Content, std::string>> all(6);
  auto draw = [n = std::uint64_t{0}](std::uint64_t below) mutable {
    return keyed(7)("content", "step", n++) % below;
  };
  for (int step = 0; step < 4000; ++step) {
    auto& [content, model] = all[draw(all.size())];
    const std::string bytes(draw(step % 50 == 0 ? 150'000 : 300), static_cast<char>('a' + draw(26)));
    const auto at = draw(model.size() + 100);
    switch (draw(6)) {
      case 0:
      case 1:
        content.append(bytes);
        model += bytes;
        break;
      case 2:
        content.resize(at);
        model.resize(at, '\0');
        break;
      case 3:
        content.overwrite(at, bytes);
        model.resize(std::max(model.size(), at + bytes.size()), '\0');
        model.replace(at, bytes.size(), bytes);
        break;
      case 4: {
        const auto& [other, other_model] = all[draw(all.size())];
        if (&other == &content) {
          break;
        }
        const auto begin = draw(other_model.size() + 1);
        const auto end = begin + draw(other_model.size() - begin + 1);
        content.take(other, begin, end);
        model.resize(std::max<std::size_t>(model.size(), end > begin || begin > model.size() ? end : 0),
                     '\0');
        model.replace(begin, end - begin, other_model.substr(begin, end - begin));
        break;
      }
      default:
        all[draw(all.size())] = all[draw(all.size())];
    }
    for (const auto& [c, m] : all) {
      ASSERT_EQ(c.size(), m.size()) << step;
    }
    if (step % 20 == 0) {
      for (const auto& [c, m] : all) {
        ASSERT_TRUE(c.str() == m) << step;
        ASSERT_TRUE(c == Content(m));
      }
    }
  }
}

/// The same seed: the same operations, the same choices, the same images, over crashes.
TEST(SimTrace, ALifeWithCrashesRepeatsItself) {
  using storage::Node;
  const auto life = [](std::uint64_t seed) {
    std::string told;
    SimDisk disk;
    for (std::uint64_t boot = 0; boot < 6; ++boot) {
      Node node(std::move(disk));
      node.machine.disk.describe_from("/node");
      if (boot == 0) {
        EXPECT_TRUE(node.create());
      }
      EXPECT_TRUE(node.open());
      for (std::uint64_t i = 1; i <= 20; ++i) {
        const auto index = node.store().last().index.value + 1;
        EXPECT_TRUE(node.store().write(
            {storage::append({storage::entry(index, 1, std::string(index * 131 % 1500 + 1, 'x'))})}));
      }
      node.machine.fs->freeze_after(keyed(seed)("crash", "operation", boot) % 4);
      const auto index = node.store().last().index.value + 1;
      (void)node.store().write({storage::append(index, index)});
      node.machine.env.run_jobs();
      auto result = power_cut(node.machine.disk, CrashProfile::hostile, keyed(seed + boot));
      told += std::to_string(node.machine.fs->trace()) + " " + to_string(result.cut) + "\n";
      disk = std::move(result.image);
    }
    return told;
  };
  EXPECT_EQ(life(1), life(1));
  EXPECT_NE(life(1), life(2));
}

}  // namespace
}  // namespace kiwi::sim
