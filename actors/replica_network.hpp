#pragma once

// How a replica reaches the others: what a node process and an embedding application share.

#include <cstdint>
#include <memory>

#include "actors/replica_options.hpp"

namespace kiwi {

/// Peers over TCP: for each one an actor on CAF's IO thread and a dialer with a thread of its own, which end
/// with the replica. Needs a system with a middleman (caf::io::middleman), which must outlive the factory.
/// `seed` draws the jitter of reconnecting.
PeerFactory make_tcp_peers(caf::actor_system& system, std::shared_ptr<spdlog::logger> log,
                           std::uint64_t seed);

}  // namespace kiwi
