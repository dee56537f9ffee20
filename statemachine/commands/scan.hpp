#pragma once

#include <string_view>

#include "statemachine/commands/handler.hpp"

namespace kiwi {

/// SCAN walks over the keys in the order of their hash. The cursor is the upper kCursorBits bits of the next
/// hash, so it means the same on every node and stays good for ever; keys that agree in those bits come in
/// one step. A key that exists during the whole iteration is returned exactly once. 0 begins and ends.
Reply scan(ReadContext& context, const RedisCommand& command);

/// "string", "list", ... as TYPE tells it.
std::string_view type_name(ValueType type);

}  // namespace kiwi
