#include "statemachine/commands/expiry_option.hpp"

#include <limits>

#include "statemachine/commands/text.hpp"

namespace kiwi {

std::optional<ExpiryOption> expiry_option(std::string_view word) {
  if (is_word(word, "ex"))
    return ExpiryOption{TimeUnit::seconds, false};
  if (is_word(word, "px"))
    return ExpiryOption{TimeUnit::milliseconds, false};
  if (is_word(word, "exat"))
    return ExpiryOption{TimeUnit::seconds, true};
  if (is_word(word, "pxat"))
    return ExpiryOption{TimeUnit::milliseconds, true};
  return std::nullopt;
}

ParsedDeadline parse_deadline(std::string_view amount, ExpiryOption option, std::uint64_t now_ms,
                              std::string_view command_name) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  const auto parsed = parse_integer(amount);
  if (!parsed)
    return {0, errors::not_an_integer()};
  auto ms = *parsed;
  if (ms <= 0 || (option.unit == TimeUnit::seconds && ms > kMax / 1000))
    return {0, errors::invalid_expire(command_name)};
  if (option.unit == TimeUnit::seconds)
    ms *= 1000;
  if (option.absolute)
    return {static_cast<std::uint64_t>(ms), std::nullopt};
  if (ms > kMax - static_cast<std::int64_t>(now_ms))
    return {0, errors::invalid_expire(command_name)};
  return {static_cast<std::uint64_t>(ms) + now_ms, std::nullopt};
}

}  // namespace kiwi
