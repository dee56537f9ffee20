#pragma once

// The ordered durable stream of one node (rules 2 and 3), seen from the core: which writes are on their way
// to the disk, and how much of the log *as it is now* is surely there.
//
// The trap (rule 3, "ABA"): entries 5..9 of term 2 are being written, a new leader has 5..9 replaced by its
// own. When the first write completes, index 9 is on disk, but it is the old 9. So each outstanding write
// remembers up to where its entries are still part of the log, and every truncation lowers that.

#include <cstdint>
#include <deque>
#include <utility>

#include "messages/ids.hpp"
#include "messages/vote.hpp"

namespace kiwi::raft {

class WriteStream {
 public:
  WriteStream() = default;
  /// What was found on disk at start is durable.
  WriteStream(Vote vote, Index last)
      : durable_vote_(vote), issued_vote_(vote), durable_(last), issued_(last) {}

  /// Entries up to here are on disk, and are those of the log. Goes back only by truncated().
  Index durable() const { return durable_; }
  Vote durable_vote() const { return durable_vote_; }
  /// Entries up to here are on disk or on their way there. Not below durable().
  Index issued() const { return issued_; }

  /// The log lost its entries from `from` on. Call before anything new is appended there.
  void truncated(Index from);
  /// Is there anything to write, when this is the state now?
  bool has_work(Vote vote, Index last) const {
    return vote != issued_vote_ || truncate_from_ || purge_to_ || reset_to_.index ||
           (issued_ < last && !resetting_.index);
  }
  /// Entries up to here go. Only what is applied, and so durable, is purged.
  void purge(Index to) { purge_to_ = to; }
  /// The log on disk is to become empty and begin behind `to`, which a snapshot holds. Until that is durable
  /// (see reset_done) no entries are written, and the log as it was counts.
  void reset(LogId to);
  /// Not 0/0, once: the reset to here is durable, and durable() is its index.
  LogId reset_done() { return std::exchange(reset_done_, LogId{}); }

  struct Step {
    std::uint64_t number = 0;
    bool has_vote = false;
    Index truncate_from;  // 0: none
    Index first;          // entries from here to `last` are to be written; above `last`: none
    Index purge_to;       // 0: none
    LogId reset_to;       // 0/0: none
  };
  /// Everything not yet issued becomes the next write. `last` is the end of the log now.
  Step issue(Vote vote, LogId last, std::uint64_t now_ticks);
  /// Write `number` and all before it are on disk. `disk_last` is the end of the log on disk as the log store
  /// reports it: what this write or, where the store syncs several at once, a later one left there
  /// (asserted).
  void persisted(std::uint64_t number, LogId disk_last);
  std::size_t outstanding() const { return writes_.size(); }
  /// Ticks since the oldest write that is not on disk was issued. 0: all are.
  std::uint64_t oldest_ticks(std::uint64_t now_ticks) const {
    return writes_.empty() ? 0 : now_ticks - writes_.front().issued_ticks;
  }

 private:
  struct Write {
    std::uint64_t number = 0;
    Vote vote;
    LogId last;    // of the log on disk after this write
    Index covers;  // entries up to here are still those of the log; <= last.index
    std::uint64_t issued_ticks = 0;
    bool reset = false;
  };

  Vote durable_vote_;
  Vote issued_vote_;
  Index durable_;        // <= issued_
  Index issued_;         // entries up to here are durable or in writes_
  Index truncate_from_;  // issued entries from here on are to be removed; 0: none
  Index purge_to_;       // 0: none
  LogId reset_to_;       // 0/0: none; else not issued yet
  LogId resetting_;      // 0/0: no; else from reset() until it is durable
  LogId reset_done_;
  std::uint64_t next_number_ = 1;
  std::deque<Write> writes_;  // by number; `covers` never falls from one to the next
};

}  // namespace kiwi::raft
