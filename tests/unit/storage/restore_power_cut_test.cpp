// The power fails at any moment of a restore: what is left is no node, or the whole one; and the restore can
// be done again.

#include <map>

#include "sim_chooser.hpp"
#include "statemachine/backup_folder.hpp"
#include "statemachine/redis_machine.hpp"
#include "statemachine/restore_directory.hpp"
#include "storage/data_directory.hpp"
#include "storage/testing/power_cut.hpp"
#include "storage/testing/sim_env.hpp"
#include "tests/unit/statemachine/machine_fixture.hpp"

namespace kiwi::sim {
namespace {

constexpr const char* kDir = "/new";
constexpr std::uint64_t kEntries = 40;

std::unique_ptr<RedisMachine> open_machine(SimMachine& machine, const std::string& dir) {
  RedisMachineOptions options;
  options.dir = dir;
  options.env = &machine.env;
  options.simulated = true;
  options.run_queued_jobs = [&machine] { machine.env.run_jobs(); };
  auto opened = RedisMachine::open(options, {});
  EXPECT_TRUE(opened) << to_string(opened.error());
  return opened ? std::move(*opened) : nullptr;
}

/// A disk with a finished backup in /backup.
struct Source {
  Source() {
    SimMachine machine;
    {
      auto state = open_machine(machine, "/old/data");
      for (std::uint64_t i = 1; i <= kEntries; ++i) {
        Entry entry{
            {Term(3), Index(i)},
            EntryKind::command,
            1000 + i,
            encode_request({test::command_of({"SET", "k" + std::to_string(i), std::string(i, 'v')})})};
        EXPECT_TRUE(state->apply({entry}));
      }
      EXPECT_TRUE(state->flush());
      digest = state->digest_now().value()->hex;
    }
    const auto names = live_files_of(&machine.env, "/old/data");
    EXPECT_TRUE(names) << to_string(names.error());
    const auto made = write_backup(&machine.env, "/old/data", *names, "", "/backup", {});
    EXPECT_TRUE(made) << to_string(made.error());
    manifest = made->manifest;
    disk = machine.disk.after_kill();
    machine.power_off();
  }
  SimDisk disk;
  SnapshotManifest manifest;
  std::string digest;
};

RestorePlan plan(SimMachine& machine, const SnapshotManifest& manifest) {
  RestorePlan p;
  p.from = "/backup";
  p.manifest = manifest;
  p.dir = kDir;
  p.env = &machine.env;
  p.simulated = true;
  p.identity.cluster = ClusterId(5);
  p.identity.node = NodeId(1);
  p.identity.instance = InstanceId(77);
  p.identity.address = {"10.0.0.1", 7001, 17001};
  p.identity.initial_membership = test::three_nodes();
  p.identity.origin = "restored";
  return p;
}

/// "nothing", "refused", "whole", or what is wrong.
std::string judge(SimMachine& machine, const Source& source) {
  storage::LogStoreOptions log;
  log.dir = std::string(kDir) + "/log";
  log.env = &machine.env;
  log.simulated = true;
  auto directory = storage::DataDirectory::open(kDir, &machine.env);
  if (!directory) {
    return directory.error().kind == StorageKind::mismatch ? "refused" : to_string(directory.error());
  }
  if (!storage::LogStore::exists(log)) {
    return machine.env.FileExists(std::string(kDir) + "/data").ok() ? "data without a log" : "nothing";
  }
  storage::Recovered found;
  const auto store = storage::LogStore::open(log, found);
  if (!store) {
    return to_string(store.error());
  }
  const auto& id = source.manifest.meta.last_log_id;
  if (found.identity.origin != "restored" || found.purged != id || found.entries != 1 ||
      found.memberships.size() != 1 || found.vote.term != id.term + 1) {
    return "a log that is not the new one";
  }
  const auto state = open_machine(machine, std::string(kDir) + "/data");
  return state && state->digest_now().value()->hex == source.digest ? "whole" : "another state";
}

class RestoreCut : public ::testing::TestWithParam<CrashProfile> {};

TEST_P(RestoreCut, LeavesNoNodeOrTheWholeOneAndCanBeDoneAgain) {
  const Source source;
  ASSERT_FALSE(HasFailure());
  SimMachine machine(source.disk.after_kill());
  std::map<std::string, int> seen;
  int again = 0;
  const auto cut_here = [&](const std::string& operation) {
    for_each_power_cut(machine.disk, GetParam(), 8, [&](const PowerCut& cut) {
      if (HasFailure()) {
        return;
      }
      SCOPED_TRACE("before " + operation + ": kept " + to_string(cut));
      std::string found;
      {
        SimMachine later(apply(machine.disk, cut).image);
        found = judge(later, source);
        ++seen[found];
        later.power_off();
      }
      EXPECT_TRUE(found == "nothing" || found == "refused" || found == "whole") << found;
      if (found != "whole" && ++again % 9 == 0) {
        SimMachine second(apply(machine.disk, cut).image);
        const auto restored = restore_directory(plan(second, source.manifest), {});
        EXPECT_TRUE(restored) << to_string(restored.error());
        EXPECT_EQ(judge(second, source), "whole");
        second.power_off();
      }
    });
  };
  machine.fs->before_change(cut_here);
  const auto restored = restore_directory(plan(machine, source.manifest), {});
  machine.fs->before_change({});
  ASSERT_TRUE(restored) << to_string(restored.error());
  EXPECT_EQ(restored->digest, source.digest);
  cut_here("the end");
  EXPECT_GT(seen["refused"], 100);
  EXPECT_GT(seen["whole"], 0);
  machine.power_off();
}

INSTANTIATE_TEST_SUITE_P(FileSystems, RestoreCut,
                         ::testing::Values(CrashProfile::ordered, CrashProfile::hostile));

}  // namespace
}  // namespace kiwi::sim
