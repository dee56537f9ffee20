#pragma once

// The marker file that makes a directory a log store, and what a directory is without it.
//
//   DIR/log/KIWI-LOG, text:     kiwi log store
//                               format 2
//                               instance 0123456789abcdef
//                               checksum 0123456789abcdef     (checksum64 of the lines above)
//
// create() first writes KIWI-CREATING, then makes the database, then writes KIWI-LOG, then removes
// KIWI-CREATING, each step durable before the next. So a directory with KIWI-CREATING and without KIWI-LOG is
// a half-made store that never promised anything: the next create() clears it.

#include <rocksdb/env.h>

#include <cstdint>
#include <string>

#include "messages/ids.hpp"
#include "messages/storage_error.hpp"

namespace kiwi::storage {

inline constexpr const char* kMarkerFile = "KIWI-LOG";
inline constexpr const char* kCreatingFile = "KIWI-CREATING";
inline constexpr const char* kLockFile = "KIWI-LOCK";

/// What a marker file says.
struct LogMarker {
  std::uint32_t format = 0;  // one that this program reads and writes (log_format.hpp)
  InstanceId instance;
};

enum class DirKind {
  absent,     // nothing there, or an empty directory
  half_made,  // create() did not finish: holds nothing anybody relied on
  made,       // has the marker
  foreign,    // files, but not ours (or the marker is lost)
  not_a_directory,
};
/// Reads names only.
Result<DirKind> kind_of_dir(rocksdb::Env& env, const std::string& dir);
/// Refuses whatever is not a complete store.
Result<void> require_made(const std::string& dir, const Result<DirKind>& kind);

/// Makes the directory and its KIWI-CREATING file; clears a half-made store first.
/// Requires absent or half_made.
Result<void> begin_creation(rocksdb::Env& env, const std::string& dir);
/// From the moment this returns (or a crash after its rename) the directory is a store.
Result<void> finish_creation(rocksdb::Env& env, const std::string& dir, const LogMarker& marker);

/// An unknown format is StorageKind::mismatch, spoilt bytes corruption.
Result<LogMarker> read_marker(rocksdb::Env& env, const std::string& dir);

}  // namespace kiwi::storage
