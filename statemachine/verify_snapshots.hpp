#pragma once

// What lies in DIR/snapshots of a node that is stopped, checked against manifests and ids. Writes nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/snapshot_meta.hpp"
#include "storage/verify_files.hpp"

namespace kiwi {

/// One folder of DIR/snapshots.
struct SnapshotFolder {
  enum class Kind : std::uint8_t {
    built = 1,  // whole, made here
    incoming,   // on its way in
    leftover,   // of something that a crash interrupted; the next start removes it
  };
  Kind kind = Kind::leftover;
  std::string path;
  std::string id;           // empty for leftovers
  std::uint64_t bytes = 0;  // that are there
  std::uint64_t of = 0;     // that there will be; 0: not known
};

struct SnapshotsReport {
  storage::Findings findings;
  std::vector<SnapshotFolder> folders;
  /// DIR/snapshots/INSTALL: which snapshot becomes the data at the next start.
  std::optional<SnapshotMeta> pending;
  bool stopped = false;  // `piece` said so
};

/// A built snapshot's id names its content, so all of its files are read. Of an incoming one the files that
/// are complete are read and compared with its manifest; parts are only counted. `dir` is DIR.
SnapshotsReport verify_snapshots(rocksdb::Env* env, const std::string& dir,
                                 const storage::VerifyPiece& piece);

}  // namespace kiwi
