#pragma once

// A simulated node's end of RAFT.CLUSTER JOIN: the same JoinDialogue as in join_client, over simulated client
// connections to the Redis ports of other nodes.

#include <caf/all.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "actors/join_client.hpp"
#include "lab/run/backend.hpp"

namespace kiwi::lab {

/// What came back on a connection that it opened.
struct JoinAnswer {
  ConnectionId connection = 0;
  std::optional<std::string> line;  // nothing: the connection is gone
};

struct SimJoinerOptions {
  /// Sends a command to whoever serves clients at "host:port".
  std::function<ConnectionId(const std::string& address, const std::vector<std::string>& command)> ask;
  std::function<void(ConnectionId)> hang_up;
};

/// Gets JoinAnswer besides its one JoinRequest.
JoinActor spawn_sim_joiner(caf::actor_system& system, SimJoinerOptions options);

}  // namespace kiwi::lab

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::lab::JoinAnswer)
