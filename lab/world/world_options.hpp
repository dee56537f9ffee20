#pragma once

// What a simulated world is made of. Every value has a default that suits a cluster in one data centre.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "lab/time.hpp"
#include "raft/log_sizes.hpp"

namespace kiwi::lab {

/// How frames between nodes travel.
enum class Transport : std::uint8_t {
  stream,  // like TCP: in order; a frame that is lost or spoilt costs the connection
  lossy,   // each frame alone: lost, doubled and overtaken ones go unnoticed by the transport
};

/// Which actor runs next.
enum class Strategy : std::uint8_t {
  random,  // each (actor, its n-th run) draws a priority; the highest runnable one goes first
  fifo,    // in the order in which they became runnable: no noise
  pct,     // fixed random priorities per actor, lowered at `pct_changes` moments (Burckhardt, ASPLOS 2010)
};

/// What a power failure leaves of what was never synced.
enum class DiskProfile : std::uint8_t {
  exact,    // everything
  ordered,  // a prefix of each file's writes; sizes never run ahead of data
  hostile,  // any part of the un-synced writes, torn at sectors, any order across files
};

/// A duration drawn anew each time, evenly from [min, max].
struct Spread {
  Time min{0};
  Time max{0};
  friend bool operator==(const Spread&, const Spread&) = default;
};

class Observer;

struct WorldOptions {
  std::uint64_t seed = 1;
  /// Voters 1..nodes, started at time 0.
  std::uint64_t nodes = 3;

  // --- the nodes' own options
  std::chrono::milliseconds tick{50};
  std::uint32_t election_ticks_min = 10;
  std::uint32_t election_ticks_max = 20;
  std::uint32_t heartbeat_ticks = 2;
  std::chrono::milliseconds request_timeout{5000};
  /// Machines beyond `nodes` whose node is fresh: empty disk, no cluster (docs/membership.md).
  std::uint64_t spares = 0;
  std::string cluster_token = "lab";
  /// Bytes of entries a leader keeps in memory for lagging followers (raft::Options::max_cached_bytes).
  std::uint64_t max_cached_bytes = 32u << 20;
  /// How much of the log stays (raft/log_sizes.hpp).
  raft::CompactionLimits compaction;
  /// Bytes of snapshots that a node sends in a second; 0: no limit.
  std::uint64_t snapshot_bytes_per_second = 0;
  /// raft::Options::lease, measured with each node's own steady clock.
  bool lease = false;
  /// ReplicaOptions::disk_reserve_bytes. 0: the disks' room is not looked at.
  std::uint64_t disk_reserve_bytes = 0;
  /// ReplicaOptions::scrub_bytes_per_second.
  std::uint64_t scrub_bytes_per_second = 0;

  // --- costs and delays
  Transport transport = Transport::stream;
  double loss = 0;       // share of frames lost; lossy only
  double duplicate = 0;  // share of frames doubled
  Spread link{std::chrono::microseconds(200), std::chrono::microseconds(600)};
  Spread client_link{std::chrono::microseconds(50), std::chrono::microseconds(150)};
  /// One message in an actor. Nodes run beside each other, the actors of a node one after the other.
  Spread message{std::chrono::microseconds(1), std::chrono::microseconds(5)};
  /// From the first write of a batch to its sync.
  Spread log_disk{std::chrono::microseconds(200), std::chrono::microseconds(1500)};
  /// Before a batch of entries is applied, or of reads is served.
  Spread data_disk{std::chrono::microseconds(10), std::chrono::microseconds(60)};
  /// Packets of a paused node beyond this many are lost (lossy), or stop the sender (stream).
  std::uint32_t paused_packets = 4096;

  // --- chance
  Strategy strategy = Strategy::random;
  std::uint32_t pct_changes = 3;
  /// Outside of this window delays are the minimum of their spread and scheduling is fifo.
  Time noise_from{0};
  Time noise_to = Time::max();
  DiskProfile disk = DiskProfile::ordered;

  /// Sees the insides of the nodes; null: nobody does. Changes nothing in the run.
  std::shared_ptr<Observer> observer;
};

}  // namespace kiwi::lab
