#pragma once

#include "messages/client.hpp"
#include "messages/reply.hpp"
#include "statemachine/command_table.hpp"

namespace kiwi {

/// COMMAND and its subcommands. `spec` is what the table finds for `command`; the arity fits.
Reply command_reply(const CommandSpec& spec, const RedisCommand& command);

}  // namespace kiwi
