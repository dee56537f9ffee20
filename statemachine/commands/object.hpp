#pragma once

#include "statemachine/commands/handler.hpp"

namespace kiwi {

/// OBJECT ENCODING | FREQ | IDLETIME | REFCOUNT | HELP.
/// IDLETIME counts from the last *write* of the key: a read leaves no trace in the replicated state, so no
/// node could tell the same time of it. REFCOUNT is 1: nothing is shared. FREQ gives the error of a Redis
/// without LFU.
Reply object(ReadContext& context, const RedisCommand& command);

}  // namespace kiwi
