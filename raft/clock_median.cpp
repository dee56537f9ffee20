#include "raft/clock_median.hpp"

#include <algorithm>

#include "raft/quorum.hpp"

namespace kiwi::raft {

void ClockMedian::set_own(std::uint64_t unix_ms) {
  unix_ms = std::min(unix_ms, kLargestClockMs);
  if (unix_ms > own_ms_)
    elapsed_ms_ += std::min(unix_ms - own_ms_, kLargestStepMs);
  own_ms_ = unix_ms;
}

void ClockMedian::heard(NodeId node, std::uint64_t unix_ms) {
  if (unix_ms == 0)
    return;
  unix_ms = std::min(unix_ms, kLargestClockMs);
  for (Heard& h : heard_) {
    if (h.node == node) {
      h.clock_ms = unix_ms;
      h.at_elapsed_ms = elapsed_ms_;
      return;
    }
  }
  heard_.push_back({node, unix_ms, elapsed_ms_});
}

void ClockMedian::forget() { heard_.clear(); }

std::uint64_t ClockMedian::estimate(NodeId node) const {
  for (const Heard& h : heard_)
    if (h.node == node)
      return h.clock_ms + (elapsed_ms_ - h.at_elapsed_ms);
  return 0;
}

std::uint64_t ClockMedian::agreed(const Membership& membership, NodeId self) const {
  return quorum_value(membership, [&](NodeId id) { return id == self ? own_ms_ : estimate(id); });
}

}  // namespace kiwi::raft
