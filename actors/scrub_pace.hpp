#pragma once

// How a storage actor scrubs its database between its other work: slices so small that a write behind one
// waits a few milliseconds at most, with pauses that make the rate.

#include <algorithm>
#include <caf/all.hpp>
#include <chrono>
#include <cstdint>

namespace kiwi {

/// Read the next slice; a storage actor's message to itself.
struct ScrubSlice {};

class ScrubPace {
 public:
  /// 0: no scrub.
  explicit ScrubPace(std::uint64_t bytes_per_second = 0) : rate_(bytes_per_second) {}

  bool on() const { return rate_ != 0; }
  std::uint64_t slice_bytes() const { return std::clamp<std::uint64_t>(rate_ / 20, 4096, 128 << 10); }
  /// From one slice to the next.
  std::chrono::milliseconds pause() const {
    return std::chrono::milliseconds(std::max<std::uint64_t>(1, slice_bytes() * 1000 / rate_));
  }
  /// From one round to the next: an empty database must not be looked at all the time.
  static constexpr std::chrono::seconds kBetweenRounds{10};

 private:
  std::uint64_t rate_;
};

}  // namespace kiwi

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::ScrubSlice)
