#pragma once

// Incremental parser for what clients send: RESP arrays of bulk strings, and inline commands. Bounded: it
// never holds more than what one command may weigh, and allocates for bytes that came, not for lengths claimed.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/client.hpp"
#include "messages/limits.hpp"

namespace kiwi {

struct RespLimits {
  std::uint64_t max_bulk_bytes = kMaxBulkBytes;
  std::uint64_t max_request_bytes = kMaxRequestBytes;
  std::uint64_t max_arguments = kMaxArguments;
  std::uint64_t max_inline_bytes = kMaxInlineBytes;
};

/// Feed bytes, take commands. After an error the parser is dead: the connection writes the error and closes,
/// as Redis does. Error texts are Redis' own ("Protocol error: invalid multibulk length", ...), without "-ERR ".
class RespParser {
 public:
  explicit RespParser(RespLimits limits = {});

  /// Copies the bytes in. Cheap to call with any piece size.
  void feed(std::string_view bytes);
  /// The next complete command, or nothing (more bytes needed, or error() is set). Empty inline lines and
  /// empty arrays ("*0") are skipped, as Redis does. The arguments are windows into a shared buffer.
  std::optional<RedisCommand> next();
  const std::optional<std::string>& error() const { return error_; }
  /// Bytes held that are not yet part of a taken command.
  std::size_t buffered_bytes() const;

 private:
  // To be filled in by the implementation (resp_parser.cpp owns the layout).
  struct State;
  RespLimits limits_;
  std::optional<std::string> error_;
};

}  // namespace kiwi
