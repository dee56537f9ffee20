#pragma once

// Linearizability of a register whose written values are all different, in O(n log n) at any concurrency.
// After Gibbons and Korach, "Testing Shared Memories" (SIAM J. Comput. 26, 1997); extended by operations that
// read and write at one moment (GETSET): their values follow one another without anything between.

#include <cstdint>
#include <vector>

#include "lab/history/key_model.hpp"

namespace kiwi::lab::history {

/// What a checker of one key found.
struct KeyVerdict {
  enum class Is : std::uint8_t { good, bad, undecided };
  Is is = Is::good;
  /// Of a bad one: positions of operations in which the contradiction lies. The others may be left out
  /// (zones) or forgotten (counter) and it stays bad. Empty: not known.
  std::vector<std::uint32_t> suspects;
};

/// Requires: see zones().
bool zones_apply(const std::vector<KeyOperation>& operations);

/// Exact if zones_apply(): only plain reads of the value and plain or reading sets, each set with a value of
/// its own.
KeyVerdict zones(const std::vector<KeyOperation>& operations);

}  // namespace kiwi::lab::history
