#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "messages/bytes.hpp"

namespace kiwi {

/// Splits an inline command (what a human types into a TCP terminal) into arguments, by Redis' rules:
/// arguments are parted by white space; "..." knows \n \r \t \b \a \xHH and takes any other escaped
/// character as itself; '...' knows \' only; a closing quote must be followed by white space or the end; a
/// zero byte ends the line. Nothing is returned for unbalanced quotes. All arguments share one new buffer.
std::optional<std::vector<Bytes>> split_inline(std::string_view line);

}  // namespace kiwi
