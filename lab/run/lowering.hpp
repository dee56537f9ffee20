#pragma once

// A run as a replay file: the head of the script, what was done as `!` lines with everything concrete, what
// was expected as blocks, and the checks at the end.

#include "lab/run/player.hpp"
#include "lab/run/run_state.hpp"

namespace kiwi::lab {

/// Played with the same seed on the simulator it gives the same trace hash.
script::Scenario lowered(const RunState& run, const Player& player);

}  // namespace kiwi::lab
