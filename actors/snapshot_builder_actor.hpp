#pragma once

// Owns the snapshot builder of one replica's state machine and runs it away from apply. A machine without
// snapshots gives none: then every request is answered with StorageKind::unsupported.

#include <memory>

#include "actors/interfaces.hpp"
#include "actors/spawn_mode.hpp"
#include "messages/snapshot_meta.hpp"

namespace kiwi {

struct BuildSnapshot {
  static constexpr const char* name = "BuildSnapshot";
  std::uint8_t unused = 0;
  auto fields() { return std::tie(unused); }
};

using SnapshotBuilderActor = caf::typed_actor<
    // Builds one now; answers with what it covers when it is whole.
    caf::replies_to<BuildSnapshot>::with<SnapshotMeta>>;

SnapshotBuilderActor spawn_snapshot_builder(caf::actor_system& system, SpawnMode mode,
                                            Result<std::unique_ptr<SnapshotBuilder>> builder);

}  // namespace kiwi
