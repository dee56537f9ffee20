#pragma once

// Free bytes of a disk against its reserve, with a gap between "too little" and "enough again", so that a
// disk at the limit does not change its mind with every table that RocksDB writes or removes.

#include <cstdint>

#include "messages/disk_room.hpp"

namespace kiwi {

class RoomWatch {
 public:
  /// 0: there is always enough.
  explicit RoomWatch(std::uint64_t reserve_bytes = 0) : reserve_(reserve_bytes) {}

  DiskRoom look(std::uint64_t free_bytes) {
    const auto above = [&](std::uint64_t limit, bool was_below) {
      return free_bytes >= (was_below ? limit + limit / 4 : limit);
    };
    if (!above(reserve_ / 2, room_ == DiskRoom::none))
      room_ = DiskRoom::none;
    else
      room_ = above(reserve_, room_ != DiskRoom::enough) ? DiskRoom::enough : DiskRoom::low;
    return room_;
  }
  DiskRoom room() const { return room_; }
  std::uint64_t reserve() const { return reserve_; }

 private:
  std::uint64_t reserve_;
  DiskRoom room_ = DiskRoom::enough;
};

}  // namespace kiwi
