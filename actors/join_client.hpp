#pragma once

// How a fresh node gets into a cluster: it asks RAFT.NODE ADD for itself at the Redis ports it was given,
// follows MOVED to the leader, and says what came of it. The rest happens by itself: the leader dials the new
// member and invites it (actors/peer_hello.hpp, Hello::invites).

#include <spdlog/logger.h>

#include <caf/all.hpp>
#include <memory>

#include "actors/interfaces.hpp"
#include "actors/join_dialogue.hpp"

namespace kiwi {

/// Answers once; a refusal that can pass soon is tried again until kJoinLimit.
using JoinActor = caf::typed_actor<caf::replies_to<JoinRequest>::with<AdminAnswer>>;

/// A broker on the IO thread for one JoinRequest. It ends after its answer, or by an exit message.
JoinActor spawn_join_client(caf::actor_system& system, std::shared_ptr<spdlog::logger> log);

}  // namespace kiwi

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::JoinRequest)
