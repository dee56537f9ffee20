#pragma once

// How a fresh node gets into a cluster: it asks RAFT.NODE ADD for itself at the Redis ports it was given,
// follows MOVED to the leader, and says what came of it. The rest happens by itself: the leader dials the new
// member and invites it (actors/peer_hello.hpp, Hello::invites).

#include <spdlog/logger.h>

#include <caf/all.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "actors/interfaces.hpp"
#include "messages/ids.hpp"
#include "messages/membership.hpp"
#include "messages/parse_address.hpp"

namespace kiwi {

struct JoinRequest {
  static constexpr const char* name = "JoinRequest";
  std::vector<HostPort> targets;  // at least one
  Member self;
  InstanceId instance;
  ClusterId cluster;  // 0: none yet
};
/// Answers once, within kJoinLimit; a refusal that can pass soon is tried again until then.
using JoinActor = caf::typed_actor<caf::replies_to<JoinRequest>::with<AdminAnswer>>;

inline constexpr std::chrono::seconds kJoinLimit{10};

/// A broker on the IO thread for one JoinRequest. It ends after its answer, or by an exit message.
JoinActor spawn_join_client(caf::actor_system& system, std::shared_ptr<spdlog::logger> log);

}  // namespace kiwi

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::JoinRequest)
