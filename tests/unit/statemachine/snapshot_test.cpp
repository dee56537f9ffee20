// Snapshots of the machine: built beside apply, installed over another state, shared by content. On the real
// disk, with RocksDB's threads; the simulated side is in install_test.cpp.

#include "statemachine/data_format.hpp"
#include "tests/unit/statemachine/machine_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <set>
#include <thread>

namespace kiwi::test {
namespace {

namespace fs = std::filesystem;

/// A machine in a node's directory.
struct Node {
  explicit Node(const std::string& d) : dir(d), machine(make(d)) {}
  static std::string make(const std::string& d) {
    fs::create_directories(d);
    return d + "/data";
  }
  std::string built() const { return dir + "/snapshots/built"; }
  void fill(int first, int last, char what) {
    std::vector<Entry> entries;
    auto index = machine->applied_state().applied.index;
    for (int i = first; i <= last; ++i) {
      auto entry = machine.entry_of({"SET", "key-" + std::to_string(i), std::string(500, what)});
      entry.id.index = ++index;
      entries.push_back(std::move(entry));
    }
    ASSERT_TRUE(machine->apply(entries));
  }
  std::string digest_now() { return machine->digest_now().value()->hex; }

  std::string dir;
  Machine machine;
};

/// What a transfer does to the files.
std::string receive(const std::string& built, const SnapshotManifest& manifest, Node& to) {
  const auto folder = to.machine->begin_receiving_snapshot(manifest.meta);
  EXPECT_TRUE(folder) << to_string(folder.error());
  for (const auto& file : manifest.files)
    fs::copy_file(built + "/" + manifest.meta.snapshot_id + "/" + file.file, *folder + "/" + file.file);
  std::ofstream(*folder + "/MANIFEST-OF-SNAPSHOT") << "the receiver's own";
  return *folder;
}

struct Snapshots : ::testing::Test {
  SnapshotManifest build(Node& node) {
    auto manifest = node.machine->get_snapshot_builder().value()->build_snapshot(node.built());
    EXPECT_TRUE(manifest) << to_string(manifest.error());
    return manifest.value_or(SnapshotManifest{});
  }
  Folder folder;
  Node from{folder.path("from")};
};

TEST_F(Snapshots, ASnapshotNamesItsStateAndEveryFile) {
  from.fill(1, 1000, 'a');
  const auto manifest = build(from);
  const auto state = from.machine->applied_state();
  EXPECT_EQ(manifest.meta.last_log_id, state.applied);
  EXPECT_EQ(manifest.meta.timestamp_ms, state.stamp_ms);
  EXPECT_EQ(manifest.meta.membership, three_nodes());
  EXPECT_EQ(manifest.format, data_format::kFormatVersion);
  EXPECT_TRUE(manifest.meta.snapshot_id.starts_with("1-1000-")) << manifest.meta.snapshot_id;
  std::set<std::string> names;
  for (const auto& file : fs::directory_iterator(from.built() + "/" + manifest.meta.snapshot_id))
    names.insert(file.path().filename());
  ASSERT_EQ(names.size(), manifest.files.size());
  for (const auto& file : manifest.files) {
    EXPECT_EQ(names.count(file.file), 1u) << file.file;
    EXPECT_EQ(fs::file_size(from.built() + "/" + manifest.meta.snapshot_id + "/" + file.file), file.bytes);
  }
  const auto current = from.machine->get_current_snapshot().value();
  ASSERT_TRUE(current);
  EXPECT_EQ(*current, manifest.meta);
}

TEST_F(Snapshots, ASecondSnapshotSharesTheTablesOfTheFirst) {
  from.fill(1, 4000, 'a');
  const auto first = build(from);
  from.fill(1, 40, 'b');
  const auto second = build(from);
  EXPECT_NE(first.meta.snapshot_id, second.meta.snapshot_id);
  std::uint64_t shared = 0;
  for (const auto& file : second.files)
    for (const auto& old : first.files)
      if (file.file.ends_with(".sst") && old.bytes == file.bytes && old.checksum_low == file.checksum_low &&
          old.checksum_high == file.checksum_high)
        shared += file.bytes;
  EXPECT_GT(shared * 10, second.bytes() * 9);
  // The same tables, under names that a receiver can link.
  auto builder = from.machine->get_snapshot_builder().value();
  const auto linked = builder->link_current_files(folder.path("linked"));
  ASSERT_TRUE(linked) << to_string(linked.error());
  for (const auto& file : *linked) {
    EXPECT_TRUE(file.file.ends_with(".sst"));
    EXPECT_NE(std::find(second.files.begin(), second.files.end(), file), second.files.end()) << file.file;
  }
  EXPECT_FALSE(linked->empty());
}

TEST_F(Snapshots, BuildingTheSameStateTwiceGivesTheSameFolder) {
  from.fill(1, 10, 'a');
  const auto first = build(from);
  const auto again = build(from);
  EXPECT_EQ(again, first);
}

TEST_F(Snapshots, InstallReplacesWhateverWasThere) {
  from.fill(1, 2000, 'a');
  from.machine.write("SET soon gone PX 1000");
  const auto manifest = build(from);
  const auto digest = from.digest_now();

  Node to(folder.path("to"));
  to.fill(500, 3000, 'z');
  EXPECT_EQ(to.machine.read("GET key-700"), "\"" + std::string(500, 'z') + "\"");
  auto builder = to.machine->get_snapshot_builder().value();
  const auto incoming = receive(from.built(), manifest, to);
  const auto installed = to.machine->install_snapshot(manifest.meta, incoming);
  ASSERT_TRUE(installed) << to_string(installed.error());
  EXPECT_EQ(to.machine->applied_state(), from.machine->applied_state());
  EXPECT_EQ(to.machine->durable_applied(), manifest.meta.last_log_id.index);
  EXPECT_EQ(to.digest_now(), digest);
  EXPECT_EQ(to.machine.read("GET key-700"), "\"" + std::string(500, 'a') + "\"");
  EXPECT_EQ(to.machine.read("EXISTS key-2500"), "(integer) 0");
  EXPECT_TRUE(fs::exists(to.dir + "/snapshots/INSTALL")) << "the log does not follow yet";
  ASSERT_TRUE(to.machine->finish_install());
  EXPECT_FALSE(fs::exists(to.dir + "/snapshots/INSTALL"));
  EXPECT_FALSE(fs::exists(to.dir + "/data.old"));
  EXPECT_FALSE(fs::exists(incoming));

  // Both go on alike; the builder from before knows the new state.
  for (auto* node : {&from, &to}) {
    node->machine.now_ms += 2000;
    node->fill(1, 50, 'c');
  }
  EXPECT_EQ(to.digest_now(), from.digest_now());
  const auto rebuilt = builder->build_snapshot(to.built());
  ASSERT_TRUE(rebuilt) << to_string(rebuilt.error());
  EXPECT_EQ(rebuilt->meta.last_log_id, to.machine->applied_state().applied);
  to.machine.crash();
  EXPECT_EQ(builder->build_snapshot(to.built()).error().kind, StorageKind::unavailable);
  to.machine.open();
  EXPECT_EQ(to.machine->applied_state().applied, rebuilt->meta.last_log_id) << "the build flushed it";
}

TEST_F(Snapshots, FilesThatAreNotTheSnapshotAreRefusedBeforeAnythingIsLost) {
  from.fill(1, 200, 'a');
  auto manifest = build(from);
  Node to(folder.path("to"));
  to.fill(1, 10, 'z');
  ASSERT_TRUE(to.machine->flush());
  manifest.meta.last_log_id.index = Index(150);
  const auto incoming = receive(from.built(), manifest, to);
  EXPECT_EQ(to.machine->install_snapshot(manifest.meta, incoming).error().kind, StorageKind::corruption);
  EXPECT_FALSE(fs::exists(to.dir + "/snapshots/INSTALL"));
  to.fill(11, 20, 'z');  // it goes on
  ASSERT_TRUE(to.machine->flush());
  to.machine.crash();
  to.machine.open();
  EXPECT_EQ(to.machine->applied_state().applied.index, Index(20));
}

TEST_F(Snapshots, BuildingDoesNotHoldUpApply) {
  from.fill(1, 2000, 'a');
  auto builder = from.machine->get_snapshot_builder().value();
  std::atomic<bool> done = false;
  std::vector<Result<SnapshotManifest>> manifests;
  std::thread building([&] {
    for (int i = 0; i < 5; ++i) manifests.push_back(builder->build_snapshot(from.built()));
    done = true;
  });
  int rounds = 0;
  while (!done || rounds < 20) {
    from.fill(rounds * 10, rounds * 10 + 20, 'b');
    ASSERT_TRUE(from.machine->background_work());
    ++rounds;
  }
  building.join();
  Index last;
  for (const auto& manifest : manifests) {
    ASSERT_TRUE(manifest) << to_string(manifest.error());
    EXPECT_GE(manifest->meta.last_log_id.index, last);
    last = manifest->meta.last_log_id.index;
  }
  EXPECT_LE(last, from.machine->applied_state().applied.index);
  // The last one is a whole state.
  Node to(folder.path("to"));
  const auto incoming = receive(from.built(), *manifests.back(), to);
  ASSERT_TRUE(to.machine->install_snapshot(manifests.back()->meta, incoming));
  EXPECT_EQ(to.machine->applied_state().applied.index, last);
  EXPECT_TRUE(to.machine->digest_now());
}

TEST_F(Snapshots, ARequestedFlushBecomesDurableWithoutWaiting) {
  from.fill(1, 500, 'a');
  EXPECT_LT(from.machine->durable_applied(), Index(500));
  ASSERT_TRUE(from.machine->request_flush());
  auto work = from.machine->work_aside();
  ASSERT_TRUE(work) << "what is applied must be written before it is flushed";
  work();
  ASSERT_TRUE(from.machine->request_flush()) << "as the raft actor asks until it is durable";
  for (int i = 0; from.machine->durable_applied() < Index(500) && i < 10'000; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(from.machine->durable_applied(), Index(500));
  ASSERT_TRUE(from.machine->request_flush()) << "there is nothing to flush";
}

/// Spoils a block in the middle of each large table.
void spoil_tables(const std::string& folder) {
  for (const auto& file : fs::directory_iterator(folder))
    if (file.path().extension() == ".sst" && fs::file_size(file.path()) > 20'000) {
      std::fstream table(file.path(), std::ios::binary | std::ios::in | std::ios::out);
      table.seekp(static_cast<std::streamoff>(fs::file_size(file.path()) / 3));
      table.write("damage", 6);
    }
}

TEST_F(Snapshots, ABlockThatRottedIsNotSpreadByASnapshot) {
  from.fill(1, 3000, 'a');
  ASSERT_TRUE(from.machine->flush());
  spoil_tables(from.dir + "/data");
  const auto manifest = from.machine->get_snapshot_builder().value()->build_snapshot(from.built());
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().subject, StorageSubject::state_machine);
  EXPECT_EQ(manifest.error().kind, StorageKind::corruption);
  from.machine.crash();
  RedisMachineOptions options;
  options.dir = from.dir + "/data";
  const auto opened = RedisMachine::open(options, three_nodes());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().cause.find("damaged before"), std::string::npos) << opened.error().cause;
}

TEST_F(Snapshots, DamageThatIsMetWhileRunningIsKnownAtTheNextStart) {
  from.fill(1, 3000, 'a');
  ASSERT_TRUE(from.machine->flush());
  from.machine.crash();
  spoil_tables(from.dir + "/data");
  from.machine.open();
  std::optional<StorageError> met;
  for (int i = 1; i <= 3000 && !met; ++i) {
    const auto answer = from.machine->query(
        {7, from.machine.now_ms, encode_request({command_of({"GET", "key-" + std::to_string(i)})})});
    if (!answer)
      met = answer.error();
  }
  ASSERT_TRUE(met);
  EXPECT_EQ(met->kind, StorageKind::corruption);
  from.machine.crash();
  RedisMachineOptions options;
  options.dir = from.dir + "/data";
  const auto opened = RedisMachine::open(options, three_nodes());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, StorageKind::corruption);
  EXPECT_NE(opened.error().cause.find("damaged before"), std::string::npos) << opened.error().cause;
}

}  // namespace
}  // namespace kiwi::test
