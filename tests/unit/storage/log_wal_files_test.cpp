// Several write-ahead-log files at once: memtables were changed and no flush has run yet.

#include <algorithm>

#include "sim_node.hpp"
#include "storage/wal_scan.hpp"

namespace kiwi::storage {
namespace {

using ::testing::HasSubstr;

class LogWalFilesTest : public ::testing::Test {
 protected:
  /// 24 entries of 1,000 bytes in files of about 4 KiB.
  void SetUp() override {
    Node node;
    ASSERT_TRUE(node.create());
    ASSERT_TRUE(node.open()) << why(node.opened->error);
    for (std::uint64_t i = 1; i <= kEntries; ++i) {
      ASSERT_TRUE(node.store().write({append({entry(i, 1, std::string(1000, 'x'))})}));
    }
    image_ = node.machine.disk.after_power_failure();
    for (const auto& [path, file] : image_.files()) {
      if (path.ends_with(".log") && !file->bytes.empty()) {
        wals_.push_back(path);
      }
    }
    ASSERT_GE(wals_.size(), 4u) << "the story needs several files";
  }
  /// What a node says that starts from the image with one file changed; empty when it opens with all entries.
  std::string verdict(const std::string& path, const std::function<void(std::string&)>& edit) {
    Node node(image_.after_kill());
    if (edit) {
      auto bytes = node.machine.disk.find(path)->bytes.str();
      edit(bytes);
      node.machine.disk.replace(path, bytes);
    }
    if (!node.open()) {
      EXPECT_EQ(node.opened->error.kind, StorageKind::corruption);
      return node.opened->error.cause;
    }
    const auto last = node.store().last().index.value;
    return last == kEntries ? "" : "opened with " + std::to_string(last);
  }

  static constexpr std::uint64_t kEntries = 24;
  sim::SimDisk image_;
  std::vector<std::string> wals_;
};

TEST_F(LogWalFilesTest, AllOfThemAreReadInOrder) { EXPECT_EQ(verdict(wals_[0], {}), ""); }

TEST_F(LogWalFilesTest, AFlippedBitInAnOlderOneIsDamageWhereverItIs) {
  for (std::size_t w = 0; w + 1 < wals_.size(); ++w) {
    const auto size = image_.find(wals_[w])->bytes.size();
    for (std::size_t byte = 0; byte < size; byte += 61) {
      SCOPED_TRACE(wals_[w] + " byte " + std::to_string(byte));
      EXPECT_THAT(verdict(wals_[w], [&](std::string& bytes) { bytes[byte] ^= 4; }), HasSubstr("damaged"));
    }
  }
}

TEST_F(LogWalFilesTest, AnOlderOneThatIsCutIsDamageEvenBetweenTwoRecords) {
  for (std::size_t w = 0; w + 1 < wals_.size(); ++w) {
    const auto size = image_.find(wals_[w])->bytes.size();
    for (std::size_t kept = 0; kept < size; kept += 128) {
      SCOPED_TRACE(wals_[w] + " kept " + std::to_string(kept));
      EXPECT_THAT(verdict(wals_[w], [&](std::string& bytes) { bytes.resize(kept); }), HasSubstr("damaged"));
    }
  }
}

TEST_F(LogWalFilesTest, AMissingOneIsDamage) {
  for (std::size_t w = 0; w + 1 < wals_.size(); ++w) {
    SCOPED_TRACE(wals_[w]);
    Node node(image_.after_kill());
    node.machine.disk.remove(wals_[w]);
    EXPECT_FALSE(node.open());
    EXPECT_EQ(node.opened->error.kind, StorageKind::corruption);
  }
}

TEST_F(LogWalFilesTest, TheNewestOneMayBeTorn) {
  const auto size = image_.find(wals_.back())->bytes.size();
  const auto said = verdict(wals_.back(), [&](std::string& bytes) { bytes.resize(size - 1); });
  EXPECT_EQ(said, "opened with " + std::to_string(kEntries - 1));
}

TEST(LogWalFiles, ABatchTakesTheBytesThatRocksDBGivesIt) {
  EXPECT_EQ(wal_bytes_of_batch(0, 100), 107u);
  EXPECT_EQ(wal_bytes_of_batch(0, 32'761), 32'768u);
  EXPECT_EQ(wal_bytes_of_batch(0, 32'762), 32'768u + 7 + 1);
  EXPECT_EQ(wal_bytes_of_batch(32'768 - 6, 10), 6u + 17);
  EXPECT_EQ(wal_bytes_of_batch(32'768 - 7, 10), 7u + 17);
}

}  // namespace
}  // namespace kiwi::storage
