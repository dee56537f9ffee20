#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actors/interfaces.hpp"
#include "actors/join_client.hpp"
#include "actors/spawn_mode.hpp"
#include "messages/ids.hpp"
#include "messages/membership.hpp"
#include "messages/stage_times.hpp"
#include "raft/core.hpp"

namespace spdlog {
class logger;
}

namespace kiwi {

/// Makes the actor that speaks to one peer. `own` is the Hello to introduce this node with (lane left open).
using PeerFactory =
    std::function<PeerActor(const Member& peer, const Hello& own, const ReplicaActor& replica)>;

struct ReplicaOptions {
  NodeId id;
  ClusterId cluster;  // 0: none yet
  InstanceId instance;
  NodeAddress address;
  std::string cluster_token;
  raft::Options raft;
  /// Real length of one tick of the core, milliseconds. With raft.election_ticks_* 10..20 and 50 ms an
  /// election time-out is 0.5 to 1 s; heartbeats go every 100 ms.
  std::uint32_t tick_ms = 50;
  /// Where raft and adaptor run.
  CorePlace place = CorePlace::scheduler;
  /// What the state machine can do at once is done where the raft actor runs (prompt_machine_actor.hpp).
  bool prompt_machine = true;
  /// Short writes of the log are made durable where the raft actor runs (prompt_log_actor.hpp), which then
  /// waits for the disk: not where other work shares its thread.
  bool prompt_log = false;
  /// A client that waits longer than this is told that the outcome is unknown.
  std::uint32_t request_timeout_ms = 5000;
  /// Most bytes of snapshots sent in a second, to all peers together; 0: no limit.
  std::uint64_t snapshot_bytes_per_second = 0;
  /// With less room than this on its disk a node takes no writes and leads only if nobody else can; 0: off.
  std::uint64_t disk_reserve_bytes = 0;
  /// Of each of the two databases, so much is read again and compared with its checksums in a second; 0: off.
  std::uint64_t scrub_bytes_per_second = 0;
  /// Since the process started: how often the data was opened again, and how often because it was damaged.
  std::uint64_t reopened = 0;
  std::uint64_t data_damaged = 0;
  /// The machine's clock, Unix milliseconds: the door for time (safety rule 8).
  std::function<std::uint64_t()> unix_clock_ms;
  /// Needed with raft.lease: microseconds of a clock that nobody sets, and that goes on while the process or
  /// the machine sleeps. Its rate must be right within the bound of docs/reads.md.
  std::function<std::uint64_t()> steady_clock_us;
  PeerFactory make_peer;
  /// Makes the actor that asks a cluster to take this node. Empty: RAFT.CLUSTER JOIN is refused.
  std::function<JoinActor()> make_joiner;
  /// Null: nothing is measured.
  std::shared_ptr<StageTimes> stages;
  std::shared_ptr<spdlog::logger> log;
};

}  // namespace kiwi
