#pragma once

// A disk in memory that remembers what would survive. Three things are kept apart:
//
//   bytes   each file as the running machine sees it (the page cache)
//   disk    each file as it lies on the platters: what a sync put there
//   names   creations, renames and removals, which survive only once their directory was synced
//
// So a power failure at any moment can be looked at: after_power_failure() gives what a machine would find.
// A failed sync may drop what it should have written while the running machine still reads it, as page caches
// do (Rebello and others, Can Applications Recover from fsync Failures?, ATC 2020).

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace kiwi::sim {

/// What of the un-synced things survives a power failure. The default is the hardest: nothing.
struct PowerFailure {
  /// Bytes of each file's un-synced tail that survive: a torn write.
  std::size_t torn_bytes = 0;
  /// File sizes survive even where the data did not: the rest of each tail reads as zeroes.
  bool sizes_kept = false;
  /// This many of the oldest un-synced name changes survive, in order.
  std::size_t names_kept = 0;
};

struct SimInode {
  std::string bytes;
  std::string disk;
  /// bytes[0, clean) are not dirty: they were synced, or a failed sync dropped them.
  std::size_t clean = 0;
};
using InodePtr = std::shared_ptr<SimInode>;

/// Movable, not copyable: copies are made on purpose, by the functions that say what they keep. Paths are
/// absolute and without a slash at the end. "/" always exists.
class SimDisk {
 public:
  SimDisk() = default;
  SimDisk(SimDisk&&) = default;
  SimDisk& operator=(SimDisk&&) = default;

  // --- What a machine finds later
  SimDisk after_power_failure(const PowerFailure& failure = {}) const;
  /// The process died, the machine runs on: all is there, and what was un-synced still is.
  SimDisk after_kill() const;

  // --- Files and names. Those that return bool: false when the name, or its directory, is not there.
  InodePtr create(const std::string& path);  // null without its directory; replaces an existing file
  InodePtr find(const std::string& path) const;
  bool remove(const std::string& path);
  bool rename(const std::string& from, const std::string& to);
  bool link(const std::string& from, const std::string& to);
  bool make_dir(const std::string& path);
  bool remove_dir(const std::string& path);
  bool is_dir(const std::string& path) const { return path == "/" || dirs_.contains(path); }
  std::vector<std::string> children(const std::string& dir) const;

  // --- Making things durable
  static void sync(SimInode& file);
  /// The sync failed, and the machine believes that nothing is dirty any more.
  static void drop_dirty(SimInode& file) { file.clean = file.bytes.size(); }
  void sync_dir(const std::string& dir);

  // --- Harm, and looking
  /// Flips one bit of a file, at rest and in the cache. Bit 0 is the lowest of the first byte.
  void flip(const std::string& path, std::uint64_t bit);
  std::uint64_t size() const;
  std::size_t unsynced_names() const { return pending_.size(); }
  const std::map<std::string, InodePtr>& files() const { return files_; }

 private:
  /// Not yet durable. to: the name that appears, from: the name that goes; either may be empty.
  struct NameChange {
    std::string dir;
    std::string from;
    std::string to;
    InodePtr file;  // null: `to` or `from` is a directory
  };
  void change(std::string from, std::string to, InodePtr file);
  static void apply(const NameChange& change, std::map<std::string, InodePtr>& files,
                    std::set<std::string>& dirs);

  std::map<std::string, InodePtr> files_;
  std::set<std::string> dirs_;
  std::map<std::string, InodePtr> durable_files_;
  std::set<std::string> durable_dirs_;
  std::vector<NameChange> pending_;
};

std::string parent_of(const std::string& path);
/// Without double slashes and without one at the end, as the disk wants its paths.
std::string normalised(const std::string& path);

}  // namespace kiwi::sim
