#pragma once

// Byte strings and replies as JSON values (docs/history.md): inside of json_lines.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "messages/reply.hpp"

namespace kiwi::lab::history {

using Json = nlohmann::ordered_json;

/// Nesting of arrays in a reply.
inline constexpr int kMaxReplyDepth = 16;

/// A JSON string where the bytes are UTF-8, otherwise {"hex": "..."}.
Json bytes_to_json(std::string_view bytes);
tl::expected<std::string, std::string> bytes_from_json(const Json& json);

/// {"bulk": "v"}, {"integer": 5}, {"nil": true}, {"array": [...]}, ...
Json reply_to_json(const Reply& reply);
tl::expected<Reply, std::string> reply_from_json(const Json& json);

}  // namespace kiwi::lab::history
