// The state machine's database after power cuts: it comes back at some whole entry, never below what a flush
// has promised.

#include "sim_chooser.hpp"
#include "statemachine/redis_machine.hpp"
#include "storage/testing/power_cut.hpp"
#include "storage/testing/sim_env.hpp"
#include "tests/unit/statemachine/machine_fixture.hpp"

namespace kiwi::sim {
namespace {

struct DataNode {
  explicit DataNode(SimDisk image = {}) : machine(std::move(image)) {
    options.dir = "/node/data";
    options.env = &machine.env;
    options.simulated = true;
    options.run_queued_jobs = [this] { machine.env.run_jobs(); };
  }
  ~DataNode() {
    machine.power_off();
    state.reset();
  }
  std::string open() {
    auto opened = RedisMachine::open(options, {});
    if (!opened) {
      return to_string(opened.error());
    }
    state = std::move(*opened);
    return {};
  }

  SimMachine machine;
  RedisMachineOptions options;
  std::unique_ptr<RedisMachine> state;
};

Entry set(std::uint64_t index) {
  return {{Term(1), Index(index)},
          EntryKind::command,
          1000 + index,
          encode_request(
              {test::command_of({"SET", "k" + std::to_string(index % 7), std::string(index * 97, 'v')})})};
}

class DataAfterEveryPowerCut : public ::testing::TestWithParam<CrashProfile> {};

TEST_P(DataAfterEveryPowerCut, ComesBackAtAWholeEntryNotBelowTheFlushedOne) {
  DataNode node;
  std::uint64_t durable = 0, applied = 0, recovered = 0;
  bool reopened = false;
  node.machine.fs->before_change([&](const std::string& operation) {
    for_each_power_cut(node.machine.disk, GetParam(), 32, [&](const PowerCut& cut) {
      if (HasFailure()) {
        return;
      }
      SCOPED_TRACE("before " + operation + ": kept " + to_string(cut));
      DataNode later(apply(node.machine.disk, cut).image);
      ASSERT_EQ(later.open(), "");
      const auto found = later.state->applied_state().applied.index.value;
      EXPECT_GE(found, durable);
      EXPECT_LE(found, applied);
      ++recovered;
    });
  });
  ASSERT_EQ(node.open(), "");
  for (std::uint64_t i = 1; i <= 12; ++i) {
    applied = i;
    ASSERT_TRUE(node.state->apply({set(i)}));
    if (i % 3 == 0) {
      const auto flushed = node.state->flush();
      ASSERT_TRUE(flushed);
      durable = flushed->value;
      EXPECT_EQ(durable, i);
    }
    if (i == 7 && !reopened) {
      reopened = true;
      node.state.reset();
      ASSERT_EQ(node.open(), "");
      i = node.state->applied_state().applied.index.value;
    }
    if (HasFailure()) {
      return;
    }
  }
  node.machine.fs->before_change({});
  EXPECT_GT(recovered, 60u);
}

INSTANTIATE_TEST_SUITE_P(Profile, DataAfterEveryPowerCut,
                         ::testing::Values(CrashProfile::ordered, CrashProfile::hostile, CrashProfile::exact),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

constexpr const char* kBuilt = "/node/snapshots/built";

TEST_P(DataAfterEveryPowerCut, ABuildThatIsCutLosesNothingAndTheNextOneWorks) {
  DataNode node;
  ASSERT_EQ(node.open(), "");
  for (std::uint64_t i = 1; i <= 9; ++i) {
    ASSERT_TRUE(node.state->apply({set(i)}));
    if (i == 5) {
      ASSERT_TRUE(node.state->flush());
    }
  }
  auto builder = node.state->get_snapshot_builder().value();
  std::uint64_t cuts = 0;
  node.machine.fs->before_change([&](const std::string& operation) {
    for_each_power_cut(node.machine.disk, GetParam(), 6, [&](const PowerCut& cut) {
      if (HasFailure()) {
        return;
      }
      SCOPED_TRACE("before " + operation + ": kept " + to_string(cut));
      ++cuts;
      DataNode later(apply(node.machine.disk, cut).image);
      ASSERT_EQ(later.open(), "");
      const auto applied = later.state->applied_state().applied;
      EXPECT_GE(applied.index, Index(5));
      const auto built = later.state->get_snapshot_builder().value()->build_snapshot(kBuilt);
      ASSERT_TRUE(built) << to_string(built.error());
      EXPECT_EQ(built->meta.last_log_id, applied);
      EXPECT_FALSE(later.machine.disk.is_dir(std::string(kBuilt) + "/building"));
    });
  });
  const auto manifest = builder->build_snapshot(kBuilt);
  node.machine.fs->before_change({});
  ASSERT_TRUE(manifest) << to_string(manifest.error());
  EXPECT_EQ(manifest->meta.last_log_id.index, Index(9));
  // What is named by its id is whole and durable, whatever happens next.
  DataNode later(node.machine.disk.after_power_failure());
  for (const auto& file : manifest->files) {
    const auto found =
        later.machine.disk.find(std::string(kBuilt) + "/" + manifest->meta.snapshot_id + "/" + file.file);
    ASSERT_TRUE(found) << file.file;
    EXPECT_EQ(found->bytes.size(), file.bytes) << file.file;
  }
  EXPECT_GT(cuts, 30u);
}

TEST(SnapshotOnAFullDisk, LeavesNothingBehindAndWorksWhenThereIsRoom) {
  DataNode node;
  ASSERT_EQ(node.open(), "");
  for (std::uint64_t i = 1; i <= 9; ++i) {
    ASSERT_TRUE(node.state->apply({set(i)}));
  }
  ASSERT_TRUE(node.state->flush());
  auto builder = node.state->get_snapshot_builder().value();
  node.machine.fs->set_capacity(node.machine.disk.size() + 100);
  const auto full = builder->build_snapshot(kBuilt);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind, StorageKind::no_space) << to_string(full.error());
  EXPECT_TRUE(node.machine.disk.children(kBuilt).empty());
  EXPECT_EQ(node.state->query({1, 0, encode_request({test::command_of({"EXISTS", "k1"})})})->reply.integer,
            1);
  node.machine.fs->set_capacity(~std::uint64_t{0});
  const auto manifest = builder->build_snapshot(kBuilt);
  ASSERT_TRUE(manifest) << to_string(manifest.error());
  EXPECT_EQ(manifest->meta.last_log_id.index, Index(9));
}

}  // namespace
}  // namespace kiwi::sim
