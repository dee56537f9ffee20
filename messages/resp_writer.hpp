#pragma once

#include <string>

#include "messages/reply.hpp"

namespace kiwi {

enum class RespVersion : std::uint8_t { resp2 = 2, resp3 = 3 };

/// Appends the reply's bytes to `out`. Line breaks inside simple strings and errors become spaces.
void write_reply(const Reply& reply, RespVersion version, std::string& out);

}  // namespace kiwi
