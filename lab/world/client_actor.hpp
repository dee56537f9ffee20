#pragma once

// A simulated node's end of a client connection: ClientConnection, as behind a socket, with the world in the
// socket's place.

#include <caf/all.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/client_connection.hpp"
#include "lab/chance.hpp"
#include "lab/run/backend.hpp"

namespace kiwi::lab {

/// From the client.
struct ClientBytes {
  std::string bytes;
};
/// The client has taken so many bytes.
struct ClientTook {
  std::uint64_t bytes = 0;
};

/// What such a connection does to the world. Called from inside the actor.
class ClientWire {
 public:
  virtual ~ClientWire() = default;
  virtual void written(ConnectionId connection, std::string_view bytes) = 0;
  /// What passes between it and the raft actor.
  virtual void submitted(ConnectionId connection, const std::vector<ClientCommand>& commands) = 0;
  virtual void answered(ConnectionId connection, const Answers& answers) = 0;
  /// The node closed it.
  virtual void ended(ConnectionId connection) = 0;
};

/// Ends in order by an exit message: the answers on their way get the drain limit. A close_atom: the client
/// has gone. `chance`: how much of what is written a socket takes at once.
caf::actor spawn_sim_client(caf::actor_system& system, ConnectionId connection, ClientWire& wire,
                            std::shared_ptr<RedisShared> shared, ChanceStream chance);

}  // namespace kiwi::lab

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::lab::ClientBytes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::lab::ClientTook)
