#pragma once

#include <cstdint>
#include <vector>

#include "messages/ids.hpp"
#include "messages/membership.hpp"

namespace kiwi::raft {

/// Safety rule 8: what time it is, by the voters' clocks together, so that one wrong clock expires nothing.
///
/// The agreed time is the latest moment that a majority of the voters' clocks has passed: the median, and the
/// lower one of an even number. A voter that was not heard in this term counts as 0, so until a quorum has
/// answered the result is 0 (the caller then stays at its last stamp).
///
/// Clocks of others are carried forward by the progress of the own clock since they were heard. That progress
/// is counted in steps of at most kLargestStepMs, and never backwards: a jump of the own clock moves nobody
/// else's, so it is outvoted like any other wrong clock. A process that was paused estimates the others too
/// low until it hears them again, which only makes time stand still for a moment.
class ClockMedian {
 public:
  static constexpr std::uint64_t kLargestStepMs = 250;
  static constexpr std::uint64_t kLargestClockMs = 1ull << 62;

  /// The own clock, Unix milliseconds; may jump.
  void set_own(std::uint64_t unix_ms);
  std::uint64_t own() const { return own_ms_; }
  /// `node` answered, and its clock said `unix_ms` (0: it has none; ignored).
  void heard(NodeId node, std::uint64_t unix_ms);
  /// A new term begins: nobody was heard.
  void forget();
  std::uint64_t agreed(const Membership& membership, NodeId self) const;

 private:
  struct Heard {
    NodeId node;
    std::uint64_t clock_ms = 0;
    std::uint64_t at_elapsed_ms = 0;
  };
  std::uint64_t estimate(NodeId node) const;

  std::uint64_t own_ms_ = 0;
  std::uint64_t elapsed_ms_ = 0;  // sum of the own clock's believable steps; never goes back
  std::vector<Heard> heard_;
};

}  // namespace kiwi::raft
