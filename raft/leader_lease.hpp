#pragma once

// The leader's lease: a time within which nobody else can lead, so that a read needs no round (thesis 6.4.1).
// docs/reads.md says what it rests on. A value without a clock; times are microseconds of the node's steady
// clock.
//
//   A voter that hears its leader promises, for the shortest election time-out P from then on, to vote for
//   nobody (Core::promised). A round that began at time s and was answered by a majority therefore says: no
//   election is won before s + P of those voters' clocks. The leader counts from s, when it *sent*, for every
//   one of them heard it later; and it counts L = P less an eighth, because its clock may be the slower one.
//
// Two nodes' clocks may differ in rate by at most kDriftPart, one part in eight: while a voter's clock
// advances by t, the leader's advances by at least 7/8 t. Sources of time are disciplined by NTP with at most
// 500 parts in a million, and a kernel never bends a clock by more than a tenth; and an eighth costs nothing,
// as heartbeats renew a lease long before it ends.

#include <cstdint>
#include <deque>
#include <utility>

namespace kiwi::raft {

/// One part in so many.
inline constexpr std::uint64_t kDriftPart = 8;

/// How long a lease is, of a promise of so many microseconds.
std::uint64_t lease_of(std::uint64_t promise_us);

class LeaderLease {
 public:
  /// A term begins: there is no lease before a round of this term is answered (R14).
  void begin() { *this = LeaderLease(); }
  /// Rounds are numbered upwards within a term.
  void round_begins(std::uint64_t round, std::uint64_t now_us);
  /// A majority of the voters answered `round`.
  void round_answered(std::uint64_t round, std::uint64_t now_us, std::uint64_t promise_us);
  /// For the rest of the term: somebody was asked to stand, and voters will not keep their promise for that
  /// one. The question may be on its way for as long as it likes, so no later round can take this back.
  void give_up() { given_up_ = true; }
  bool given_up() const { return given_up_; }
  bool holds(std::uint64_t now_us) const { return !given_up_ && now_us < until_us_; }

 private:
  std::deque<std::pair<std::uint64_t, std::uint64_t>> rounds_;  // number, when it began; not answered yet
  std::uint64_t until_us_ = 0;
  bool given_up_ = false;
};

}  // namespace kiwi::raft
