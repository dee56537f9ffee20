#pragma once

// Work spread over forked processes: what goes wrong in one, an abort included, costs one piece of work.

#include <cstddef>
#include <functional>
#include <string>

namespace kiwi::lab {

/// Does `work(i)` for i in [0, count), each in one of `jobs` (at least 1) child processes, which handle many
/// one after the other, and calls `done(i, result)` here as results come in. A child that dies gives the
/// empty result and why it died. Returns false when no child could be started. A signal that asks this
/// program to end ends the children and what they started before it (stop_signals.hpp).
bool run_jobs(
    std::size_t count, std::size_t jobs, const std::function<std::string(std::size_t)>& work,
    const std::function<void(std::size_t, const std::string& result, const std::string& died)>& done);

}  // namespace kiwi::lab
