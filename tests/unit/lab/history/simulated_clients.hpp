#pragma once

// Histories of clients of a store that is right: random, repeatable, with lost replies and refusals.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lab/history/history.hpp"

namespace kiwi::lab::history::testing {

/// xorshift64*: small, and the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U + 0x1234567) {}
  std::uint64_t below(std::uint64_t n) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return (state_ * 0x2545f4914f6cdd1dU >> 33) % n;
  }
  bool one_in(std::uint64_t n) { return n != 0 && below(n) == 0; }

 private:
  std::uint64_t state_;
};

struct Clients {
  int clients = 4;
  int operations = 100;
  /// One operation in so many: its reply is lost, whether it happened or not. 0: none.
  std::uint64_t lost_one_in = 0;
  /// ... is refused, and does not happen.
  std::uint64_t refused_one_in = 0;
  /// Gives the words of the n-th command, n from 1.
  std::function<std::vector<std::string>(Random&, int n)> command;
  /// With order numbers; otherwise by times alone, each event at a time of its own.
  bool ordered = true;
};

/// A client whose reply was lost goes on as a new one.
History simulate(const Clients& clients, std::uint64_t seed);

/// Appends a GET of each key after the marker kFinalReads, answered from what `simulate` left in the store.
History simulate_with_final_reads(const Clients& clients, std::uint64_t seed);

/// A copy in which the operations went through `change`.
History changed(const History& history, const std::function<void(Operation&)>& change);

/// Commands on `keys` keys by weight: "get 50, set 40, incr 10"; words of the load generator.
std::function<std::vector<std::string>(Random&, int)> mix(std::vector<std::vector<std::string>> choices,
                                                          int keys);

}  // namespace kiwi::lab::history::testing
