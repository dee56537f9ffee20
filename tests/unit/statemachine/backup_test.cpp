// A backup folder: the manifest comes last, what it names is what a new data directory gets, and nothing
// else.

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "statemachine/backup_folder.hpp"
#include "storage/backup_staging.hpp"
#include "storage/snapshot_files.hpp"
#include "tests/unit/statemachine/machine_fixture.hpp"

namespace kiwi::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

void flip(const std::string& path, std::size_t byte) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(byte));
  const char c = static_cast<char>(file.get() ^ 1);
  file.seekp(static_cast<std::streamoff>(byte));
  file.put(c);
}

/// A node's directory with 300 keys and a built snapshot.
struct Backup : ::testing::Test {
  void SetUp() override {
    fs::create_directories(dir);
    Machine machine(dir + "/data");
    for (int i = 0; i < 300; ++i) machine.write({"SET", "key-" + std::to_string(i), std::string(200, 'v')});
    manifest = machine->get_snapshot_builder().value()->build_snapshot(dir + "/snapshots/built").value();
    digest = machine->digest_now().value()->hex;
    ASSERT_TRUE(machine->flush());
  }
  std::string built() const { return dir + "/snapshots/built/" + manifest.meta.snapshot_id; }
  static std::vector<std::string> names_in(const std::string& in) {
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator(in)) names.push_back(file.path().filename().string());
    return names;
  }
  Result<BackupMade> back_up(const storage::VerifyPiece& piece = {}) const {
    return write_backup(nullptr, built(), names_in(built()), manifest.meta.snapshot_id, to, piece);
  }

  Folder folder;
  std::string dir = folder.path("node"), to = folder.path("backup"), data = folder.path("new/data");
  SnapshotManifest manifest;
  std::string digest;
};

TEST_F(Backup, ComesBackAsTheSameState) {
  const auto made = back_up();
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_EQ(made->data.digest, digest);
  EXPECT_EQ(made->manifest.meta, manifest.meta);
  const auto read = read_backup(nullptr, to);
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(*read, made->manifest);
  const auto unpacked = unpack_backup(nullptr, to, *read, data, {});
  ASSERT_TRUE(unpacked) << to_string(unpacked.error());
  EXPECT_EQ(unpacked->digest, digest);
  EXPECT_FALSE(fs::exists(data + "/" + storage::kSnapshotManifestName));
  Machine machine(data);
  EXPECT_EQ(machine->digest_now().value()->hex, digest);
  EXPECT_EQ(machine->applied_state().applied, manifest.meta.last_log_id);
}

TEST_F(Backup, OfAStoppedNodeTakesTheFilesThatCount) {
  std::ofstream(dir + "/data/000999.sst") << "what a crash left";
  const auto names = live_files_of(nullptr, dir + "/data");
  ASSERT_TRUE(names) << to_string(names.error());
  EXPECT_THAT(*names, ::testing::Not(::testing::Contains("000999.sst")));
  const auto made = write_backup(nullptr, dir + "/data", *names, "", to, {});
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_EQ(made->data.digest, digest);
}

TEST_F(Backup, InterruptedIsNone) {
  const auto broken = back_up([](const std::string&, std::uint64_t) { return false; });
  ASSERT_FALSE(broken);
  const auto read = read_backup(nullptr, to);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, StorageKind::mismatch);
  EXPECT_THAT(read.error().cause, HasSubstr("not finished"));
  const auto again = back_up();
  ASSERT_FALSE(again) << "what is there is not touched";
  EXPECT_EQ(again.error().kind, StorageKind::invalid_request);
}

TEST_F(Backup, OfADamagedSnapshotIsNotFinished) {
  for (const auto& name : names_in(built())) {
    const auto path = built() + "/" + name, sound = folder.path("sound");
    fs::copy_file(path, sound, fs::copy_options::overwrite_existing);
    fs::remove(path);  // tables share their bytes with the data
    fs::copy_file(sound, path);
    flip(path, fs::file_size(path) / 2);
    const auto made = back_up();
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().kind, StorageKind::corruption) << name << ": " << to_string(made.error());
    EXPECT_FALSE(read_backup(nullptr, to)) << name;
    fs::remove_all(to);
    fs::rename(sound, path);
  }
  EXPECT_TRUE(back_up());
}

TEST_F(Backup, WithAFlippedBitAnywhereIsRefused) {
  ASSERT_TRUE(back_up());
  for (const auto& name : names_in(to)) {
    const auto path = to + "/" + name;
    for (const auto byte : {std::uintmax_t{0}, fs::file_size(path) / 2, fs::file_size(path) - 1}) {
      flip(path, byte);
      const auto read = read_backup(nullptr, to);
      if (name == storage::kSnapshotManifestName) {
        EXPECT_FALSE(read) << byte;
      } else {
        const auto unpacked = unpack_backup(nullptr, to, *read, data, {});
        ASSERT_FALSE(unpacked) << name << " " << byte;
        EXPECT_EQ(unpacked.error().kind, StorageKind::corruption);
        EXPECT_THAT(unpacked.error().cause, HasSubstr(name));
      }
      flip(path, byte);
    }
  }
  EXPECT_TRUE(unpack_backup(nullptr, to, *read_backup(nullptr, to), data, {}));
}

TEST_F(Backup, StagingKeepsFilesThatAreRemoved) {
  {
    auto staging = storage::BackupStaging::make(nullptr, dir);
    ASSERT_TRUE(staging) << to_string(staging.error());
    EXPECT_FALSE((*staging)->link_all(dir + "/snapshots/built/gone").value());
    ASSERT_TRUE((*staging)->link_all(built()).value());
    fs::remove_all(built());
    EXPECT_TRUE(write_backup(nullptr, (*staging)->files(), names_in((*staging)->files()),
                             manifest.meta.snapshot_id, to, {}));
    const auto second = storage::BackupStaging::make(nullptr, dir);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, StorageKind::unavailable);
    EXPECT_TRUE(storage::remove_stale_backup_staging(nullptr, dir));
    EXPECT_TRUE(fs::exists((*staging)->files())) << "it is in use";
  }
  EXPECT_FALSE(fs::exists(dir + "/snapshots/backup"));
}

TEST_F(Backup, WhatAKilledBackupLeftIsRemoved) {
  fs::create_directories(dir + "/snapshots/backup/files");
  std::ofstream(dir + "/snapshots/backup/LOCK");
  std::ofstream(dir + "/snapshots/backup/files/000009.sst") << "bytes";
  EXPECT_TRUE(storage::remove_stale_backup_staging(nullptr, dir));
  EXPECT_FALSE(fs::exists(dir + "/snapshots/backup"));
  EXPECT_TRUE(storage::remove_stale_backup_staging(nullptr, dir)) << "nothing is there";
}

}  // namespace
}  // namespace kiwi::test
