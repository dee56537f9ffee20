#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "messages/reply.hpp"

namespace kiwi {

enum class TimeUnit : std::uint8_t { seconds, milliseconds };

/// A time that came with a command: EX 10, PXAT 1700000000000, ...
struct ExpiryOption {
  TimeUnit unit = TimeUnit::seconds;
  bool absolute = false;  // Unix time, else counted from the entry's stamp (rule 8)
  friend bool operator==(const ExpiryOption&, const ExpiryOption&) = default;
};

/// Which option this word is, of EX, PX, EXAT, PXAT.
std::optional<ExpiryOption> expiry_option(std::string_view word);

struct ParsedDeadline {
  std::uint64_t deadline_ms = 0;
  std::optional<Reply> error;
};
/// The deadline of SET, SETEX, GETEX and the like: positive and in range, or Redis' error for `command_name`.
ParsedDeadline parse_deadline(std::string_view amount, ExpiryOption option, std::uint64_t now_ms,
                              std::string_view command_name);

}  // namespace kiwi
