#pragma once

// The log as the core sees it: the term of every entry, and the newest entries themselves. Older entries are
// on disk only and are fetched when somebody needs them.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "messages/entry.hpp"
#include "messages/ids.hpp"
#include "messages/term_run.hpp"

namespace kiwi::raft {

class LogView {
 public:
  LogView() = default;
  /// As found at start: entries (purged, last] exist, none of them in memory.
  LogView(LogId purged, std::vector<TermRun> runs, LogId last);

  LogId purged() const { return purged_; }
  LogId last() const { return last_; }
  /// The term of entry `index`; of the purge point too. Nothing outside [purged, last].
  std::optional<Term> term_at(Index index) const;
  /// Requires purged <= index <= last.
  LogId id_at(Index index) const;
  /// First entry of the stretch that has the term of `index`, as far as the log reaches back.
  /// Requires purged < index <= last.
  Index first_of_term_at(Index index) const;
  /// Last entry of `term`; nothing when there is none in the log.
  std::optional<Index> last_of_term(Term term) const;

  /// Requires entry.id.index == last + 1 and a term that does not fall.
  void append(Entry entry);
  /// Removes the entries from `from` on. Requires purged < from.
  void truncate_from(Index from);

  /// Forgets the entries up to `to`. Requires purged <= to <= last.
  void purge_to(Index to);

  /// Entries [cached_first, last] are in memory.
  Index cached_first() const { return Index(last_.index.value + 1 - cache_.size()); }
  bool cached(Index index) const { return index >= cached_first() && index <= last_.index; }
  /// The largest index in [first, last] such that [first, index] weighs at most max_bytes, at least `first`.
  /// Requires both in memory.
  Index fit(Index first, Index last, std::uint64_t max_bytes) const;
  /// Requires it in memory.
  std::uint64_t stamp_at(Index index) const;
  /// Requires it in memory.
  EntryKind kind_at(Index index) const { return slot(index).entry.kind; }
  /// weight_bytes of the entries above `index` that are in memory.
  std::uint64_t bytes_after(Index index) const;
  std::uint64_t bytes() const { return end_bytes_ - base_bytes_; }
  /// Appends copies (sharing the payloads) of [first, last]. Requires both in memory.
  void copy(Index first, Index last, std::vector<Entry>& out) const;
  /// Drops entries at or below `up_to` from memory while more than `max_bytes` are in memory.
  void evict(Index up_to, std::uint64_t max_bytes);

 private:
  struct Slot {
    Entry entry;
    std::uint64_t end_bytes = 0;  // running total of weights, this entry included
  };
  const Slot& slot(Index index) const { return cache_[index - cached_first()]; }
  std::uint64_t end_bytes_at(Index index) const;

  LogId purged_;
  LogId last_;                    // purged_ when the log is empty
  std::vector<TermRun> runs_;     // ascending in both; the first starts at purged + 1
  std::deque<Slot> cache_;        // the last cache_.size() entries
  std::uint64_t base_bytes_ = 0;  // running total before the first cached entry
  std::uint64_t end_bytes_ = 0;   // running total after the last one
};

}  // namespace kiwi::raft
