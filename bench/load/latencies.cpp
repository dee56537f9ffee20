#include "bench/load/latencies.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace kiwi::bench {

void Latencies::add(std::uint64_t microseconds) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  values_.push_back(static_cast<std::uint32_t>(std::min(microseconds, kMost)));
}

/// The least value that `share` of all do not exceed. Requires sorted values.
std::uint32_t Latencies::at(double share) {
  const auto place = static_cast<std::size_t>(share * static_cast<double>(values_.size()));
  return values_[std::min(place, values_.size() - 1)];
}

nlohmann::json Latencies::summary() {
  if (values_.empty())
    return nullptr;
  std::sort(values_.begin(), values_.end());
  const auto sum = std::accumulate(values_.begin(), values_.end(), std::uint64_t{0});
  return {{"count", values_.size()}, {"mean", static_cast<double>(sum) / static_cast<double>(values_.size())},
          {"min", values_.front()},  {"p50", at(0.5)},
          {"p90", at(0.9)},          {"p99", at(0.99)},
          {"p999", at(0.999)},       {"max", values_.back()}};
}

}  // namespace kiwi::bench
