#pragma once

// A frame as fields for `when msg append n1->n3 (index = 41)` and for the report's message diagram.

#include <map>
#include <string>
#include <string_view>

namespace kiwi::lab {

/// Decodes the frame; what is no frame gives nothing. "term", "index" (of an append: of its last entry, else
/// of `previous`), "entries", "commit", "granted", "success", "match", ... in decimal.
std::map<std::string, std::string> message_fields(std::string_view frame);

}  // namespace kiwi::lab
