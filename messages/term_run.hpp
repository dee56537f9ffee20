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

/// A place in the log and what lies before it, for deciding how much of the log may go. About one per MiB.
struct LogMark {
  static constexpr const char* name = "LogMark";
  Index index;
  std::uint64_t bytes = 0;     // weight_bytes of the entries up to `index`, counted from any fixed point
  std::uint64_t stamp_ms = 0;  // of entry `index`
  auto fields() { return std::tie(index, bytes, stamp_ms); }
  friend bool operator==(const LogMark&, const LogMark&) = default;
};
/// Marks are set as soon as this much lies behind the last one.
inline constexpr std::uint64_t kLogMarkBytes = 1ull << 20;
inline constexpr std::uint64_t kLogMarkEntries = 1ull << 16;

}  // namespace kiwi
