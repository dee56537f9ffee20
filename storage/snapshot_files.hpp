#pragma once

// The files below DIR/snapshots as the snapshot builder actor handles them: a small file system, so that what
// decides about transfers can be tested without a disk. Paths are whole paths. One thread.
//
// Errors are StorageErrors about the snapshot; ENOSPC is StorageKind::no_space.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "messages/storage_error.hpp"

namespace rocksdb {
class Env;
}

namespace kiwi::storage {

/// The manifest of what is being received lies among its files under this name; no file of a snapshot has it.
inline constexpr const char* kSnapshotManifestName = "MANIFEST-OF-SNAPSHOT";

class SnapshotFiles {
 public:
  virtual ~SnapshotFiles() = default;

  // --- Folders
  /// Makes it and what is missing above it; their names survive a crash. One that exists is no error.
  virtual Result<void> make_folder(const std::string& folder) = 0;
  /// What lies in it. A folder that is not there has nothing in it.
  struct Names {
    std::vector<std::string> folders;            // sorted
    std::map<std::string, std::uint64_t> files;  // with their sizes, bytes
  };
  virtual Result<Names> list(const std::string& folder) = 0;
  /// With all that is in it; not there is no error. Other names of the same files are not touched.
  virtual Result<void> remove_folder(const std::string& folder) = 0;
  /// What was made, renamed and removed in it survives a crash.
  virtual Result<void> sync_folder(const std::string& folder) = 0;

  // --- Files
  /// Exactly `bytes` bytes from `offset`; a shorter file is StorageKind::corruption.
  virtual Result<std::string> read(const std::string& path, std::uint64_t offset, std::size_t bytes) = 0;
  /// At its end; made if it is not there. Not yet durable.
  virtual Result<void> append(const std::string& path, std::string_view bytes) = 0;
  /// What was appended survives a crash, once the folder is synced too.
  virtual Result<void> sync_file(const std::string& path) = 0;
  /// Replaces or makes a small file durably.
  virtual Result<void> write_durably(const std::string& folder, const std::string& name,
                                     const std::string& bytes) = 0;
  /// A second name for the same bytes. `to` must not exist.
  virtual Result<void> link(const std::string& from, const std::string& to) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// Not there is no error.
  virtual Result<void> remove(const std::string& path) = 0;
};

/// On a real or simulated disk. `env` null: the system's; else it must outlive the result. Keeps at most a
/// few files open.
std::unique_ptr<SnapshotFiles> snapshot_files(rocksdb::Env* env);

}  // namespace kiwi::storage
