#include "raft/log_sizes.hpp"

#include <algorithm>

#include "messages/assert.hpp"

namespace kiwi::raft {

LogSizes::LogSizes(const CompactionLimits& limits, Index purged, Index last, std::vector<LogMark> marks,
                   std::uint64_t bytes)
    : limits_(limits),
      mark_bytes_(std::clamp<std::uint64_t>(limits.keep_bytes / 8, 1, kLogMarkBytes)),
      mark_entries_(std::clamp<std::uint64_t>(limits.keep_entries / 8, 1, kLogMarkEntries)),
      purged_(purged),
      last_(last),
      total_(bytes),
      marks_(marks.begin(), marks.end()) {
  KIWI_ASSERT(marks_.empty() || (marks_.front().index > purged && marks_.back().index <= last &&
                                 marks_.back().bytes <= bytes),
              "marks lie in the log");
}

void LogSizes::mark(Index index, std::uint64_t stamp_ms) { marks_.push_back({index, total_, stamp_ms}); }

void LogSizes::appended(const Entry& entry) {
  last_ = entry.id.index;
  total_ += weight_bytes(entry);
  const std::uint64_t marked = marks_.empty() ? base_ : marks_.back().bytes;
  const Index at = marks_.empty() ? purged_ : marks_.back().index;
  if (total_ - marked >= mark_bytes_ || last_ - at >= mark_entries_)
    mark(last_, entry.stamp_ms);
}

void LogSizes::truncated_from(Index from) {
  while (!marks_.empty() && marks_.back().index >= from) marks_.pop_back();
  last_ = from - 1;
  total_ = marks_.empty() ? base_ : marks_.back().bytes;
}

void LogSizes::purged(Index to) {
  purged_ = std::max(purged_, to);
  while (!marks_.empty() && marks_.front().index <= to) {
    base_ = marks_.front().bytes;
    marks_.pop_front();
  }
}

void LogSizes::reset(Index to) {
  marks_.clear();
  purged_ = last_ = to;
  base_ = total_ = 0;
}

std::uint64_t LogSizes::bytes_after(Index index) const {
  std::uint64_t before = base_;
  for (const auto& m : marks_) {
    if (m.index > index)
      break;
    before = m.bytes;
  }
  return total_ - before;
}

Index LogSizes::purge_to(std::uint64_t now_ms) const {
  const auto passed = [](std::uint64_t size, std::uint64_t limit) { return size > limit + limit / 4; };
  const bool by_bytes = passed(bytes(), limits_.keep_bytes);
  const bool by_entries = passed(last_ - purged_, limits_.keep_entries);
  const std::uint64_t oldest = now_ms > limits_.keep_age_ms ? now_ms - limits_.keep_age_ms : 0;
  // Ascending: each mark goes while the log before it is still too large, too long or too old.
  Index to = purged_;
  std::uint64_t behind = bytes();
  for (const auto& m : marks_) {
    const bool too_large = by_bytes && behind > limits_.keep_bytes;
    const bool too_long = by_entries && last_ - to > limits_.keep_entries;
    if (!too_large && !too_long && m.stamp_ms >= oldest)
      break;
    to = m.index;
    behind = total_ - m.bytes;
  }
  return to;
}

}  // namespace kiwi::raft
