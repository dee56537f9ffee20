#pragma once

// A simulated node's ends of its links: what peer_connection and peer_server do over TCP in a real node, here
// over Net. Same handshake (HelloQuestion before anything else), same frames, same reports to the replica; a
// frame that is no proper frame costs the connection.

#include <spdlog/logger.h>

#include <caf/all.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "actors/interfaces.hpp"
#include "lab/chance.hpp"
#include "lab/world/net.hpp"

namespace kiwi::lab {

struct NetOpened {
  std::uint64_t connection = 0;
  NodeId from;
};
struct NetBytes {
  std::uint64_t connection = 0;
  std::uint8_t lane = 0;
  std::string bytes;
};
struct NetClosed {
  std::uint64_t connection = 0;
  std::string why;
};

struct SimPeerOptions {
  Net* net = nullptr;  // outlives the actor
  NodeId own;
  NodeId peer;
  NodeId machine;  // that has the peer's address; 0: none
  Hello hello;     // target filled in
  ReplicaActor replica;
  std::shared_ptr<spdlog::logger> log;
  ChanceStream jitter;
  /// Until the answer to our Hello.
  std::chrono::milliseconds handshake_limit{5000};
};

/// The dialing side: gets NetBytes and NetClosed of its connections besides ToPeer.
PeerActor spawn_sim_peer(caf::actor_system& system, SimPeerOptions options);
/// The accepting side: gets NetOpened, NetBytes and NetClosed.
caf::actor spawn_sim_acceptor(caf::actor_system& system, Net& net, ReplicaActor replica,
                              std::shared_ptr<spdlog::logger> log);

}  // namespace kiwi::lab

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::lab::NetOpened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::lab::NetBytes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::lab::NetClosed)
