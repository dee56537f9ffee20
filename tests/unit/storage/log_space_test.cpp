// Purged entries give their room on the disk back while the log goes on.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "log_testing.hpp"

namespace kiwi::storage {
namespace {

constexpr std::uint64_t kPayloadBytes = 300;
constexpr std::uint64_t kGroup = 250;
constexpr std::uint64_t kKeptEntries = (32u << 20) / kPayloadBytes;
constexpr std::uint64_t kMiB = 1u << 20;

LogWrite group_from(std::uint64_t first) {
  LogWrite step;
  for (auto i = first; i < first + kGroup; ++i) {
    std::string payload(kPayloadBytes, static_cast<char>('a' + i % 26));
    step.entries.push_back(entry(i, 1, std::move(payload)));
  }
  return step;
}

/// In either format.
class LogSpaceTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  LogStoreOptions log_at(const TempDir& dir) const {
    auto options = at(dir.path());
    options.format = GetParam();
    return options;
  }
};

TEST_P(LogSpaceTest, AMillionEntriesStaySmallOnTheDiskWhenAllButTheNewestArePurged) {
  TempDir dir;
  const auto options = log_at(dir);
  ASSERT_TRUE(LogStore::create(options, some_identity()));
  std::uint64_t largest = 0, slowest_purge_us = 0, slowest_us = 0, index = 0, purged = 0;
  const auto look = [&](const LogStore& store) { largest = std::max(largest, store.disk_bytes()); };
  for (std::uint64_t until : {600'000u, 1'000'000u}) {
    Opened opened(options);
    ASSERT_TRUE(opened) << why(opened.error);
    EXPECT_EQ(opened.found.last.index, Index(index));
    EXPECT_EQ(opened.found.purged.index, Index(purged));
    while (index < until) {
      std::vector<LogWrite> steps = {group_from(index + 1)};
      index += kGroup;
      // As the core does it: once in a while, a MiB or so at once.
      const bool purges = index % 5000 == 0 && index > kKeptEntries;
      if (purges) {
        purged = index - kKeptEntries;
        steps.push_back(purge(purged));
      }
      const auto before = std::chrono::steady_clock::now();
      const auto written = opened->write(steps);
      const auto took =
          std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - before)
              .count();
      ASSERT_TRUE(written) << why(written);
      auto& slowest = purges ? slowest_purge_us : slowest_us;
      slowest = std::max(slowest, static_cast<std::uint64_t>(took));
      look(*opened.store);
    }
    const auto read = opened->read(Index(purged + 1), Index(purged + 10), kMiB);
    ASSERT_TRUE(read) << why(read);
    EXPECT_EQ(read->front().id.index, Index(purged + 1));
  }
  RecordProperty("largest_mib", std::to_string(largest / kMiB));
  RecordProperty("slowest_write_us", std::to_string(slowest_us));
  RecordProperty("slowest_write_with_purge_us", std::to_string(slowest_purge_us));
  std::printf("largest %llu MiB, slowest write %llu us, with a purge %llu us\n",
              static_cast<unsigned long long>(largest / kMiB), static_cast<unsigned long long>(slowest_us),
              static_cast<unsigned long long>(slowest_purge_us));
  // Format 1: 105 to 131 MiB were seen; the most while RocksDB merges tables, when old and new ones lie side
  // by side, so it depends on how long a merge takes. Without the purges it is 372. Format 2 merges
  // nothing: 60.
  EXPECT_LT(largest, (GetParam() == 1 ? 170 : 100) * kMiB);
}

TEST_P(LogSpaceTest, AResetGivesTheWholeOldLogBack) {
  TempDir dir;
  const auto options = log_at(dir);
  ASSERT_TRUE(LogStore::create(options, some_identity()));
  std::uint64_t index = 0;
  {
    Opened opened(options);
    ASSERT_TRUE(opened) << why(opened.error);
    while (index < 400'000) {
      ASSERT_TRUE(opened->write({group_from(index + 1)}));
      index += kGroup;
    }
    EXPECT_GT(opened->disk_bytes(), 100 * kMiB);
    ASSERT_TRUE(opened->write({reset(7, 1'000'000)}));
    index = 1'000'000;
    // What is in the newest tables leaves when they are merged.
    for (int i = 0; i < 800; ++i) {
      ASSERT_TRUE(opened->write({group_from(index + 1), purge(index)}));
      index += kGroup;
    }
    EXPECT_LT(opened->disk_bytes(), 100 * kMiB);
  }
  Opened opened(options);
  ASSERT_TRUE(opened) << why(opened.error);
  EXPECT_EQ(opened.found.last.index, Index(index));
}

TEST_P(LogSpaceTest, WhatMustYetBeWrittenAnewIsKnown) {
  TempDir dir;
  auto options = log_at(dir);
  options.write_buffer_bytes = kMiB;
  ASSERT_TRUE(LogStore::create(options, some_identity()));
  std::uint64_t index = 0, most = 0;
  Opened opened(options);
  ASSERT_TRUE(opened) << why(opened.error);
  while (index < 1500) {
    ASSERT_TRUE(opened->write({group_from(index + 1)}));
    index += kGroup;
    EXPECT_GT(opened->pending_bytes(), index * kPayloadBytes) << "none of it is in a table yet";
  }
  // Of 18 MiB and more: some memtables, and four tables while they are being merged. How many of them are
  // there at once between two writes is a matter of threads, so it is waited for. Tables that are only moved
  // stay not so long.
  const auto wanted = (GetParam() == 1 ? 4 : 1) * kMiB;
  while (index < 60'000 || (most <= wanted && index < 1'000'000)) {
    ASSERT_TRUE(opened->write({group_from(index + 1)}));
    index += kGroup;
    most = std::max(most, opened->pending_bytes());
  }
  EXPECT_GT(most, wanted);
  // What has been merged or moved down is counted no longer: at rest there is one memtable, and fewer tables
  // than are merged.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (opened->pending_bytes() > wanted && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_LE(opened->pending_bytes(), wanted);
}

INSTANTIATE_TEST_SUITE_P(Format, LogSpaceTest, ::testing::Values(1, kLogFormatVersion),
                         [](const auto& tested) { return std::to_string(tested.param); });

}  // namespace
}  // namespace kiwi::storage
