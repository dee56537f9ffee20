#pragma once

// What a node's clients talk to while its data is closed (full disk, damaged data) and waits to be opened
// again: a replica that refuses everything at once, surely without effect, and says why in INFO. No peer
// speaks to it.

#include <memory>
#include <string>

#include "actors/interfaces.hpp"
#include "actors/spawn_mode.hpp"
#include "storage/log_store.hpp"

namespace kiwi {

struct StandbyFacts {
  storage::Identity identity;
  std::string reason;  // why the data is closed
};

/// Said by the node after each attempt to open the data that failed.
struct StillClosed {
  static constexpr const char* name = "StillClosed";
  std::uint64_t attempts = 0;
  std::string reason;
  auto fields() { return std::tie(attempts, reason); }
};
using StandbyActor = ReplicaActor::extend<caf::reacts_to<StillClosed>>;

StandbyActor spawn_standby(caf::actor_system& system, CorePlace place, StandbyFacts facts);

}  // namespace kiwi
