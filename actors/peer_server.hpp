#pragma once

// The receiving side of the peer network: listens on the raft port, shakes hands, and hands the frames of
// welcome peers to the replica. One broker owns all accepted connections, so that "the newer connection of a
// peer and lane replaces the older" is one step: once the new one is welcome, no frame of the old one reaches
// the replica.
//
// Whatever comes in that is no proper frame costs exactly one connection and one log line. Before the
// handshake is done a connection may occupy kMaxHelloBytes and greeting_limit, and only max_greeting may be
// in it. FromPeer messages are not held back when the replica is slow: what is in flight is bounded by its
// senders, whose Raft windows limit entries and bytes per peer.

#include <spdlog/logger.h>

#include <caf/all.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "actors/interfaces.hpp"

namespace kiwi {

struct PeerServerOptions {
  std::string bind_address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the system chooses
  /// Judges each Hello (HelloQuestion) and gets what comes (FromPeer: all frames of one read).
  ReplicaActor replica;
  std::shared_ptr<spdlog::logger> log;
  /// From an accepted connection to our answer; the replica's verdict included.
  std::chrono::milliseconds greeting_limit{5000};
  /// Connections that are not (yet) welcome. One more, and the oldest of them is closed.
  std::size_t max_greeting = 64;
};

struct PeerServer {
  caf::actor actor;  // ends, and closes all its connections, by an exit message
  std::uint16_t port = 0;
};

/// Listens when it returns, or says why not.
tl::expected<PeerServer, std::string> spawn_peer_server(caf::actor_system& system, PeerServerOptions options);

}  // namespace kiwi
