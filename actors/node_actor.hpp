#pragma once

// Starts the actors of a node in order, watches them, stops them in order. When one of them is lost, all
// stop: half a node is worse than none.
//
// Order of starting: log store, state machine, snapshot builder, adaptor, raft, peer server, redis server.
// Stopping goes backwards: clients get their last answers first, the log is closed last.

#include <memory>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/redis_server.hpp"
#include "actors/replica.hpp"

namespace kiwi {

using NodeActor = caf::typed_actor<
    // The replica inside; an error when it stops already, as after a start that failed.
    caf::replies_to<caf::get_atom>::with<ReplicaActor>>;

struct NodeStart {
  OpenedReplica opened;
  ReplicaOptions replica;  // without make_peer the node reaches its peers over TCP
  SpawnMode mode = SpawnMode::own_thread;
  std::uint64_t epoch = 1;
  std::uint64_t seed = 1;  // jitter of reconnecting
  std::string bind_address;
  /// Embedded replicas may do without: a cluster of one has no peers, and its application speaks to it in
  /// messages.
  bool serve_peers = true;
  bool serve_redis = true;
  RedisOptions redis;
  /// Before it stops, a leader hands leadership over (bounded by two election time-outs), and tells clients
  /// where it went for a moment.
  bool hands_over = false;
};

/// Ports that cannot be opened end it with caf::sec::cannot_open_port and the reason as text.
/// Ends with exit reason user_shutdown when it was asked to stop, otherwise with the error of the actor that
/// was lost. When it is down, everything it started is down and both databases are closed.
NodeActor spawn_node(caf::actor_system& system, NodeStart start);

}  // namespace kiwi
