// Power cuts of the simulated disk: what may be left, said in words, and made again from the words.

#include <rocksdb/db.h>

#include <set>

#include "log_story.hpp"
#include "sim_chooser.hpp"
#include "storage/testing/power_cut.hpp"

namespace kiwi::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// /d with a durable file /d/a of `size` bytes 'o'.
SimDisk disk_with_a_file(std::size_t size) {
  SimDisk disk;
  disk.describe_from("/d");
  disk.make_dir("/d");
  const auto file = disk.create("/d/a");
  disk.append(*file, std::string(size, 'o'));
  disk.sync(*file);
  disk.sync_dir("/d");
  disk.sync_dir("/");
  return disk;
}

std::string shown(const SimDisk& disk, const std::string& path) {
  const auto file = disk.find(path);
  if (!file) {
    return "(no file)";
  }
  // One letter for each run of equal bytes, with its length.
  const auto bytes = file->bytes.str();
  std::string text;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto end = std::min(bytes.find_first_not_of(bytes[i], i), bytes.size());
    text += (text.empty() ? "" : " ") + std::string(1, bytes[i] == '\0' ? '0' : bytes[i]) +
            std::to_string(end - i);
    i = end;
  }
  return text;
}

std::set<std::string> all_shown(const SimDisk& disk, CrashProfile profile, const std::string& path) {
  std::set<std::string> states;
  for_each_power_cut(disk, profile, 10'000, [&](const PowerCut& cut) {
    const auto after = apply(disk, cut);
    EXPECT_THAT(after.unmatched, IsEmpty());
    states.insert(shown(after.image, path));
  });
  return states;
}

TEST(PowerCut, OrderedKeepsAPrefixUpToASectorOrAll) {
  auto disk = disk_with_a_file(500);
  const auto file = disk.find("/d/a");
  disk.append(*file, std::string(1000, 'x'));
  disk.append(*file, std::string(100, 'y'));
  EXPECT_THAT(all_shown(disk, CrashProfile::ordered, "/d/a"),
              UnorderedElementsAre("o500", "o500 x12", "o500 x524", "o500 x1000 y36", "o500 x1000 y100"));
}

TEST(PowerCut, HostileKeepsAnySectorsInAnyVersionAndSizesWithoutData) {
  auto disk = disk_with_a_file(500);
  const auto file = disk.find("/d/a");
  disk.append(*file, std::string(24, 'x'));  // sectors 0 and 1
  disk.append(*file, std::string(6, 'y'));   // sector 1 only
  EXPECT_THAT(all_shown(disk, CrashProfile::hostile, "/d/a"),
              UnorderedElementsAre("o500",             // nothing
                                   "o500 030",         // the size alone
                                   "o500 x12",         // sector 0
                                   "o500 x12 018",     // sector 0 and the size
                                   "o500 012 x12",     // sector 1 after the first write
                                   "o500 012 x12 06",  // the same and the size
                                   "o500 012 x12 y6",  // sector 1 after the second
                                   "o500 x24", "o500 x24 06", "o500 x24 y6"));
}

TEST(PowerCut, ExactLosesNothing) {
  auto disk = disk_with_a_file(500);
  disk.append(*disk.find("/d/a"), "x");
  disk.create("/d/b");
  const auto states = all_shown(disk, CrashProfile::exact, "/d/a");
  EXPECT_THAT(states, ElementsAre("o500 x1"));
  EXPECT_TRUE(power_cut(disk, CrashProfile::exact, keyed(1)).image.find("/d/b"));
}

TEST(PowerCut, NamesAreLostInOrderOrInAnyOrder) {
  SimDisk disk;
  disk.describe_from("/d");
  disk.make_dir("/d");
  disk.sync_dir("/");
  const auto old = disk.create("/d/CURRENT");
  disk.append(*old, "o");
  disk.sync(*old);
  disk.sync_dir("/d");
  const auto file = disk.create("/d/tmp");
  disk.append(*file, "x");
  disk.sync(*file);
  disk.rename("/d/tmp", "/d/CURRENT");
  const auto states = [&](CrashProfile profile) {
    std::set<std::string> seen;
    for_each_power_cut(disk, profile, 100, [&](const PowerCut& cut) {
      const auto image = apply(disk, cut).image;
      seen.insert(shown(image, "/d/tmp") + " | " + shown(image, "/d/CURRENT"));
    });
    return seen;
  };
  EXPECT_THAT(states(CrashProfile::ordered),
              UnorderedElementsAre("(no file) | o1", "x1 | o1", "(no file) | x1"));
  EXPECT_EQ(states(CrashProfile::hostile), states(CrashProfile::ordered)) << "a rename alone is enough";
  disk.remove("/d/CURRENT");
  disk.create("/d/other");
  EXPECT_THAT(states(CrashProfile::hostile),
              UnorderedElementsAre("(no file) | o1", "x1 | o1", "(no file) | x1", "(no file) | (no file)",
                                   "x1 | (no file)"));
  std::set<bool> without_the_rest;
  for_each_power_cut(disk, CrashProfile::hostile, 100, [&](const PowerCut& cut) {
    const auto image = apply(disk, cut).image;
    without_the_rest.insert(image.find("/d/other") && shown(image, "/d/CURRENT") == "o1");
  });
  EXPECT_TRUE(without_the_rest.contains(true)) << "a later creation may survive earlier changes";
}

TEST(PowerCut, ATruncationWaitsForItsSync) {
  auto disk = disk_with_a_file(10);
  disk.truncate(*disk.find("/d/a"), 4);
  disk.append(*disk.find("/d/a"), "xx");
  EXPECT_THAT(all_shown(disk, CrashProfile::ordered, "/d/a"), UnorderedElementsAre("o10", "o4", "o4 x2"));
  EXPECT_THAT(all_shown(disk, CrashProfile::hostile, "/d/a"),
              UnorderedElementsAre("o10", "o4", "o4 x2", "o4 x2 o4"));
  disk.sync(*disk.find("/d/a"));
  EXPECT_THAT(all_shown(disk, CrashProfile::hostile, "/d/a"), ElementsAre("o4 x2"));
}

TEST(PowerCut, WhatWasSyncedIsInEveryOutcome) {
  auto disk = disk_with_a_file(700);
  const auto file = disk.find("/d/a");
  disk.append(*file, std::string(2000, 'x'));
  disk.sync(*file);
  EXPECT_EQ(disk.unsynced_bytes(FileClass::any), 0u);
  for (const auto profile : {CrashProfile::ordered, CrashProfile::hostile}) {
    EXPECT_THAT(all_shown(disk, profile, "/d/a"), ElementsAre("o700 x2000"));
  }
}

TEST(PowerCut, ADescriptionIsReadableAndReadsBack) {
  auto disk = disk_with_a_file(512);
  disk.append(*disk.find("/d/a"), std::string(2048, 'x'));
  disk.create("/d/b");
  const auto cut = parse_power_cut("a keep=sectors:0,2-3 of write 2; create b");
  ASSERT_TRUE(cut) << cut.error();
  EXPECT_EQ(to_string(*cut), "a keep=sectors:0,2-3 of write 2; create b");
  const auto after = apply(disk, *cut);
  EXPECT_THAT(after.unmatched, IsEmpty());
  EXPECT_EQ(shown(after.image, "/d/a"), "o512 x512 0512 x1024");
  EXPECT_TRUE(after.image.find("/d/b"));
  for (const auto* wrong : {"a", "a keep=", "a keep=sectors:0", "a keep=sectors:x of write 1", "keep=bytes:1",
                            "a keep=sectors:3-1 of write 1", "a size=-1", "a keep=writes:0-99999999"}) {
    EXPECT_FALSE(parse_power_cut(wrong)) << wrong;
  }
}

TEST(PowerCut, ItemsThatFitNothingAreSaid) {
  auto disk = disk_with_a_file(512);
  disk.append(*disk.find("/d/a"), "x");
  const auto cut = parse_power_cut("a keep=writes:2; a keep=writes:7; b keep=bytes:5; create c");
  ASSERT_TRUE(cut);
  EXPECT_THAT(apply(disk, *cut).unmatched, ElementsAre("a write 7", "b", "create c"));
}

TEST(PowerCut, TheOutcomeOfOneFileDoesNotDependOnAnother) {
  const auto kept_of_a = [](bool with_another, std::uint64_t seed) {
    auto disk = disk_with_a_file(512);
    if (with_another) {
      disk.append(*disk.create("/d/0"), std::string(5000, 'z'));
    }
    disk.append(*disk.find("/d/a"), std::string(5000, 'x'));
    return shown(power_cut(disk, CrashProfile::hostile, keyed(seed)).image, "/d/a");
  };
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(kept_of_a(false, seed), kept_of_a(true, seed));
    outcomes.insert(kept_of_a(false, seed));
  }
  EXPECT_GT(outcomes.size(), 10u);
}

TEST(PowerCut, TooManyOutcomesAreSampledWithBothExtremes) {
  auto disk = disk_with_a_file(512);
  disk.append(*disk.find("/d/a"), std::string(1'000'000, 'x'));
  std::set<std::string> seen;
  const auto total = for_each_power_cut(disk, CrashProfile::hostile, 100, [&](const PowerCut& cut) {
    EXPECT_LT(to_string(cut).size(), 1000u) << "a description stays readable";
    seen.insert(shown(apply(disk, cut).image, "/d/a"));
  });
  EXPECT_GT(total, 100u);
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_TRUE(seen.contains("o512"));
  EXPECT_TRUE(seen.contains("o512 x1000000"));
}

// --- The log store and RocksDB on what is left

struct Case {
  CrashProfile profile;
  std::uint64_t limit;  // of outcomes at each moment
  std::uint32_t format = storage::kLogFormatVersion;
};

class LogStoreAfterEveryPowerCut : public ::testing::TestWithParam<Case> {};

TEST_P(LogStoreAfterEveryPowerCut, KeepsItsPromiseAndTheDescriptionGivesTheSameImage) {
  using storage::Node;
  storage::Promise promise, next;
  bool created = false;
  std::uint64_t recovered = 0, exhaustive = 0, moments = 0;
  Node node;
  node.options.format = GetParam().format;
  node.machine.disk.describe_from("/node");
  const auto try_all = [&](const std::string& operation) {
    if (HasFailure()) {
      return;
    }
    const auto visit = [&](const PowerCut& cut) {
      if (HasFailure()) {
        return;
      }
      const auto text = to_string(cut);
      SCOPED_TRACE("before " + operation + ": kept " + text);
      auto after = apply(node.machine.disk, cut);
      const auto again = parse_power_cut(text);
      ASSERT_TRUE(again) << again.error();
      ASSERT_TRUE(same_image(after.image, apply(node.machine.disk, *again).image));
      ASSERT_THAT(after.unmatched, IsEmpty());
      Node later(std::move(after.image));
      later.options.format = GetParam().format;
      if (!created && !storage::LogStore::exists(later.options)) {
        const auto made = later.create();
        ASSERT_TRUE(made) << storage::why(made);
      }
      ASSERT_TRUE(later.open()) << storage::why(later.opened->error);
      const auto older = storage::difference(later, promise);
      if (!older.empty()) {
        EXPECT_EQ(storage::difference(later, next), "") << "nor is it what was acknowledged: " << older;
      }
      ++recovered;
    };
    ++moments;
    exhaustive += for_each_power_cut(node.machine.disk, GetParam().profile, GetParam().limit, visit) <=
                  GetParam().limit;
  };
  node.machine.fs->before_change(try_all);
  ASSERT_TRUE(node.create());
  created = true;
  ASSERT_TRUE(node.open());
  for (const auto& group : storage::story()) {
    for (const auto& step : group) {
      next.apply(step);
    }
    ASSERT_TRUE(node.store().write(group));
    promise = next;
    EXPECT_EQ(node.machine.disk.unsynced_bytes(FileClass::log_wal), 0u) << "acknowledged, so durable";
    node.machine.env.run_jobs();
    node.machine.clock->advance(100);
  }
  try_all("the end");
  node.machine.fs->before_change({});
  RecordProperty("recoveries", std::to_string(recovered));
  std::printf("%llu recoveries at %llu moments, at %llu of them from all outcomes\n",
              static_cast<unsigned long long>(recovered), static_cast<unsigned long long>(moments),
              static_cast<unsigned long long>(exhaustive));
  EXPECT_GT(moments, 100u);
}

TEST(LogStoreMaking, AKillAtAnyMomentAndAPowerCutLaterLosesNoWrite) {
  using storage::Node;
  std::vector<SimDisk> killed;
  {
    Node node;
    node.machine.fs->before_change(
        [&](const std::string&) { killed.push_back(node.machine.disk.after_kill()); });
    ASSERT_TRUE(node.create());
  }
  ASSERT_GT(killed.size(), 20u);
  for (auto& image : killed) {
    Node node(std::move(image));
    if (!storage::LogStore::exists(node.options)) {
      ASSERT_TRUE(node.create());
    }
    ASSERT_TRUE(node.open());
    ASSERT_TRUE(node.store().write({storage::append(1, 3)}));
    for_each_power_cut(node.machine.disk, CrashProfile::hostile, 64, [&](const PowerCut& cut) {
      SCOPED_TRACE(to_string(cut));
      Node later(apply(node.machine.disk, cut).image);
      ASSERT_TRUE(later.open()) << storage::why(later.opened->error);
      EXPECT_EQ(later.store().last().index.value, 3u);
    });
  }
}

TEST(RenamedDirectory, ItsSyncMakesDurableWhatWasMadeInItUnderItsOldName) {
  auto disk = disk_with_a_file(10);
  disk.make_dir("/d/old");
  disk.link("/d/a", "/d/old/b");
  disk.rename("/d/old", "/d/new");
  disk.sync_dir("/d/new");
  disk.sync_dir("/d");
  EXPECT_EQ(disk.unsynced_names(), 0u);
  EXPECT_EQ(shown(disk.after_power_failure(), "/d/new/b"), "o10");
}

TEST(RenamedDirectory, TheSyncsMayComeInTheOtherOrder) {
  auto disk = disk_with_a_file(10);
  disk.make_dir("/d/old");
  disk.link("/d/a", "/d/old/b");
  disk.sync_dir("/d/old");
  disk.link("/d/a", "/d/old/c");
  disk.remove("/d/old/b");
  disk.rename("/d/old", "/d/new");
  disk.sync_dir("/d");
  EXPECT_EQ(shown(disk.after_power_failure(), "/d/new/b"), "o10") << "its removal is not durable yet";
  EXPECT_EQ(shown(disk.after_power_failure(), "/d/new/c"), "(no file)");
  disk.sync_dir("/d/new");
  EXPECT_EQ(shown(disk.after_power_failure(), "/d/new/b"), "(no file)");
  EXPECT_EQ(shown(disk.after_power_failure(), "/d/new/c"), "o10");
}

INSTANTIATE_TEST_SUITE_P(Profile, LogStoreAfterEveryPowerCut,
                         ::testing::Values(Case{CrashProfile::ordered, 16}, Case{CrashProfile::hostile, 64},
                                           Case{CrashProfile::exact, 1}, Case{CrashProfile::hostile, 32, 1}),
                         [](const auto& tested) {
                           return std::string(to_string(tested.param.profile)) + "Format" +
                                  std::to_string(tested.param.format);
                         });

}  // namespace
}  // namespace kiwi::sim
