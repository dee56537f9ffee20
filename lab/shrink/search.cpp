// The two ways of looking for less that passes share.

#include <algorithm>
#include <numeric>

#include "lab/shrink/passes.hpp"

namespace kiwi::lab::shrinking {

bool remove_parts(Attempts& attempts, std::size_t count,
                  const std::function<std::optional<Candidate>(const std::vector<bool>& keep)>& make,
                  const std::string& what) {
  std::vector<std::size_t> left(count);
  std::iota(left.begin(), left.end(), std::size_t{0});
  const auto without = [&](std::size_t begin, std::size_t size) {
    std::vector<bool> keep(count, false);
    for (std::size_t i = 0; i < left.size(); ++i) {
      keep[left[i]] = i < begin || i >= begin + size;
    }
    return make(keep);
  };
  bool removed = false;
  bool again = true;
  for (std::size_t size = left.size(); size >= 1 && !left.empty();) {
    again = false;
    for (std::size_t begin = 0; begin < left.size();) {
      const std::size_t chunks = (left.size() - begin + size - 1) / size;
      const auto found = attempts.first(
          0, chunks, [&](std::size_t i) { return without(begin + i * size, size); }, what);
      if (!found) {
        break;
      }
      begin += *found * size;
      const auto first = left.begin() + static_cast<std::ptrdiff_t>(begin);
      left.erase(first, first + static_cast<std::ptrdiff_t>(std::min(size, left.size() - begin)));
      removed = again = true;
    }
    // One by one until a whole round finds nothing.
    if (size == 1 && !again) {
      break;
    }
    size = std::max<std::size_t>(size / 2, 1);
  }
  return removed;
}

bool lower_number(Attempts& attempts, std::uint64_t least, std::uint64_t now,
                  const std::function<std::optional<Candidate>(std::uint64_t)>& make,
                  const std::string& what) {
  if (now <= least) {
    return false;
  }
  const auto any_of = [&](const std::vector<std::uint64_t>& values) -> std::optional<std::uint64_t> {
    const auto found = attempts.first(
        0, values.size(), [&](std::size_t i) { return make(values[i]); }, what);
    return found ? std::optional(values[*found]) : std::nullopt;
  };
  if (any_of({least})) {
    return true;
  }
  bool lower = false;
  // `bad` is too little as far as is known, `good` is enough. Two points at a time, for two runs at a time.
  std::uint64_t bad = least;
  std::uint64_t good = now;
  while (good - bad > 1 && !attempts.stopped()) {
    const std::uint64_t third = std::max<std::uint64_t>((good - bad) / 3, 1);
    const std::uint64_t low = bad + third;
    const std::uint64_t high = std::max(good - third, low);
    const auto found = any_of({low, high});
    if (found) {
      bad = *found == low ? bad : low;
      good = *found;
      lower = true;
    } else {
      bad = high;
    }
  }
  return lower;
}

}  // namespace kiwi::lab::shrinking
