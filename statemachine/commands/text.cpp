#include "statemachine/commands/text.hpp"

#include <algorithm>
#include <charconv>

#include "statemachine/command_table.hpp"

namespace kiwi {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}

bool is_word(std::string_view argument, std::string_view word) {
  return std::equal(argument.begin(), argument.end(), word.begin(), word.end(),
                    [](char a, char b) { return to_lower(a) == b; });
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || (digits[0] == '0' && text.size() > 1))
    return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

namespace errors {

Reply wrong_type() {
  return Reply::error("WRONGTYPE Operation against a key holding the wrong kind of value");
}
Reply not_an_integer() { return Reply::error("ERR value is not an integer or out of range"); }
Reply syntax() { return Reply::error("ERR syntax error"); }
Reply string_too_long() {
  return Reply::error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
}
Reply no_such_key() { return Reply::error("ERR no such key"); }
Reply invalid_expire(std::string_view command_name) {
  return Reply::error("ERR invalid expire time in '" + lower(command_name) + "' command");
}
Reply wrong_arity(std::string_view command_name) {
  return Reply::error("ERR wrong number of arguments for '" + lower(command_name) + "' command");
}

Reply unknown_command(const RedisCommand& command) { return Reply::error(unknown_command_error(command)); }

}  // namespace errors
}  // namespace kiwi
