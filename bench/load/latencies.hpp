#pragma once

// Latencies of all operations, each one kept, so that percentiles are exact. 4 bytes an operation.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace kiwi::bench {

class Latencies {
 public:
  /// Above about 71 minutes it is cut.
  void add(std::uint64_t microseconds);
  std::size_t count() const { return values_.size(); }
  /// count, and in microseconds: mean, min, p50, p90, p99, p999, max. Null without values.
  nlohmann::json summary();

 private:
  std::uint32_t at(double share);
  std::vector<std::uint32_t> values_;
};

}  // namespace kiwi::bench
