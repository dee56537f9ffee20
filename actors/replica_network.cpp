#include "actors/replica_network.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "actors/peer_connection.hpp"
#include "actors/peer_dialer.hpp"

namespace kiwi {

PeerFactory make_tcp_peers(caf::actor_system& system, std::shared_ptr<spdlog::logger> log,
                           std::uint64_t seed) {
  return [&system, log = std::move(log), seed](const Member& peer, const Hello& own,
                                               const ReplicaActor& replica) {
    PeerOptions options;
    options.hello = own;
    options.hello.target = peer.id;
    options.host = peer.address.host;
    options.port = peer.address.raft_port;
    options.replica = replica;
    options.dialer = spawn_dialer(system);
    options.log = log;
    options.jitter_seed = seed * 1000 + peer.id.value;
    auto dialer = options.dialer;
    auto actor = spawn_peer(system, std::move(options));
    // The peer ends with its replica, the dialer with its peer.
    actor->attach_functor([dialer] { caf::anon_send_exit(dialer, caf::exit_reason::user_shutdown); });
    // Also when the replica ends without saying so to its peers (an exception in a handler).
    replica->attach_functor([peer = actor] { caf::anon_send_exit(peer, caf::exit_reason::user_shutdown); });
    return actor;
  };
}

}  // namespace kiwi
