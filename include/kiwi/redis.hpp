#pragma once

// Commands for Kiwi's own Redis machine, as payloads of Propose and Query.

#include <initializer_list>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "messages/bytes.hpp"
#include "messages/limits.hpp"
#include "messages/reply.hpp"

namespace kiwi {

/// One command for the Redis machine: make_command({"SET", "k", "v"}). The arguments are copied, and may hold
/// any bytes.
///
/// An error, as text, is a command that the machine does not know (those of the connection and of the node,
/// such as HELLO or INFO, belong to the Redis port), a wrong number of arguments, no argument at all, more
/// than kMaxArguments, one above kMaxBulkBytes, or more than kMaxRequestBytes in all.
///
/// Never propose to a Redis machine what did not come from here: a payload that cannot be decoded is taken
/// for damage and stops every replica that applies it.
tl::expected<Bytes, std::string> make_command(std::initializer_list<std::string_view> arguments);
tl::expected<Bytes, std::string> make_command(const std::vector<std::string_view>& arguments);

/// True: the command changes the state and must be proposed. False: it can be a Query, and should be. For
/// payloads of make_command.
bool is_write(const Bytes& command);

}  // namespace kiwi
