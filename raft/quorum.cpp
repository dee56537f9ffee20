#include "raft/quorum.hpp"

#include <algorithm>
#include <functional>

#include "messages/fault_points.hpp"

namespace kiwi::raft {

std::uint64_t majority_value(std::uint64_t* values, std::size_t count) {
  if (count == 0)
    return 0;
  if (KIWI_MUTANT(quorum_unsorted))
    return values[count / 2];
  // With 2k or 2k+1 values a majority is k+1: the value at place k, counted from the largest.
  std::uint64_t* place = values + count / 2 - (KIWI_MUTANT(majority_off_by_one) && count > 1 ? 1 : 0);

  std::nth_element(values, place, values + count, std::greater<>());
  return *place;
}

CountedVoters counted_voters(const Membership& m) {
  if (KIWI_MUTANT(learners_counted)) {
    static thread_local std::vector<NodeId> everybody;
    everybody = m.voters;
    everybody.insert(everybody.end(), m.learners.begin(), m.learners.end());
    return {&everybody, m.joint() ? &m.outgoing_voters : nullptr};
  }
  if (!m.joint() || KIWI_MUTANT(only_new_half_counted))
    return {&m.voters, nullptr};
  if (KIWI_MUTANT(only_old_half_counted))
    return {&m.outgoing_voters, nullptr};
  return {&m.voters, &m.outgoing_voters};
}

}  // namespace kiwi::raft
