#pragma once

// Owns the snapshot builder of one replica's state machine and runs it away from apply. A machine without
// snapshots gives none: then every request is answered with StorageKind::unsupported.

#include <memory>

#include "actors/interfaces.hpp"
#include "actors/spawn_mode.hpp"

namespace kiwi {

SnapshotBuilderActor spawn_snapshot_builder(caf::actor_system& system, SpawnMode mode,
                                            Result<std::unique_ptr<SnapshotBuilder>> builder);

}  // namespace kiwi
