#pragma once

// Which of the three kinds of answer a reply is (docs/errors.md).

#include <cstdint>
#include <string>

#include "messages/reply.hpp"

namespace kiwi::lab {

enum class ReplyKind : std::uint8_t {
  result,   // done, and this is what came of it; also a command's own error
  refusal,  // surely not done
  unknown,  // may have happened, or may yet
};

ReplyKind kind_of(const Reply& reply);

/// On one line, as redis-cli would say it in short: `OK`, `(integer) 3`, `(nil)`, `text`, `[a, b]`.
std::string to_text(const Reply& reply);

}  // namespace kiwi::lab
