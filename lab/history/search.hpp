#pragma once

// Linearizability of one key for any of its commands: depth-first after Wing and Gong (1993), with the memory
// of Lowe ("Testing for linearizability", 2016) of what was tried. Its cost may explode with the overlap:
// hence a budget. Sets of operations are remembered by 128-bit hashes; a collision could hide a violation,
// with odds of about steps^2 / 2^129.

#include <cstdint>
#include <vector>

#include "lab/history/key_model.hpp"
#include "lab/history/zones.hpp"

namespace kiwi::lab::history {

/// Exact, or undecided. Takes its steps from `budget`. `values` grows by the values that are tried.
KeyVerdict search(const std::vector<KeyOperation>& operations, Values& values, std::uint64_t& budget);

}  // namespace kiwi::lab::history
