#include "raft/quorum.hpp"
#include "messages/fault_points.hpp"

#include <algorithm>
#include <functional>

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

}  // namespace kiwi::raft
