#include "messages/disk_room.hpp"

namespace kiwi {

const char* to_string(DiskRoom room) {
  switch (room) {
    case DiskRoom::enough:
      return "enough";
    case DiskRoom::low:
      return "low";
    case DiskRoom::none:
      return "none";
  }
  return "?";
}

}  // namespace kiwi
