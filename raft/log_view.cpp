#include "raft/log_view.hpp"

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"

namespace kiwi::raft {

namespace {
bool starts_after(Index index, const TermRun& run) { return index < run.first; }
}  // namespace

LogView::LogView(LogId purged, std::vector<TermRun> runs, LogId last)
    : purged_(purged), last_(last), runs_(std::move(runs)) {
  KIWI_ASSERT(purged_.index <= last_.index, "the log ends before its purge point");
  if (last_.index == purged_.index) {
    KIWI_ASSERT(runs_.empty() && last_ == purged_, "an empty log has no terms");
    return;
  }
  KIWI_ASSERT(!runs_.empty() && runs_.front().first == purged_.index + 1,
              "the log's terms start with the log");
  KIWI_ASSERT(runs_.back().term == last_.term && runs_.back().first <= last_.index, "the log's last term");
  for (std::size_t i = 1; i < runs_.size(); ++i)
    KIWI_ASSERT(runs_[i - 1].first < runs_[i].first && runs_[i - 1].term < runs_[i].term, "terms never fall");
}

std::optional<Term> LogView::term_at(Index index) const {
  if (index == last_.index)
    return last_.term;
  if (index > last_.index || index < purged_.index)
    return std::nullopt;
  if (index == purged_.index)
    return purged_.term;
  if (runs_.back().first <= index)
    return runs_.back().term;
  return std::prev(std::upper_bound(runs_.begin(), runs_.end(), index, starts_after))->term;
}

LogId LogView::id_at(Index index) const {
  const auto term = term_at(index);
  KIWI_ASSERT(term.has_value(), "an entry outside the log");
  return LogId{*term, index};
}

Index LogView::first_of_term_at(Index index) const {
  KIWI_ASSERT(index > purged_.index && index <= last_.index, "an entry outside the log");
  return std::prev(std::upper_bound(runs_.begin(), runs_.end(), index, starts_after))->first;
}

std::optional<Index> LogView::last_of_term(Term term) const {
  for (std::size_t i = runs_.size(); i-- > 0;) {
    if (runs_[i].term == term)
      return i + 1 < runs_.size() ? runs_[i + 1].first - 1 : last_.index;
    if (runs_[i].term < term)
      break;
  }
  if (purged_.index && purged_.term == term)
    return purged_.index;
  return std::nullopt;
}

void LogView::append(Entry entry) {
  KIWI_ASSERT(entry.id.index == last_.index + 1, "the log has no holes");
  KIWI_ASSERT(entry.id.term >= last_.term, "terms never fall along the log");
  if (runs_.empty() || runs_.back().term != entry.id.term)
    runs_.push_back({entry.id.term, entry.id.index});
  last_ = entry.id;
  end_bytes_ += weight_bytes(entry);
  cache_.push_back({std::move(entry), end_bytes_});
}

void LogView::truncate_from(Index from) {
  KIWI_ASSERT(from > purged_.index, "the purged part of the log cannot be truncated");
  if (from > last_.index)
    return;
  const Index last = from - 1;
  const LogId new_last = id_at(last);
  const std::uint64_t dropped = std::min<std::uint64_t>(cache_.size(), last_.index - last);
  cache_.erase(cache_.end() - static_cast<std::ptrdiff_t>(dropped), cache_.end());
  end_bytes_ = cache_.empty() ? base_bytes_ : cache_.back().end_bytes;
  while (!runs_.empty() && runs_.back().first > last) runs_.pop_back();
  last_ = new_last;
}

void LogView::purge_to(Index to) {
  KIWI_ASSERT(to >= purged_.index && to <= last_.index, "a purge outside the log");
  const LogId purged = id_at(to);
  while (!cache_.empty() && cache_.front().entry.id.index <= to) {
    base_bytes_ = cache_.front().end_bytes;
    cache_.pop_front();
  }
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), to + 1, starts_after);
  if (to == last_.index) {
    runs_.clear();
  } else {
    runs_.erase(runs_.begin(), std::prev(after));
    runs_.front().first = to + 1;
  }
  purged_ = purged;
}

std::uint64_t LogView::end_bytes_at(Index index) const {
  return index < cached_first() ? base_bytes_ : slot(index).end_bytes;
}

std::uint64_t LogView::stamp_at(Index index) const {
  KIWI_ASSERT(cached(index), "an entry that is not in memory");
  return slot(index).entry.stamp_ms;
}

Index LogView::fit(Index first, Index last, std::uint64_t max_bytes) const {
  KIWI_ASSERT(cached(first) && cached(last) && first <= last, "entries that are not in memory");
  const std::uint64_t limit = end_bytes_at(first - 1) + max_bytes;
  if (slot(last).end_bytes <= limit)
    return last;
  const auto begin = cache_.begin() + static_cast<std::ptrdiff_t>(first - cached_first());
  const auto end = cache_.begin() + static_cast<std::ptrdiff_t>(last - cached_first()) + 1;
  const auto over = std::upper_bound(begin, end, limit,
                                     [](std::uint64_t bytes, const Slot& s) { return bytes < s.end_bytes; });
  const auto count = static_cast<std::uint64_t>(over - begin);
  return count == 0 ? first : first + (count - 1);
}

std::uint64_t LogView::bytes_after(Index index) const {
  return index >= last_.index ? 0 : end_bytes_ - end_bytes_at(index);
}

void LogView::copy(Index first, Index last, std::vector<Entry>& out) const {
  if (first > last)
    return;
  KIWI_ASSERT(cached(first) && cached(last), "entries that are not in memory");
  const auto begin = cache_.begin() + static_cast<std::ptrdiff_t>(first - cached_first());
  const auto count = last - first + 1;
  out.reserve(out.size() + count);
  for (auto it = begin; it != begin + static_cast<std::ptrdiff_t>(count); ++it) out.push_back(it->entry);
}

void LogView::evict(Index up_to, std::uint64_t max_bytes) {
  while (!cache_.empty() && bytes() > max_bytes && cache_.front().entry.id.index <= up_to) {
    KIWI_MARK("log.cache_evicted");
    base_bytes_ = cache_.front().end_bytes;
    cache_.pop_front();
  }
}

}  // namespace kiwi::raft
