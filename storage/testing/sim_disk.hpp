#pragma once

// A disk in memory that remembers what would survive. Three things are kept apart:
//
//   bytes   each file as the running machine sees it (the page cache)
//   disk    each file as it lies on the platters: what syncs put there; the un-synced writes are listed
//   names   creations, renames and removals, which survive only once their directory was synced
//
// So a power failure at any moment can be looked at (power_cut.hpp). A failed sync may drop what it should
// have written while the running machine still reads it, as page caches do (Rebello and others, Can
// Applications Recover from fsync Failures?, ATC 2020). Images share their bytes until one of them writes
// (content.hpp).

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/testing/content.hpp"
#include "storage/testing/faults.hpp"
#include "storage/testing/file_class.hpp"

namespace kiwi::sim {

/// What of the un-synced things survives a power failure, by size. The default is the hardest: nothing. For
/// outcomes with a description see power_cut.hpp.
struct PowerFailure {
  /// Bytes of each file's un-synced tail that survive: a torn write.
  std::size_t torn_bytes = 0;
  /// File sizes survive even where the data did not: the rest of each tail reads as zeroes.
  bool sizes_kept = false;
  /// This many of the oldest un-synced name changes survive, in order.
  std::size_t names_kept = 0;
  /// As zero_ahead().
  std::size_t zeroes_ahead = 0;
};

struct SimInode;
using InodePtr = std::shared_ptr<SimInode>;

/// An append that no sync has made durable yet. Its bytes are those of the file's cache.
struct SimWrite {
  std::uint64_t number = 0;  // of the file, from 1
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  /// lost: will be acknowledged and never written. cuts: a truncation to `offset`.
  bool lost = false;
  bool cuts = false;
  /// misdirected: where the bytes of a lost write go instead.
  InodePtr victim;
  std::uint64_t victim_offset = 0;
};

struct SimInode {
  Content bytes;
  Content disk;
  std::vector<SimWrite> unsynced;
  std::uint64_t writes = 0;
  /// Bytes that failed syncs marked clean without writing them.
  std::uint64_t dropped_bytes = 0;
  /// Maintained by SimDisk: what counts in unsynced_bytes().
  std::uint64_t counted_unsynced = 0;
  FileClass where = FileClass::other;
  std::uint32_t names = 0;  // in the running machine
  /// By block: how much of it an earlier sync had put there before the last one did. See older_block().
  std::vector<std::uint16_t> older;
};

/// Not yet durable. to: the name that appears, from: the name that goes; either may be empty.
struct NameChange {
  std::string from;
  std::string to;
  InodePtr file;  // null: a directory
};

/// Movable, not copyable: copies are made on purpose, by the functions that say what they keep. Paths are
/// absolute and without a slash at the end. "/" always exists.
class SimDisk {
 public:
  using Files = std::map<std::string, InodePtr>;
  using Dirs = std::set<std::string>;

  SimDisk() = default;
  SimDisk(SimDisk&&) = default;
  SimDisk& operator=(SimDisk&&) = default;

  // --- What a machine finds later
  SimDisk after_power_failure(const PowerFailure& failure = {}) const;
  /// The process died, the machine runs on: all is there, and what was un-synced still is. Also the cheap
  /// copy.
  SimDisk after_kill() const;
  /// Write-ahead-log files of the log end in zeroes up to the next multiple of this, as those of a process
  /// that wrote zeroes ahead and died (storage/zeroed_ahead.hpp). Here no process does: there is no journal
  /// to spare.
  void zero_ahead(std::uint64_t stretch_bytes);

  // --- Files and names. Those that return bool: false when the name, or its directory, is not there.
  InodePtr create(const std::string& path);  // null without its directory; replaces an existing file
  InodePtr find(const std::string& path) const;
  bool remove(const std::string& path);
  bool rename(const std::string& from, const std::string& to);  // a directory goes with all that is in it
  bool link(const std::string& from, const std::string& to);
  bool make_dir(const std::string& path);
  bool remove_dir(const std::string& path);
  bool is_dir(const std::string& path) const { return path == "/" || dirs_.contains(path); }
  std::vector<std::string> children(const std::string& dir) const;

  // --- Writing, and making durable
  void append(SimInode& file, std::string_view bytes);
  /// As append(), but acknowledged for nothing; see FaultKind::lost_write and misdirected.
  void append_lost(SimInode& file, std::string_view bytes, InodePtr victim = nullptr,
                   std::uint64_t victim_offset = 0);
  void truncate(SimInode& file, std::uint64_t size);
  void sync(SimInode& file);
  /// The sync failed, and the machine believes that nothing is dirty any more.
  void drop_dirty(SimInode& file);
  void sync_dir(const std::string& dir);
  /// Makes the names of all directories durable, and of no file.
  void sync_dirs_only();

  // --- Harm
  /// Flips one bit of a file, at rest and in the cache. Bit 0 is the lowest of the first byte.
  void flip(const std::string& path, std::uint64_t bit);
  /// Flips one bit of one file of this class, before its zeroes at the end; null: there is no such byte.
  struct Flipped {
    std::string path;
    std::uint64_t bit = 0;
  };
  std::optional<Flipped> flip_any(FileClass where, const Chooser& chooser, std::uint64_t counter = 0);
  /// Writes other bytes, at rest and in the cache, as if they had always been there.
  void replace(const std::string& path, std::string_view bytes);
  /// Puts the 4 KiB block at `offset` back to what it was before its last synced write, or to what a removed
  /// file of the same class held there. False: it has no older version.
  bool make_stale(const std::string& path, std::uint64_t offset);
  /// The cache is emptied: what only looked durable is not read any more. Un-synced writes stay.
  void evict();

  // --- Looking
  /// Descriptions name files relative to this directory, e.g. "/node"; empty: by full paths. Kept by images.
  void describe_from(std::string root) { root_ = std::move(root); }
  std::string described(const std::string& path) const;
  std::uint64_t size() const;
  /// Bytes of this class's files that a power cut could take: written and not synced, dropped by a failed
  /// sync, or in a file whose name is not durable. Cheap. Not those that the disk itself lies about
  /// (lost_write).
  std::uint64_t unsynced_bytes(FileClass where) const;
  std::size_t unsynced_names() const { return pending_.size(); }
  const std::vector<NameChange>& name_changes() const { return pending_; }
  /// "create P", "remove P", "rename P -> Q", "mkdir P", "rmdir P".
  std::string described(const NameChange& change) const;
  const Files& files() const { return files_; }
  const Files& durable_files() const { return durable_files_; }
  /// Hash over all names and bytes as the running machine sees them.
  std::uint64_t digest() const;
  /// Equal names, equal bytes, in the cache and on the platters.
  friend bool same_image(const SimDisk& a, const SimDisk& b);

  // --- For power_cut.cpp: an image from what was kept of the names; the bytes come from `bytes_of`.
  static void apply(const NameChange& change, Files& files, Dirs& dirs);
  SimDisk image_of(const Files& files, const Dirs& dirs,
                   const std::function<Content(const InodePtr&)>& bytes_of) const;
  const Dirs& durable_dirs() const { return durable_dirs_; }
  /// The version of a block that FaultKind::stale_block shows; none: there is no older one.
  std::optional<std::string> older_block(const SimInode& file, std::uint64_t offset) const;

 private:
  void change(std::string from, std::string to, InodePtr file);
  void set_counted(SimInode& file, std::uint64_t bytes);
  void take_name(SimInode& file, const std::string& path);
  void drop_name(SimInode& file);
  void recount_names();

  Files files_;
  Dirs dirs_;
  Files durable_files_;
  Dirs durable_dirs_;
  std::vector<NameChange> pending_;
  std::array<std::uint64_t, kFileClasses> unsynced_{};
  /// The newest removed file of each class: its space is used again.
  std::array<Content, kFileClasses> removed_;
  std::string root_;
};

inline constexpr std::uint64_t kDiskBlockBytes = 4096;

std::string parent_of(const std::string& path);
/// Without double slashes and without one at the end, as the disk wants its paths.
std::string normalised(const std::string& path);

}  // namespace kiwi::sim
