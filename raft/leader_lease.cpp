#include "raft/leader_lease.hpp"

#include <algorithm>

#include "messages/fault_points.hpp"

namespace kiwi::raft {

std::uint64_t lease_of(std::uint64_t promise_us) {
  return KIWI_MUTANT(lease_without_margin) ? promise_us : promise_us - promise_us / kDriftPart;
}

void LeaderLease::round_begins(std::uint64_t round, std::uint64_t now_us) {
  rounds_.emplace_back(round, now_us);
  // Of those that nobody answers only the newest can still be of use; check-quorum ends the leadership before
  // there are many.
  while (rounds_.size() > 256) rounds_.pop_front();
}

void LeaderLease::round_answered(std::uint64_t round, std::uint64_t now_us, std::uint64_t promise_us) {
  for (; !rounds_.empty() && rounds_.front().first <= round; rounds_.pop_front()) {
    const std::uint64_t from = KIWI_MUTANT(lease_from_receipt) ? now_us : rounds_.front().second;
    until_us_ = std::max(until_us_, from + lease_of(promise_us));
  }
}

}  // namespace kiwi::raft
