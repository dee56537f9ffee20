#pragma once

// What a node says about itself: everything INFO, CLUSTER, CLIENT and RAFT.* are made from. Only true values:
// a figure that is not measured is not in here. Filled by the raft actor (raft_*, storage) and by the
// connection that asks (clients, process).

#include <cstdint>
#include <string>
#include <vector>

#include "messages/ids.hpp"
#include "messages/membership.hpp"
#include "messages/snapshot_meta.hpp"
#include "messages/stage_times.hpp"
#include "raft/core.hpp"
#include "statemachine/state_machine.hpp"

namespace kiwi {

/// Times in microseconds.
struct LogStoreFigures {
  static constexpr const char* name = "LogStoreFigures";
  std::uint64_t syncs = 0;
  std::uint64_t sync_last_us = 0;
  std::uint64_t sync_max_us = 0;
  std::uint64_t sync_total_us = 0;
  std::uint64_t entries_written = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t disk_bytes = 0;
  ScrubFigures scrub;
  auto fields() {
    return std::tie(syncs, sync_last_us, sync_max_us, sync_total_us, entries_written, bytes_written,
                    disk_bytes, scrub);
  }
};

/// The receiver's progress, told to the raft actor when it changed, at most once in a while.
struct SnapshotProgress {
  static constexpr const char* name = "SnapshotProgress";
  std::string snapshot_id;
  std::uint64_t received = 0;
  std::uint64_t bytes = 0;  // in all
  auto fields() { return std::tie(snapshot_id, received, bytes); }
};
/// For INFO and RAFT.SNAPSHOT LIST. Counts since start.
struct SnapshotFigures {
  static constexpr const char* name = "SnapshotFigures";
  std::vector<SnapshotManifest> built;  // there now
  std::uint64_t builds = 0;
  std::uint64_t build_failures = 0;
  std::uint64_t last_build_ms = 0;  // how long it took
  std::uint64_t sent_bytes = 0;     // as they travelled
  std::uint64_t sent_parts = 0;
  std::uint64_t received_bytes = 0;  // as they travelled
  std::uint64_t reused_bytes = 0;    // found here already
  std::uint64_t received_snapshots = 0;
  SnapshotProgress receiving;  // empty id: none
  auto fields() {
    return std::tie(built, builds, build_failures, last_build_ms, sent_bytes, sent_parts, received_bytes,
                    reused_bytes, received_snapshots, receiving);
  }
};
struct NodeStatus {
  // identity
  NodeId id;
  ClusterId cluster;
  InstanceId instance;
  NodeAddress address;
  // raft
  raft::Role role = raft::Role::follower;
  Term term;
  NodeId leader;  // 0: not known
  bool leader_ready = false;
  bool has_cluster = false;
  bool caught_up = false;
  Membership membership;
  raft::ChangeStatus change;
  bool removed = false;   // this node was removed from its cluster
  Member leader_outside;  // the leader, when it is not in `membership`; id 0: none, or not known
  Index commit;
  Index applied;
  Index durable;
  LogId last_log;
  std::uint64_t uncommitted_bytes = 0;
  std::uint64_t log_memory_bytes = 0;
  LogId log_purged;
  std::uint64_t log_bytes = 0;  // weight of the log's entries, about
  bool needs_snapshot = false;
  std::uint64_t pending_proposals = 0;
  std::uint64_t agreed_time_ms = 0;
  DiskRoom disk_room = DiskRoom::enough;
  std::uint64_t disk_free_bytes = 0;     // 0: not asked, without a reserve
  std::uint64_t disk_reserve_bytes = 0;  // 0: none
  bool takes_writes = false;             // leader, and disks have room
  /// Not empty: the data is closed because of this, and is opened again as soon as that can be.
  std::string out_of_service;
  std::uint64_t reopen_attempts = 0;            // since it is out of service
  std::uint64_t reopened = 0;                   // since the process started
  std::uint64_t data_damaged = 0;               // of those, for damaged data
  std::vector<raft::FollowerStatus> followers;  // leader only
  std::vector<NodeId> connected_peers;          // outgoing control lane is up
  raft::Counters counters;
  // storage (when asked for)
  bool with_stats = false;
  LogStoreFigures log_store;
  StateStats state;
  SnapshotFigures snapshots;
  std::shared_ptr<const StageTimes> stages;  // null: nothing is measured
};

}  // namespace kiwi
