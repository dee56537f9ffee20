#pragma once

#include <chrono>

namespace kiwi::lab {

/// Since the start of the run: virtual in the simulated world, real (steady) with processes.
using Time = std::chrono::nanoseconds;

}  // namespace kiwi::lab
