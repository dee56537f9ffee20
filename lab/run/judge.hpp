#pragma once

// The verdict at the end of a run: client histories, final checks, and whether anything was tested at all.

#include "lab/run/player.hpp"
#include "lab/run/run_state.hpp"

namespace kiwi::lab {

struct JudgeOptions {
  /// Steps of the search over histories; beyond them the verdict is unknown.
  std::uint64_t history_budget = 5'000'000;
};

/// Notes failures in the run; sets the verdict of the record. Once, after the last event.
void judge(RunState& run, const Player& player, const JudgeOptions& options);

}  // namespace kiwi::lab
