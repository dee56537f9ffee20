#pragma once

#include "lab/run/runner.hpp"

namespace kiwi::lab {

/// Simulated worlds, as the head of a scenario describes them, with the invariants checked after every step.
MakeBackend make_sim_backend();

}  // namespace kiwi::lab
