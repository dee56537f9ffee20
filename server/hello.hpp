#pragma once

#include "messages/reply.hpp"
#include "messages/resp_writer.hpp"

namespace kiwi {

struct ClientInfo;
struct NodeStatus;
struct RedisCommand;

/// Reads HELLO [2|3 [AUTH user password] [SETNAME name]] and changes `client` accordingly, or not at all.
/// The error, or nil when the greeting may be answered with hello_reply.
Reply read_hello(const RedisCommand& command, ClientInfo& client);

Reply hello_reply(const ClientInfo& client, RespVersion version, const NodeStatus& status);

/// The answer to a password when none can be set: Redis' own for its unprotected default user.
Reply authenticate(const RedisCommand& command);

}  // namespace kiwi
