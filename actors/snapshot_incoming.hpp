#pragma once

// The folder that a snapshot is received into: what is there already, what is still missing, and whether it
// is what the manifest says. All of it is work on the disk in slices: who owns this calls work() until there
// is nothing to do, and does other things in between.
//
//   incoming/<id>/MANIFEST-OF-SNAPSHOT   what it will be
//   incoming/<id>/NAME.part              its first bytes, or all of them: fetched, not looked at yet
//   incoming/<id>/NAME.have              all of its bytes: found here, not looked at yet
//   incoming/<id>/NAME                   whole, its checksum right, durable
//
// NAME.have and NAME may share their bytes with the database or another folder, so they are never written to:
// bytes are appended to NAME.part only, and what turns out wrong is removed, not overwritten.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "messages/content_hash.hpp"
#include "messages/snapshot_meta.hpp"
#include "statemachine/state_machine.hpp"
#include "storage/snapshot_files.hpp"

namespace spdlog {
class logger;
}

namespace kiwi {

class SnapshotIncoming {
 public:
  /// What all transfers share.
  struct Place {
    storage::SnapshotFiles* files = nullptr;
    SnapshotBuilder* builder = nullptr;  // null: the state here has no files to reuse
    std::string incoming;                // DIR/snapshots/incoming
    std::string own;                     // DIR/snapshots/own: links to the own database's files, for a moment
    std::shared_ptr<spdlog::logger> log;
  };

  /// Requires !manifest_fault(manifest).
  SnapshotIncoming(Place place, SnapshotManifest manifest);

  const SnapshotManifest& manifest() const { return manifest_; }
  std::string folder() const { return place_.incoming + "/" + manifest_.meta.snapshot_id; }

  /// One slice. True: call it again. An error ends this transfer; what is on the disk stays.
  Result<bool> work();
  bool has_work() const;
  /// What is here is known, so that the rest can be fetched.
  bool surveyed() const { return step_ == Step::checking || step_ == Step::whole; }
  /// All of it is here, verified and durable.
  bool whole() const { return step_ == Step::whole; }

  /// Files of which bytes are missing, by their places in the manifest. Only once surveyed.
  const std::set<std::uint32_t>& wanted() const { return wanted_; }
  /// Of this file are here: its first so many bytes.
  std::uint64_t have(std::uint32_t file) const { return state_[file].have; }
  /// The next bytes of a wanted file, from have(file) on.
  Result<void> append(std::uint32_t file, std::string_view bytes);

  /// Here, right or not yet looked at; in all.
  std::uint64_t have_bytes() const { return have_bytes_; }
  /// Of whole files: not fetched.
  std::uint64_t reused_bytes() const { return reused_bytes_; }
  /// Files that had all their bytes, and were not what the manifest says.
  std::uint64_t wrong_files() const { return wrong_files_; }

 private:
  enum class Step : std::uint8_t { prepare, others, own, checking, whole };
  struct File {
    std::uint64_t have = 0;
    std::uint64_t reused = 0;     // of `have`, not fetched
    bool shared = false;          // NAME.have, not NAME.part
    std::uint32_t refetched = 0;  // times that it was wrong although bytes of it were fetched
  };
  /// What names a file's content.
  using Content = std::tuple<std::uint64_t, ContentHash>;
  /// Content to a path where it is.
  using Offers = std::map<Content, std::string>;
  struct Check {
    std::uint32_t file = 0;
    std::uint64_t offset = 0;
    ContentHasher hasher;
  };

  static Content content(const SnapshotFile& file) { return {file.bytes, hash_of(file)}; }
  const SnapshotFile& described(std::uint32_t file) const { return manifest_.files[file]; }
  std::string path(std::uint32_t file) const { return folder() + "/" + described(file).file; }
  std::string part_path(std::uint32_t file) const;
  std::string have_path(std::uint32_t file) const;
  std::string unchecked_path(std::uint32_t file) const;

  Result<void> prepare();
  Result<void> look_into_others();
  Result<void> look_into_other(const std::string& folder, const SnapshotManifest& theirs);
  Result<void> look_into_own();
  Result<void> make_empty_files();
  Result<void> take_links(const Offers& offers);
  void found(std::uint32_t file, std::uint64_t have, bool shared);
  Result<void> check_slice();
  Result<void> checked(std::uint32_t file, const ContentHash& hash);
  Result<void> begin_anew(std::uint32_t file);
  Result<bool> finish();

  Place place_;
  SnapshotManifest manifest_;
  Step step_ = Step::prepare;
  std::vector<File> state_;
  std::set<std::uint32_t> wanted_;
  std::deque<std::uint32_t> unchecked_;
  std::optional<Check> check_;
  std::size_t done_ = 0;  // whole files
  std::uint64_t have_bytes_ = 0;
  std::uint64_t reused_bytes_ = 0;
  std::uint64_t wrong_files_ = 0;
};

}  // namespace kiwi
