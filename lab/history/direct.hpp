#pragma once

// Checks of one key that follow a single promise through the history. Each is sound by itself, none is
// complete: they say more clearly what went wrong than "no order explains it", and they cost next to nothing.

#include <optional>

#include "lab/history/check.hpp"
#include "lab/history/judge.hpp"

namespace kiwi::lab::history {

/// A value was read that nobody had written by then, or that only a refused operation would have written.
/// Holds for stale reads as well. Looks at keys without INCR and APPEND only.
std::optional<Finding> check_values(const History& history, const KeyHistory& key);

/// Reads after the marker kFinalReads see every acknowledged write, or a later one. For counters: the final
/// value is what was acknowledged plus some of what is unknown. Requires that final reads are not stale by
/// wish.
std::optional<Finding> check_durability(const History& history, const KeyHistory& key);

/// It has acknowledged writes.
bool has_acknowledged_writes(const KeyHistory& key);
/// A read of the whole value after the marker.
bool is_final_read(const History& history, const KeyOperation& operation);

}  // namespace kiwi::lab::history
