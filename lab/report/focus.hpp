#pragma once

// Where in a run one should look: the first bad step.

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "lab/run/record.hpp"

namespace kiwi::lab::report {

struct Focus {
  /// Empty: nothing went wrong, or at no moment of the run.
  std::optional<Time> at;
  /// What it was, a few words: "n2 ended", "expect within 2s leader != n1".
  std::string what;
  /// Of RunRecord::script, from 1; 0: no line of it.
  int line = 0;
  /// Numbers of the operations that cannot be as they were.
  std::set<std::uint64_t> operations;
  /// The key they are about; empty: they are about none, or no operation failed.
  std::string key;
};

Focus focus_of(const RunRecord& record);

/// Line of RunRecord::script for one of the file; 0: none.
int shown_line(const RunRecord& record, int line);

}  // namespace kiwi::lab::report
