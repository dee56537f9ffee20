#pragma once

#include <string>

#include "messages/ids.hpp"
#include "messages/membership.hpp"

namespace kiwi {

/// StoredSnapshotMeta of the source design, plus the membership as of last_log_id (Raft 7).
struct SnapshotMeta {
  static constexpr const char* name = "SnapshotMeta";
  LogId last_log_id;
  std::string snapshot_id;
  std::uint64_t timestamp_ms = 0;  // the applied stamp, not a wall clock
  Membership membership;
  auto fields() { return std::tie(last_log_id, snapshot_id, timestamp_ms, membership); }
  friend bool operator==(const SnapshotMeta&, const SnapshotMeta&) = default;
};

}  // namespace kiwi
