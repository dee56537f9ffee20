#pragma once

// Numbers, option words and error texts as Redis reads and writes them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/client.hpp"
#include "messages/reply.hpp"

namespace kiwi {

/// ASCII only: no locale.
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
std::string lower(std::string_view text);
/// Does the argument read as this option word (given in lower case)?
bool is_word(std::string_view argument, std::string_view word);

/// A signed 64-bit integer in its one canonical form: no '+', no leading zeros or spaces, no "-0".
std::optional<std::int64_t> parse_integer(std::string_view text);

namespace errors {
Reply wrong_type();
Reply not_an_integer();  // "ERR value is not an integer or out of range"
Reply syntax();
Reply string_too_long();
Reply no_such_key();
Reply invalid_expire(std::string_view command_name);
Reply wrong_arity(std::string_view command_name);
Reply unknown_command(const RedisCommand& command);
}  // namespace errors

}  // namespace kiwi
