#pragma once

// A history taken apart: places in time, attempts merged, one KeyHistory for each key.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lab/history/check.hpp"
#include "lab/history/key_model.hpp"

namespace kiwi::lab::history {

/// When an operation was called and returned, among all events. `ret` is kNever unless it is done.
struct Span {
  Place call = 0;
  Place ret = kNever;
};

struct Prepared {
  /// Beside History::operations(). Events of the same instant overlap, unless all operations of the history
  /// carry order numbers.
  std::vector<Span> spans;
  /// Beside History::operations(): another attempt at the same (session, serial) stands for this one.
  std::vector<bool> merged_away;
  /// By key, so in an order that does not depend on anything else.
  std::map<std::string, KeyHistory> keys;
  /// Keys that operations of the chosen load touch.
  Statistics statistics;
  /// Attempts of one operation that were answered differently.
  std::vector<Finding> findings;
};

Prepared prepare(const History& history, const Options& options);

}  // namespace kiwi::lab::history
