#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/ids.hpp"
#include "messages/membership.hpp"

namespace kiwi {

/// StoredSnapshotMeta of the source design, plus the membership as of last_log_id (Raft 7).
struct SnapshotMeta {
  static constexpr const char* name = "SnapshotMeta";
  LogId last_log_id;
  std::string snapshot_id;         // unique for its content; a file name: letters, digits, '-'
  std::uint64_t timestamp_ms = 0;  // the applied stamp, not a wall clock
  Membership membership;
  LogId membership_id;  // of the entry that brought `membership`; 0/0 and no members: the initial one
  auto fields() { return std::tie(last_log_id, snapshot_id, timestamp_ms, membership, membership_id); }
  friend bool operator==(const SnapshotMeta&, const SnapshotMeta&) = default;
};

/// One file of a snapshot. Content is named by size and XXH3-128.
struct SnapshotFile {
  static constexpr const char* name = "SnapshotFile";
  std::string file;  // its name within the snapshot's folder; no directories
  std::uint64_t bytes = 0;
  std::uint64_t checksum_low = 0;
  std::uint64_t checksum_high = 0;
  auto fields() { return std::tie(file, bytes, checksum_low, checksum_high); }
  friend bool operator==(const SnapshotFile&, const SnapshotFile&) = default;
};

struct SnapshotManifest {
  static constexpr const char* name = "SnapshotManifest";
  SnapshotMeta meta;
  std::uint32_t format = 0;  // of the data database's rows
  std::vector<SnapshotFile> files;
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& f : files) sum += f.bytes;
    return sum;
  }
  auto fields() { return std::tie(meta, format, files); }
  friend bool operator==(const SnapshotManifest&, const SnapshotManifest&) = default;
};

}  // namespace kiwi
