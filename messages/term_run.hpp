#pragma once

#include "messages/ids.hpp"

namespace kiwi {

/// A stretch of log with one term: from `first` up to the next run's first, or to the end of the log.
struct TermRun {
  static constexpr const char* name = "TermRun";
  Term term;
  Index first;
  auto fields() { return std::tie(term, first); }
  friend bool operator==(const TermRun&, const TermRun&) = default;
};

}  // namespace kiwi
