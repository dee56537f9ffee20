#pragma once

// Opens TCP connections to other nodes, away from the IO thread, which must never wait. The laboratory puts
// another actor in this place.

#include <caf/all.hpp>
#include <memory>
#include <string>

#include "actors/inspect.hpp"
#include "actors/peer_socket.hpp"

namespace kiwi {

struct Dial {
  static constexpr const char* name = "Dial";
  std::string host;
  std::uint16_t port = 0;
  auto fields() { return std::tie(host, port); }
};

/// A connected, tuned socket. The first to release() it owns it; if nobody does, it is closed with the
/// message.
struct DialedSocket {
  static constexpr const char* name = "DialedSocket";
  std::shared_ptr<OwnedSocket> socket;
};

/// Failure is a caf::error with the reason, see dial_problem(). Every Dial is answered within kDialSeconds
/// plus the time the resolver takes.
using DialerActor = caf::typed_actor<caf::replies_to<Dial>::with<DialedSocket>>;

inline constexpr int kDialSeconds = 3;

struct DialProblem {
  std::string why;
  /// Each address of the host answered that nobody listens on the port: no process does, and the machine is
  /// there.
  bool refused = false;
};
DialProblem dial_problem(const caf::error& failure);

/// An actor with its own thread. It dials one after the other: give each peer its own, or one dead host
/// delays the others.
DialerActor spawn_dialer(caf::actor_system& system);

}  // namespace kiwi

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::DialedSocket)
