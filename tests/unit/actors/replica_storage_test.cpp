// Opening a replica after everything that can have happened to its directory: an install of a snapshot that a
// power cut interrupted at any of its crash points and at any operation on the disk, and data that is lost.

#include "actors/replica_storage.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "messages/fault_tables.hpp"
#include "statemachine/redis_machine.hpp"
#include "storage/snapshot_install.hpp"
#include "storage/testing/power_cut.hpp"
#include "storage/testing/sim_env.hpp"
#include "tests/unit/statemachine/machine_fixture.hpp"
#include "tests/unit/storage/sim_chooser.hpp"

namespace kiwi {
namespace {

constexpr const char* kDir = "/node";
constexpr std::uint64_t kSnapshotIndex = 60;

Entry set(std::uint64_t index, std::uint64_t term, const std::string& value) {
  return {{Term(term), Index(index)},
          EntryKind::command,
          1000 + index,
          encode_request({test::command_of({"SET", "k" + std::to_string(index % 17), value})})};
}

/// A node's directory on a simulated disk, opened as a replica.
struct Node {
  explicit Node(sim::SimDisk image = {}) : machine(std::move(image)) {}
  ~Node() { power_off(); }
  void power_off() {
    machine.power_off();
    close();
  }
  void close() {
    opened.machine.reset();
    opened.log.reset();
    opened.directory.reset();
  }
  std::string open() {
    OpenOptions o;
    o.dir = kDir;
    o.id = NodeId(1);
    o.initial_cluster = test::three_nodes().members;
    o.address = o.initial_cluster.front().address;
    o.new_instance = InstanceId(77);
    o.env = &machine.env;
    o.simulated = true;
    o.make_machine = [this](const std::string& dir, const Membership& initial) {
      RedisMachineOptions options;
      options.dir = dir;
      options.env = &machine.env;
      options.simulated = true;
      options.run_queued_jobs = [this] { machine.env.run_jobs(); };
      return RedisMachine::open(options, initial).map([](auto m) -> std::unique_ptr<StateMachine> {
        return m;
      });
    };
    close();
    auto result = open_replica(o);
    if (!result)
      return to_string(result.error());
    opened = std::move(*result);
    return {};
  }
  Result<LogId> append(std::uint64_t first, std::uint64_t last, std::uint64_t term, bool applies) {
    LogWrite step;
    for (auto i = first; i <= last; ++i) step.entries.push_back(set(i, term, std::string(i * 7, 'v')));
    auto written = opened.log->write({step});
    if (written && applies) {
      auto applied = opened.machine->apply(step.entries);
      EXPECT_TRUE(applied);
    }
    return written;
  }
  std::string digest() const {
    auto digest = opened.machine->digest_now();
    return digest ? (*digest)->hex : to_string(digest.error());
  }

  sim::SimMachine machine;
  OpenedReplica opened;
};

/// Built once: the peer's snapshot, its files and its digest.
struct Peer {
  Peer() {
    EXPECT_EQ(node.open(), "");
    EXPECT_TRUE(node.append(1, kSnapshotIndex, 2, true));
    manifest = node.opened.machine->get_snapshot_builder()
                   .value()
                   ->build_snapshot(storage::built_folder(kDir))
                   .value();
    digest = node.digest();
    const auto folder = storage::built_folder(kDir) + "/" + manifest.meta.snapshot_id;
    for (const auto& file : manifest.files)
      files[file.file] = node.machine.disk.find(folder + "/" + file.file)->bytes.str();
  }
  /// As a receiver leaves them: all there, synced.
  std::string give_to(Node& to) const {
    const auto folder = to.opened.machine->begin_receiving_snapshot(manifest.meta).value();
    for (const auto& [name, bytes] : files)
      EXPECT_TRUE(rocksdb::WriteStringToFile(&to.machine.env, bytes, folder + "/" + name, true).ok());
    EXPECT_TRUE(
        rocksdb::WriteStringToFile(&to.machine.env, "own", folder + "/MANIFEST-OF-SNAPSHOT", true).ok());
    to.machine.disk.sync_dir(folder);
    return folder;
  }

  Node node;
  SnapshotManifest manifest;
  std::string digest;
  std::map<std::string, std::string> files;
};

const Peer& peer() {
  static const Peer built;
  return built;
}

/// How the log of the receiver lies to the snapshot: what must be there afterwards.
struct Log {
  const char* name;
  std::uint64_t last;  // entries 1 to last, of term 1 up to 20, of `term` behind it
  std::uint64_t term;
  std::uint64_t last_after;
};
constexpr Log kLogs[] = {{"Behind", 20, 1, 60}, {"Conflicting", 70, 1, 60}, {"Holding", 70, 2, 70}};

/// A node that has applied 1 to 20 and flushed them, with a log as `log` says, about to install.
void prepare(Node& node, const Log& log) {
  ASSERT_EQ(node.open(), "");
  ASSERT_TRUE(node.append(1, 20, 1, true));
  if (log.last > 20) {
    ASSERT_TRUE(node.append(21, log.last, log.term, false));
  }
  ASSERT_TRUE(node.opened.machine->flush());
}

/// The install as the actors do it.
void install(Node& node, const std::string& folder) {
  const auto& meta = peer().manifest.meta;
  const auto installed = node.opened.machine->install_snapshot(meta, folder);
  ASSERT_TRUE(installed) << to_string(installed.error());
  ASSERT_EQ(node.opened.machine->applied_state().applied, meta.last_log_id);
  LogWrite step;
  if (node.opened.log->last().index.value == 70 &&
      node.opened.log->read(Index(60), Index(60), 1)->front().id.term == Term(2))
    step.purge_to = meta.last_log_id.index;
  else
    step.reset_to = meta.last_log_id;
  ASSERT_TRUE(node.opened.log->write({step}));
  ASSERT_TRUE(node.opened.machine->finish_install());
}

/// What opening gave, in words, when it is neither the old state nor the new one with a log that fits.
std::string fault_of(sim::SimDisk image, const Log& log, const std::string& old_digest, bool intent_durable,
                     std::set<std::string>& seen) {
  Node node(std::move(image));
  if (const auto refused = node.open(); !refused.empty())
    return refused;
  const auto& r = node.opened.restored;
  const auto& snapshot = peer().manifest.meta.last_log_id;
  const auto digest = node.digest();
  const auto found = "applied " + to_string(r.applied) + ", log " + to_string(r.purged) + " to " +
                     to_string(r.last) + ", digest " + digest;
  if (digest == peer().digest) {
    seen.insert("new");
    if (r.applied != snapshot || r.purged != snapshot || r.last.index.value != log.last_after)
      return "the new state, but " + found;
  } else {
    seen.insert("old");
    if (digest != old_digest)
      return "neither state: " + found;
    if (intent_durable)
      return "behind the intent the new state counts: " + found;
    if (r.applied.index != Index(20) || r.purged != LogId{} || r.last.index.value != log.last)
      return "the old state, but " + found;
  }
  if (r.memberships.empty() || r.memberships.front().second != test::three_nodes())
    return "another membership";
  if (storage::pending_install(&node.machine.env, kDir).value())
    return "the start does not finish the install";
  if (node.machine.disk.is_dir(std::string(kDir) + "/data.old"))
    return "the old data stays";
  // And it goes on.
  const auto next = r.applied.index.value + 1;
  if (r.last.index.value < next && !node.append(next, next, 2, true))
    return "nothing can be appended";
  return {};
}

std::function<void(std::string_view)>* at_mark = nullptr;

/// An install with a power cut at every crash point and before every operation on the disk.
struct Campaign {
  std::string fault;  // the first that was found
  std::set<std::string> seen, points;
  std::uint64_t cuts = 0;
};

Campaign cut_everywhere(const Log& log, sim::CrashProfile profile) {
  Campaign result;
  Node node;
  prepare(node, log);
  const auto old_digest = node.digest();
  const auto folder = peer().give_to(node);
  bool intent = false, busy = false;
  const auto cut_here = [&](const std::string& where, std::uint64_t limit) {
    if (busy || !result.fault.empty())
      return;
    busy = true;  // the recoveries below pass marks, too
    sim::for_each_power_cut(node.machine.disk, profile, limit, [&](const sim::PowerCut& cut) {
      if (!result.fault.empty())
        return;
      ++result.cuts;
      auto fault = fault_of(sim::apply(node.machine.disk, cut).image, log, old_digest, intent, result.seen);
      if (!fault.empty())
        result.fault = where + ", kept " + to_string(cut) + ": " + fault;
    });
    busy = false;
  };
  std::function<void(std::string_view)> hook = [&](std::string_view mark) {
    if (busy || !mark.starts_with("install."))
      return;
    intent = intent || mark == "install.intent";
    result.points.insert(std::string(mark));
    cut_here("at " + std::string(mark), 32);
  };
  at_mark = &hook;
  fault::set_mark_sink([](std::size_t mark) {
    if (at_mark != nullptr)
      (*at_mark)(fault::kMarks[mark].name);
  });
  node.machine.fs->before_change([&](const std::string& operation) { cut_here("before " + operation, 12); });
  install(node, folder);
  node.machine.fs->before_change({});
  cut_here("at the end", 8);
  fault::set_mark_sink(nullptr);
  at_mark = nullptr;
  return result;
}

class InstallCut : public ::testing::TestWithParam<std::tuple<Log, sim::CrashProfile>> {};

TEST_P(InstallCut, AtEveryCrashPointAndOperationTheOldStateOrTheNew) {
  const auto& [log, profile] = GetParam();
  const auto campaign = cut_everywhere(log, profile);
  EXPECT_EQ(campaign.fault, "");
  EXPECT_EQ(campaign.points, (std::set<std::string>{"install.staged", "install.intent", "install.old_aside",
                                                    "install.new_in_place", "install.opened",
                                                    "install.intent_removed", "install.old_removed"}));
  EXPECT_EQ(campaign.seen, (std::set<std::string>{"old", "new"}));
  EXPECT_GT(campaign.cuts, 60u);
}

/// What the laboratory's mutants break must be found here, or finding nothing says nothing.
class InstallMutant : public ::testing::TestWithParam<const char*> {
 protected:
  ~InstallMutant() override { fault::all_off(); }
};

TEST_P(InstallMutant, IsFound) {
  peer();  // built without it
  ASSERT_TRUE(fault::switch_on(GetParam()));
  const auto campaign = cut_everywhere(kLogs[1], sim::CrashProfile::ordered);
  EXPECT_NE(campaign.fault, "");
}

INSTANTIATE_TEST_SUITE_P(Mutant, InstallMutant,
                         ::testing::Values("install_without_intent", "install_log_kept", "no_dir_sync"),
                         [](const auto& tested) { return std::string(tested.param); });

INSTANTIATE_TEST_SUITE_P(Log, InstallCut,
                         ::testing::Combine(::testing::ValuesIn(kLogs),
                                            ::testing::Values(sim::CrashProfile::ordered,
                                                              sim::CrashProfile::hostile,
                                                              sim::CrashProfile::exact)),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param).name) + "_" +
                                  to_string(std::get<1>(tested.param));
                         });

TEST(InstallCutTwice, APowerCutWhileTheStartFinishesTheInstall) {
  const Log log = kLogs[1];
  Node node;
  prepare(node, log);
  if (::testing::Test::HasFatalFailure())
    return;
  const auto old_digest = node.digest();
  const auto folder = peer().give_to(node);
  std::optional<sim::SimDisk> at_intent;
  node.machine.fs->before_change([&](const std::string& operation) {
    if (!at_intent && operation.find("data -> /node/data.old") != std::string::npos)
      at_intent = node.machine.disk.after_power_failure();
  });
  install(node, folder);
  ASSERT_TRUE(at_intent);
  std::vector<sim::SimDisk> images;
  {
    Node again(std::move(*at_intent));
    again.machine.fs->before_change([&](const std::string&) {
      images.push_back(again.machine.disk.after_power_failure());
      images.push_back(again.machine.disk.after_kill());
    });
    ASSERT_EQ(again.open(), "");
    ASSERT_FALSE(again.opened.notes.empty());
    again.machine.fs->before_change({});
  }
  std::set<std::string> seen;
  for (auto& image : images) EXPECT_EQ(fault_of(std::move(image), log, old_digest, true, seen), "");
  EXPECT_GT(images.size(), 40u);
  EXPECT_EQ(seen, std::set<std::string>{"new"});
}

// --- Data that is lost

struct LostData : ::testing::Test {
  void SetUp() override {
    ASSERT_EQ(node.open(), "");
    ASSERT_TRUE(node.append(1, 40, 1, true));
    ASSERT_TRUE(node.opened.machine->flush());
  }
  void purge(std::uint64_t to) {
    LogWrite step;
    step.purge_to = Index(to);
    ASSERT_TRUE(node.opened.log->write({step}));
  }
  void damage_tables() {
    node.close();
    int harmed = 0;
    for (const auto& name : node.machine.disk.children("/node/data"))
      if (name.ends_with(".sst") || name.starts_with("MANIFEST")) {
        node.machine.disk.replace("/node/data/" + name, "no table of any kind");
        ++harmed;
      }
    ASSERT_GT(harmed, 0);
  }
  Node node;
};

TEST_F(LostData, DamagedDataWithAWholeLogIsAppliedAgain) {
  const auto digest = node.digest();
  damage_tables();
  ASSERT_EQ(node.open(), "");
  EXPECT_TRUE(node.machine.disk.is_dir("/node/data.damaged-1"));
  ASSERT_EQ(node.opened.notes.size(), 1u);
  EXPECT_NE(node.opened.notes[0].find("data.damaged-1"), std::string::npos) << node.opened.notes[0];
  EXPECT_EQ(node.opened.restored.applied, LogId{});
  EXPECT_EQ(node.opened.restored.purged, LogId{});
  EXPECT_EQ(node.opened.restored.last.index, Index(40));
  const auto entries = node.opened.log->read(Index(1), Index(40), ~std::uint64_t{0}).value();
  ASSERT_TRUE(node.opened.machine->apply(entries));
  EXPECT_EQ(node.digest(), digest);
}

TEST_F(LostData, DamagedDataWithAPurgedLogComesUpEmptyHanded) {
  purge(30);
  damage_tables();
  ASSERT_EQ(node.open(), "");
  const auto& restored = node.opened.restored;
  EXPECT_EQ(restored.applied, LogId{});
  EXPECT_EQ(restored.purged, (LogId{Term(1), Index(30)}));
  EXPECT_EQ(restored.last, (LogId{Term(1), Index(40)}));
  EXPECT_EQ(restored.memberships.front().second, test::three_nodes());
  EXPECT_EQ(node.opened.notes.size(), 2u);
  // The snapshot that it then gets is installed like any other.
  const auto folder = peer().give_to(node);
  install(node, folder);
  node.close();
  ASSERT_EQ(node.open(), "");
  EXPECT_EQ(node.digest(), peer().digest);
  EXPECT_EQ(node.opened.restored.purged, peer().manifest.meta.last_log_id);
  EXPECT_TRUE(node.opened.notes.empty());
}

TEST_F(LostData, MissingDataIsSaidAndSoIsASecondDamagedFolder) {
  purge(30);
  damage_tables();
  ASSERT_EQ(node.open(), "");
  damage_tables();
  ASSERT_EQ(node.open(), "");
  EXPECT_TRUE(node.machine.disk.is_dir("/node/data.damaged-2"));
  node.close();
  ASSERT_TRUE(node.machine.disk.rename("/node/data", "/elsewhere"));
  ASSERT_EQ(node.open(), "");
  ASSERT_EQ(node.opened.notes.size(), 1u);
  EXPECT_NE(node.opened.notes[0].find("is missing"), std::string::npos) << node.opened.notes[0];
}

TEST_F(LostData, NothingIsGivenUpWhenTheLogIsDamagedToo) {
  damage_tables();
  for (const auto& name : node.machine.disk.children("/node/log"))
    if (name.ends_with(".sst") || name.starts_with("MANIFEST"))
      node.machine.disk.replace("/node/log/" + name, "no table of any kind");
  const auto refused = node.open();
  EXPECT_NE(refused.find("log open corruption"), std::string::npos) << refused;
  EXPECT_FALSE(node.machine.disk.is_dir("/node/data.damaged-1"));
}

TEST_F(LostData, ADamagedIntentIsRefused) {
  node.close();
  ASSERT_TRUE(node.machine.disk.make_dir("/node/snapshots"));
  ASSERT_TRUE(rocksdb::WriteStringToFile(&node.machine.env, "INST", "/node/snapshots/INSTALL", true).ok());
  const auto refused = node.open();
  EXPECT_NE(refused.find("INSTALL is damaged"), std::string::npos) << refused;
}

}  // namespace
}  // namespace kiwi
