#pragma once

// The passes of the shrinker, in the order in which they run. Each leaves the best script in `attempts`.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "lab/shrink/attempts.hpp"

namespace kiwi::lab::shrinking {

/// Everything behind the failure; of checks of safety also what a shorter run shows to be too much.
void cut_the_end(Attempts& attempts);
/// Whole kinds of faults, faults with what ends them, single lines, pairs of lines; checks at the end.
void remove_lines(Attempts& attempts);
/// Loads, clients, keys, operations, rates, entries of mixes, other options.
void shrink_loads(Attempts& attempts);
/// Nodes; those that are left get the numbers 1, 2, ...
void remove_nodes(Attempts& attempts);
/// Background noise: none, or a window as narrow as may be.
void narrow_noise(Attempts& attempts);
/// Milder disk and network, fewer ends of links, verbs and values that are easier to understand.
void simplify_parameters(Attempts& attempts);
/// Shorter waits, then multiples of a second, 100 ms, 10 ms. The order of lines stays.
void round_times(Attempts& attempts);
/// Nodes by their roles; see ShrinkOptions::role_seeds. True: done.
bool name_by_role(Attempts& attempts, std::uint64_t seeds);

/// Delta debugging: removes as many of `count` things as it can, large parts first. `make` gives the
/// candidate that has those things for which `keep` is true. True: something was removed.
bool remove_parts(Attempts& attempts, std::size_t count,
                  const std::function<std::optional<Candidate>(const std::vector<bool>& keep)>& make,
                  const std::string& what);

/// Finds a small value in [least, now): tries `least`, then halves the way. `make` gives the candidate with a
/// value. True: it became smaller.
bool lower_number(Attempts& attempts, std::uint64_t least, std::uint64_t now,
                  const std::function<std::optional<Candidate>(std::uint64_t)>& make,
                  const std::string& what);

}  // namespace kiwi::lab::shrinking
