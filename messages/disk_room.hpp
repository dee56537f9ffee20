#pragma once

#include <cstdint>

namespace kiwi {

/// How much room a node's disk has left, measured against its reserve (option --disk-reserve). The limits
/// have a gap: what was short of room has enough again a quarter above the reserve only.
enum class DiskRoom : std::uint8_t {
  enough,
  low,   // below the reserve: this node leads only if nobody else can, and takes no commands of clients
  none,  // below half of the reserve: it takes no entries with commands from a leader either
};
const char* to_string(DiskRoom room);

}  // namespace kiwi
