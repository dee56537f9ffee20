#include "messages/stage_times.hpp"

#include <algorithm>
#include <bit>

namespace kiwi {
namespace {

/// 0 to 7 have a bucket each; above, each power of two has eight.
std::size_t bucket_of(std::uint64_t us) {
  if (us < 8)
    return us;
  const auto power = static_cast<std::size_t>(std::bit_width(us)) - 1;
  return (power - 2) * 8 + ((us >> (power - 3)) & 7);
}

std::uint64_t upper_end(std::size_t bucket) {
  if (bucket < 8)
    return bucket;
  const auto shift = bucket / 8 - 1;
  return ((8 + bucket % 8 + 1) << shift) - 1;
}

}  // namespace

const char* to_string(Stage stage) {
  static constexpr const char* kNames[kStages] = {"parse", "queue",   "core",  "log_write",
                                                  "sync",  "network", "apply", "reply"};
  return kNames[static_cast<std::size_t>(stage)];
}

void LatencyHistogram::record(std::uint64_t us) {
  counts_[std::min(bucket_of(us), kBuckets - 1)].fetch_add(1, std::memory_order_relaxed);
  auto max = max_.load(std::memory_order_relaxed);
  while (us > max && !max_.compare_exchange_weak(max, us, std::memory_order_relaxed)) {
  }
}

LatencyHistogram::Figures LatencyHistogram::figures() const {
  std::array<std::uint64_t, kBuckets> counts{};
  Figures f;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    counts[i] = counts_[i].load(std::memory_order_relaxed);
    f.count += counts[i];
  }
  f.max = max_.load(std::memory_order_relaxed);
  const auto percentile = [&](std::uint64_t per_mille) {
    const auto rank = (f.count * per_mille + 999) / 1000;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += counts[i];
      if (seen >= rank && rank > 0)
        return std::min(upper_end(i), f.max);
    }
    return f.max;
  };
  if (f.count > 0) {
    f.p50 = percentile(500);
    f.p99 = percentile(990);
    f.p999 = percentile(999);
  }
  return f;
}

}  // namespace kiwi
