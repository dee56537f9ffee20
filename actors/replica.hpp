#pragma once

// The five actors of a replica, put together. Nothing assumes that there is only one replica in a process.

#include "actors/interfaces.hpp"
#include "actors/replica_options.hpp"
#include "actors/replica_storage.hpp"
#include "actors/snapshot_builder_actor.hpp"
#include "actors/spawn_mode.hpp"

namespace kiwi {

struct Replica {
  LogStoreActor log_store;
  StateMachineActor state_machine;
  SnapshotBuilderActor snapshot_builder;
  StorageActor adaptor;
  ReplicaActor raft;

  /// What calls comes after what is called: the order of starting; stopping goes backwards.
  std::vector<caf::actor> in_start_order() const;
};

/// Starts the actors around what open_replica opened. `options.cluster`, `instance`, `id` and `address` are
/// taken from the opened identity. `epoch` names this life of the storage actors and must differ between
/// lives.
Replica spawn_replica(caf::actor_system& system, OpenedReplica opened, ReplicaOptions options, SpawnMode mode,
                      std::uint64_t epoch);

}  // namespace kiwi
