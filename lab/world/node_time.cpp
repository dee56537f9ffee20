#include "lab/world/node_time.hpp"

#include <algorithm>

namespace kiwi::lab {

Time NodeTime::world(Time local) const {
  const auto ahead = local - steady_base_;
  if (rate_ppm_ == kNormal)
    return world_base_ + ahead;
  if (ahead.count() <= 0)
    return world_base_;
  // Timers that mean "never" must not overflow.
  __extension__ using Wide = __int128;
  const auto needed = (static_cast<Wide>(ahead.count()) * kNormal + rate_ppm_ - 1) / rate_ppm_;
  const auto most = static_cast<Wide>(Time::max().count() - world_base_.count());
  return world_base_ + Time(static_cast<std::int64_t>(std::min(needed, most)));
}

std::uint64_t NodeTime::unix_ms(Time world) const {
  if (frozen_ms_)
    return *frozen_ms_;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(steady(world) + offset_).count();
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(kEpochMs) + ms);
}

void NodeTime::set_rate(Time world, std::int64_t ppm) {
  steady_base_ = steady(world);
  world_base_ = world;
  rate_ppm_ = std::max<std::int64_t>(ppm, 1);
}

}  // namespace kiwi::lab
