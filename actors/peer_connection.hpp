#pragma once

// The sending side of the peer network: every node dials every other node and sends on the connections it
// dialed (it receives on those it accepted, see peer_server.hpp).
//
// Two connections ("lanes") per peer: control and bulk, so that a heartbeat never waits behind an append.
// Both or none: losing one closes both. What was queued or on its way is lost then, never sent later, and the
// replica hears PeerUnreachable; Raft sends again what matters.

#include <spdlog/logger.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "actors/interfaces.hpp"
#include "actors/peer_dialer.hpp"

namespace kiwi {

struct PeerOptions {
  /// Our Hello to this peer: version, cluster, node, target, instance. Lane and reason are filled in.
  Hello hello;
  std::string host;
  std::uint16_t port = 0;
  /// Judges who answers our Hello (HelloQuestion, rule 11). Hears PeerUp when both lanes are up and
  /// PeerUnreachable when something was dropped: once per loss of the link, once per filling of a queue, not
  /// per message. And PeerGone.
  ReplicaActor replica;
  DialerActor dialer;
  std::shared_ptr<spdlog::logger> log;
  /// Bytes of frames that wait or are on their way, per lane. An empty lane takes a frame of any size.
  std::uint64_t control_queue_bytes = 1ull << 20;
  std::uint64_t bulk_queue_bytes = 8ull << 20;
  /// Pause before the n-th new attempt: min * 2^n up to max, times a random factor of 0.5 to 1. Short again
  /// once the peer has called (PeerCalled).
  std::chrono::milliseconds retry_min{50};
  std::chrono::milliseconds retry_max{2000};
  /// From an open connection to the answer to our Hello.
  std::chrono::milliseconds handshake_limit{5000};
  std::uint64_t jitter_seed = 0;
};

/// A broker (IO thread) that dials at once and for ever, until it gets an exit message. It outlives neither
/// its dialer nor its replica by itself: whoever spawned it ends it. A dead one swallows messages in silence
/// (CAF does not close a broker's mailbox): do not send to it after its end.
PeerActor spawn_peer(caf::actor_system& system, PeerOptions options);

}  // namespace kiwi
