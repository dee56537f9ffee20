#pragma once

#include <random>

#include "messages/entry.hpp"

namespace kiwi::test {

/// Entries as a cluster could have written them: commands of every kind on few keys, so that they meet;
/// ticks, blanks, memberships and digest markers between; deadlines that come due all the time; now and then
/// a flush. The same seed gives the same history.
std::vector<Entry> random_history(std::uint64_t seed, std::size_t entries);

}  // namespace kiwi::test
