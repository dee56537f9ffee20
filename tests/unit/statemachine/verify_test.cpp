// What `kiwi-node inspect` says about data and snapshots: damage is found and named, and looking changes
// nothing.

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <map>

#include "messages/codec.hpp"
#include "statemachine/verify_data.hpp"
#include "statemachine/verify_snapshots.hpp"
#include "tests/unit/statemachine/machine_fixture.hpp"

namespace kiwi::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
std::map<std::string, std::string> image_of(const std::string& dir) {
  std::map<std::string, std::string> image;
  for (const auto& file : fs::recursive_directory_iterator(dir))
    if (file.is_regular_file())
      image[file.path().string()] = read_file(file.path().string());
  return image;
}
void flip(const std::string& path, std::size_t byte) {
  auto bytes = read_file(path);
  ASSERT_LT(byte, bytes.size());
  bytes[byte] = static_cast<char>(bytes[byte] ^ 0x10);
  write_file(path, bytes);
}
std::string text_of(const storage::Findings& findings) {
  std::string text;
  for (const auto& f : findings)
    text += std::string(storage::to_string(f.kind)) + ": " + f.what + ", " + f.where + ": " + f.why + "\n";
  return text;
}
std::string first_table(const std::string& folder) {
  std::string first;
  for (const auto& file : fs::directory_iterator(folder))
    if (file.path().extension() == ".sst" && (first.empty() || file.path().string() < first))
      first = file.path().string();
  return first;
}

/// A node's directory with 200 keys, of which 50 have a deadline; one built snapshot.
struct Verify : ::testing::Test {
  void SetUp() override {
    fs::create_directories(dir);
    Machine machine(dir + "/data");
    for (int i = 0; i < 200; ++i) machine.write({"SET", "key-" + std::to_string(i), std::string(300, 'v')});
    for (int i = 0; i < 50; ++i) machine.write("EXPIRE key-" + std::to_string(i) + " 1000");
    manifest = machine->get_snapshot_builder().value()->build_snapshot(dir + "/snapshots/built").value();
    digest = machine->digest_now().value()->hex;
    applied = machine->applied_state().applied;
    ASSERT_TRUE(machine->flush());
  }
  DataReport data() const { return verify_data(nullptr, dir + "/data", {}); }
  SnapshotsReport snapshots() const { return verify_snapshots(nullptr, dir, {}); }
  std::string built() const { return dir + "/snapshots/built/" + manifest.meta.snapshot_id; }
  /// As a transfer leaves it that was interrupted when all but the last file had come.
  std::string receive() const {
    const auto incoming = dir + "/snapshots/incoming/" + manifest.meta.snapshot_id;
    fs::create_directories(incoming);
    for (const auto& file : manifest.files)
      fs::copy_file(built() + "/" + file.file, incoming + "/" + file.file);
    const auto last = manifest.files.back().file;
    fs::rename(incoming + "/" + last, incoming + "/" + last + ".part");
    write_file(incoming + "/MANIFEST-OF-SNAPSHOT", encode_snapshot_manifest(manifest));
    return incoming;
  }

  Folder folder;
  std::string dir = folder.path("node");
  SnapshotManifest manifest;
  std::string digest;
  LogId applied;
};

TEST_F(Verify, WholeDataIsToldWithTheDigestThatTheMachineGives) {
  const auto before = image_of(dir);
  const auto report = data();
  EXPECT_EQ(text_of(report.findings), "");
  ASSERT_TRUE(report.there && report.state);
  EXPECT_EQ(report.state->last_log_id, applied);
  EXPECT_EQ(report.digest, digest);
  EXPECT_EQ(report.keys, 200u);
  EXPECT_EQ(report.keys_with_expiry, 50u);
  EXPECT_EQ(image_of(dir), before);
}

TEST_F(Verify, NoDataIsNotMade) {
  const auto report = verify_data(nullptr, dir + "/nothing", {});
  EXPECT_FALSE(report.there);
  EXPECT_FALSE(fs::exists(dir + "/nothing"));
}

TEST_F(Verify, AFlippedBitInATableIsFoundWithItsFile) {
  const auto table = first_table(dir + "/data");
  flip(table, fs::file_size(table) / 3);
  const auto before = image_of(dir);
  EXPECT_THAT(text_of(data().findings), HasSubstr("damage: table of the data database, " + table));
  EXPECT_EQ(data().digest, "");
  EXPECT_EQ(image_of(dir), before);
}

TEST_F(Verify, AMissingTableTheMarkOfDamageAndABadManifestAreFound) {
  write_file(dir + "/data/KIWI-DAMAGED", "a row was spoilt");
  EXPECT_THAT(text_of(data().findings), HasSubstr("a row was spoilt"));
  fs::remove(dir + "/data/KIWI-DAMAGED");
  fs::remove(first_table(dir + "/data"));
  EXPECT_TRUE(storage::has_damage(data().findings));
  for (const auto& file : fs::directory_iterator(dir + "/data"))
    if (file.path().filename().string().starts_with("MANIFEST-"))
      flip(file.path().string(), 20);
  EXPECT_THAT(text_of(data().findings), HasSubstr("damage: MANIFEST of the data database, "));
}

TEST_F(Verify, ABuiltSnapshotIsNamedByItsContent) {
  auto report = snapshots();
  EXPECT_EQ(text_of(report.findings), "");
  ASSERT_EQ(report.folders.size(), 1u);
  EXPECT_EQ(report.folders[0].id, manifest.meta.snapshot_id);
  EXPECT_EQ(report.folders[0].kind, SnapshotFolder::Kind::built);
  EXPECT_EQ(report.folders[0].bytes, manifest.bytes());
  const auto before = image_of(dir);
  for (const auto& file : manifest.files) {
    // A name of its own for its bytes: tables are shared with the data.
    const auto path = built() + "/" + file.file;
    const auto sound = read_file(path);
    fs::remove(path);
    write_file(path, sound);
    flip(path, file.bytes / 2);
    EXPECT_TRUE(storage::has_damage(snapshots().findings)) << file.file;
    if (file.file.ends_with(".sst")) {
      EXPECT_THAT(text_of(snapshots().findings), HasSubstr("damage: built snapshot, " + path));
    }
    write_file(path, sound);
  }
  EXPECT_EQ(image_of(dir), before);
}

TEST_F(Verify, AnIncomingSnapshotIsComparedWithItsManifestAsFarAsItHasCome) {
  const auto incoming = receive();
  auto report = snapshots();
  EXPECT_EQ(text_of(report.findings), "");
  ASSERT_EQ(report.folders.size(), 2u);
  EXPECT_EQ(report.folders[1].kind, SnapshotFolder::Kind::incoming);
  EXPECT_EQ(report.folders[1].of, manifest.bytes());
  const auto part = incoming + "/" + manifest.files.front().file;
  flip(part, 100);
  EXPECT_THAT(text_of(snapshots().findings), HasSubstr("damage: incoming snapshot, " + part));
  flip(incoming + "/MANIFEST-OF-SNAPSHOT", 30);
  EXPECT_THAT(text_of(snapshots().findings), HasSubstr("MANIFEST-OF-SNAPSHOT: "));
}

TEST_F(Verify, AnIntentThatCannotBeReadIsDamage) {
  write_file(dir + "/snapshots/INSTALL", "nonsense");
  EXPECT_THAT(text_of(snapshots().findings), HasSubstr("damage: intent of an install"));
  write_file(dir + "/snapshots/INSTALL", encode_snapshot_meta(manifest.meta));
  const auto report = snapshots();
  EXPECT_EQ(text_of(report.findings), "");
  ASSERT_TRUE(report.pending);
  EXPECT_EQ(report.pending->snapshot_id, manifest.meta.snapshot_id);
}

}  // namespace
}  // namespace kiwi::test
