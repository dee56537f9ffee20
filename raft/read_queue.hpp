#pragma once

// Linearizable reads without the log: batched ReadIndex (thesis 6.4), and the order of one connection's
// commands (rule 13).
//
// A read that arrives at the leader gets two marks:
//   lo = the smallest applied index that it may see: what was committed on arrival (at least the leader's own
//        no-op, Raft 8), and the asker's own last write;
//   p  = the end of the leader's log on arrival: nothing proposed after the read is at or below p.
// So lo <= p.
//
// It is *confirmed* (nobody else led when it arrived) by either of
//   (a) a quorum answered a round that began after the read arrived (thesis 6.4, step 3), or
//   (b) an entry above p is committed in this term: it was proposed after the read arrived, so the quorum
//   that
//       acknowledged it did so later still, or
//   (c) the leader's lease holds at some moment after the read arrived (leader_lease.hpp): it confirms all
//       reads that wait, so that none overtakes an earlier one.
// Rounds ride on heartbeats and appends, one at a time: reads that arrive while a round is on its way share
// the next one. It begins when that completes and those it confirmed are answered (Core::round_waits). So the
// number of messages is bounded by the round-trip time, whatever the number of reads.
//
// It is *emitted* once confirmed and lo is handed out to be applied, with at = max(lo, what was handed out
// before this Output). Served after `at` is applied and before the entry after it.
//
// Rule 13, SET a / GET / SET b in one pipeline. The GET sees SET a: at >= lo >= index of SET a. It does not
// see SET b, which is above p, since at <= p always:
//   Let an Output be about to hand out an entry above p for the first time. What is handed out is committed,
//   and we lead still (else the read has failed), so (b) holds and the read is confirmed; and lo <= p is
//   handed out by then. So the read is in this Output or an earlier one. What was handed out before was at
//   most p, and lo <= p, hence at <= p.
// emit() asserts it.

#include <cstdint>
#include <deque>
#include <vector>

#include "messages/ids.hpp"

namespace kiwi::raft {

class ReadQueue {
 public:
  struct Read {
    std::uint64_t token = 0;
    Index lo;
    Index p;
    std::uint64_t round = 0;  // confirmed when this round is
  };
  struct Emitted {
    std::uint64_t token = 0;
    Index at;
  };

  /// Requires lo <= p, and a p that is not below the p of an earlier read.
  void push(std::uint64_t token, Index lo, Index p);
  std::size_t size() const { return waiting_.size() + confirmed_.size(); }

  /// The latest round that has begun; rides on every heartbeat and append. 0 before the first.
  std::uint64_t round() const { return started_; }
  /// True when reads wait for a round that has not begun and none is on its way.
  bool wants_round() const;
  std::uint64_t start_round();
  /// A quorum answered `round`.
  void confirm_round(std::uint64_t round);
  /// Everything up to `commit` is committed; `commit` is an entry of the current term.
  void confirm_by_commit(Index commit);
  /// Reads wait for a round, or for what else may confirm them.
  bool has_unconfirmed() const { return !waiting_.empty(); }
  /// Nobody else leads at this moment; returns how many reads that confirms.
  std::size_t confirm_all();

  /// Takes out the reads that are ready when everything up to `handed` has been handed out, and everything up
  /// to `handed_before` was before this Output. Sorted by `at`.
  std::vector<Emitted> emit(Index handed_before, Index handed);
  /// Leadership is lost: empties the queue into `tokens`, in the order of arrival per class.
  void fail_all(std::vector<std::uint64_t>& tokens);

 private:
  std::deque<Read> waiting_;     // not confirmed; rounds and p never fall
  std::vector<Read> confirmed_;  // waiting for lo to be handed out
  std::uint64_t started_ = 0;
  std::uint64_t answered_ = 0;  // <= started_
};

}  // namespace kiwi::raft
