#pragma once

// A frame as fields for `when msg append n1->n3 (index = 41)` and for the report's message diagram.

#include <map>
#include <string>
#include <string_view>

#include "lab/world/observer.hpp"

namespace kiwi::lab {

/// Decodes the frame; what is no frame gives nothing. "term", "index" (of an append: of its last entry, else
/// of `previous`), "entries", "commit", "granted", "success", "match", ... in decimal.
std::map<std::string, std::string> message_fields(std::string_view frame);

/// Tells of a frame that leaves, if it is of a kind that the observer wants (observer.hpp: leaving).
void show_message(Observer& observer, std::string_view kind, NodeId from, NodeId to, std::string_view frame);

}  // namespace kiwi::lab
