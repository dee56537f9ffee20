#pragma once

// The two clocks of one machine, as functions of world time. They survive the process. The steady one drives
// timers and follows the rate; it never jumps. The wall clock is what the replica stamps entries with: steady
// time plus an offset, and it may jump or stand still.

#include <cstdint>
#include <optional>

#include "lab/time.hpp"

namespace kiwi::lab {

class NodeTime {
 public:
  /// Steady time, since the start of the world.
  Time steady(Time world) const {
    return rate_ppm_ == kNormal ? steady_base_ + (world - world_base_)
                                : steady_base_ + Time((world - world_base_).count() * rate_ppm_ / kNormal);
  }
  std::uint64_t steady_us(Time world) const {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(steady(world)).count());
  }
  /// The first moment of the world at which steady() is at least `local`.
  Time world(Time local) const;
  std::uint64_t unix_ms(Time world) const;

  /// 1,000,000 is the world's rate. At least 1.
  void set_rate(Time world, std::int64_t ppm);
  /// Wall clock ahead of the machine's steady time by this much.
  void set_offset(Time offset) { offset_ = offset; }
  Time offset() const { return offset_; }
  void jump(Time by) { offset_ += by; }
  /// The wall clock stands still; afterwards it is right again.
  void freeze(Time world) { frozen_ms_ = unix_ms(world); }
  void thaw() { frozen_ms_.reset(); }
  bool frozen() const { return frozen_ms_.has_value(); }
  std::int64_t rate_ppm() const { return rate_ppm_; }

  static constexpr std::int64_t kNormal = 1'000'000;
  /// 2026-01-01T00:00:00Z, when every run begins.
  static constexpr std::uint64_t kEpochMs = 1'767'225'600'000;

 private:
  std::int64_t rate_ppm_ = kNormal;
  Time world_base_{0};
  Time steady_base_{0};
  Time offset_{0};
  std::optional<std::uint64_t> frozen_ms_;
};

}  // namespace kiwi::lab
