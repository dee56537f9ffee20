#pragma once

// RAFT.NODE, RAFT.CLUSTER JOIN, RAFT.TRANSFER_LEADER and RAFT.NODES: arguments in, replies out.

#include <string>
#include <tl/expected.hpp>

#include "messages/client.hpp"
#include "messages/reply.hpp"
#include "server/admin_call.hpp"
#include "statemachine/command_table.hpp"

namespace kiwi {

struct NodeStatus;

/// The call that a command means. Requires a command whose arity fits `spec`. An error is the whole reply.
tl::expected<AdminCall, Reply> parse_admin_call(const CommandSpec& spec, const RedisCommand& command);

/// The reply to a call that was answered. `spec` is that of the command.
Reply admin_reply(const CommandSpec& spec, const AdminCall& call, const AdminAnswer& answer);

/// RAFT.NODES: a map per member. Positions and progress are known on the leader only.
Reply raft_nodes_reply(const NodeStatus& status);

}  // namespace kiwi
