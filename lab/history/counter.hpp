#pragma once

// Linearizability of a counter that only goes one way, in O(n log n) at any concurrency: each value that an
// increment returned is its position, reads lie between positions, gaps are filled by unknown increments.

#include <vector>

#include "lab/history/key_model.hpp"
#include "lab/history/zones.hpp"

namespace kiwi::lab::history {

/// Increments of one sign, all unknown ones by the same amount, and plain reads; at least one increment.
bool counter_applies(const std::vector<KeyOperation>& operations);

/// Exact if counter_applies().
KeyVerdict counter(const std::vector<KeyOperation>& operations, const Values& values);

}  // namespace kiwi::lab::history
