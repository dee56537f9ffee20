#pragma once

// The cheapest checker that is exact for the operations of a key.

#include <cstdint>
#include <string_view>
#include <vector>

#include "lab/history/key_model.hpp"
#include "lab/history/zones.hpp"

namespace kiwi::lab::history {

enum class Checker : std::uint8_t { zones, counter, search };
std::string_view to_string(Checker checker);

Checker cheapest(const std::vector<KeyOperation>& operations);

/// Only the search takes from the budget.
KeyVerdict judge(const std::vector<KeyOperation>& operations, Values& values, std::uint64_t& budget);

/// No APPEND or INCR: each value that the key ever has is a word of some operation.
bool is_foreseen(const std::vector<KeyOperation>& operations);
/// The value that it leaves behind if it takes effect; kAbsent of a removal. Requires no INCR, APPEND, read.
bool writes(const KeyOperation& operation);

/// Leaves out unknown writes of values that nobody saw. Sound where all that was seen are whole values:
/// whatever follows such a write replaces its value unseen. Returns how many.
std::size_t drop_unseen_writes(std::vector<KeyOperation>& operations);

}  // namespace kiwi::lab::history
