#pragma once

#include "statemachine/commands/handler.hpp"

namespace kiwi {

/// LCS: the longest common subsequence of two strings. Work and memory grow with the product of the lengths:
/// a table above kMaxBulkBytes is refused, with the error that Redis gives for its own limit.
Reply lcs(ReadContext& context, const RedisCommand& command);

}  // namespace kiwi
