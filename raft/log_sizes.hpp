#pragma once

// How much log there is, and up to where it may go (docs/snapshots.md, compaction).

#include <cstdint>
#include <deque>
#include <vector>

#include "messages/entry.hpp"
#include "messages/ids.hpp"
#include "messages/term_run.hpp"

namespace kiwi::raft {

/// What of the log stays. A purge begins when a limit is passed by a quarter and brings it back to the limit,
/// so that it comes seldom and in large pieces.
struct CompactionLimits {
  std::uint64_t keep_bytes = 32u << 20;  // weight_bytes of entries
  std::uint64_t keep_entries = 1'000'000;
  std::uint64_t keep_age_ms = 7ull * 24 * 3600 * 1000;  // older ones go even if there are few
  /// A live follower that lags keeps the log from being purged up to this size; then it gets a snapshot.
  std::uint64_t laggard_bytes = 128u << 20;
};

class LogSizes {
 public:
  LogSizes() = default;
  /// A log of (purged, last] as found at start; `bytes` in the count of the marks.
  LogSizes(const CompactionLimits& limits, Index purged, Index last, std::vector<LogMark> marks,
           std::uint64_t bytes);

  void appended(const Entry& entry);
  /// From here on the size may be too small by what lies behind the last mark.
  void truncated_from(Index from);
  void purged(Index to);
  /// An empty log that begins behind `to`.
  void reset(Index to);

  /// Weight of the log, about: exact at marks.
  std::uint64_t bytes() const { return total_ - base_; }
  /// Weight of the entries above `index`, about, never too small.
  std::uint64_t bytes_after(Index index) const;
  /// Up to where the log should go, by the limits alone; `purged` when nothing should.
  Index purge_to(std::uint64_t now_ms) const;

 private:
  void mark(Index index, std::uint64_t stamp_ms);

  CompactionLimits limits_;
  std::uint64_t mark_bytes_ = kLogMarkBytes;
  std::uint64_t mark_entries_ = kLogMarkEntries;
  Index purged_;
  Index last_;
  std::uint64_t base_ = 0;     // count at purged_
  std::uint64_t total_ = 0;    // count at last_
  std::deque<LogMark> marks_;  // of (purged_, last_], ascending
};

}  // namespace kiwi::raft
