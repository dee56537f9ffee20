#pragma once

// What the load generator asks: SET and GET of evenly drawn keys. One seed, one sequence.

#include <cstdint>
#include <random>
#include <string>

namespace kiwi::bench {

struct WorkloadOptions {
  double share_of_sets = 1.0;  // the others are GETs
  std::uint64_t keys = 100'000;
  std::uint64_t value_bytes = 100;
  std::uint64_t seed = 1;
};

class Workload {
 public:
  explicit Workload(const WorkloadOptions& options);
  /// Appends the next command, as RESP.
  void append_next(std::string& out);

 private:
  std::uint64_t keys_;
  std::bernoulli_distribution is_set_;
  std::string set_head_, set_tail_;  // around the number of the key
  std::mt19937_64 random_;
};

}  // namespace kiwi::bench
