#pragma once

// Starts the actors of a node in order, watches them, stops them in order. When one of them is lost, all
// stop: half a node is worse than none.
//
// A disk that was full, and a data database that is damaged, are no reason to end: with NodeStart::reopen the
// node closes everything, lets a standby (standby_actor.hpp) refuse what clients ask, and opens its data
// again, as a start of the process would, until that succeeds. Any other failure ends the node.
//
// Order of starting: log store, state machine, snapshot builder, adaptor, raft, peer server, redis server.
// Stopping goes backwards: clients get their last answers first, the log is closed last.

#include <functional>
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
  /// In the place of the Redis server, when serve_redis is false: makes what serves the clients of a replica
  /// or of a standby. It is stopped first, and ends when they have their last answers. Empty: nothing does.
  std::function<caf::actor(const ReplicaActor&)> serve_clients;
  /// Before it stops, a leader hands leadership over (bounded by two election time-outs), and tells clients
  /// where it went for a moment.
  bool hands_over = false;
  /// Opens the data again after a failure that passes (comes_back). Runs in an actor of its own; may take
  /// long. Empty: every failure ends the node.
  std::function<Result<OpenedReplica>()> reopen;
};

/// True: the data can be opened again in the same process. A full disk, whoever met it: nothing is
/// acknowledged from files that were open then, and recovery counts on nothing it has not written anew (rule
/// 4). Damaged data: it is set aside and made again (docs/snapshots.md). Not so a damaged log or vote, nor a
/// disk that fails.
bool comes_back(const caf::error& reason);

/// Ports that cannot be opened end it with caf::sec::cannot_open_port and the reason as text.
/// Ends with exit reason user_shutdown when it was asked to stop, otherwise with the error of the actor that
/// was lost. When it is down, everything it started is down and both databases are closed.
NodeActor spawn_node(caf::actor_system& system, NodeStart start);

}  // namespace kiwi
