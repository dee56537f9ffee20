#pragma once

// What a node says about itself: everything INFO, CLUSTER, CLIENT and RAFT.* are made from. Only true values:
// a figure that is not measured is not in here. Filled by the raft actor (raft_*, storage) and by the
// connection that asks (clients, process).

#include <cstdint>
#include <string>
#include <vector>

#include "messages/ids.hpp"
#include "messages/membership.hpp"
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
  auto fields() {
    return std::tie(syncs, sync_last_us, sync_max_us, sync_total_us, entries_written, bytes_written,
                    disk_bytes);
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
  Index commit;
  Index applied;
  Index durable;
  LogId last_log;
  std::uint64_t uncommitted_bytes = 0;
  std::uint64_t log_memory_bytes = 0;
  std::uint64_t pending_proposals = 0;
  std::uint64_t agreed_time_ms = 0;
  std::vector<raft::FollowerStatus> followers;  // leader only
  std::vector<NodeId> connected_peers;          // outgoing control lane is up
  raft::Counters counters;
  // storage (when asked for)
  bool with_stats = false;
  LogStoreFigures log_store;
  StateStats state;
};

}  // namespace kiwi
