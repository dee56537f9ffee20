#pragma once

#include <cstdint>

namespace kiwi {

/// Whether an actor that blocks on a disk gets a thread of its own, or runs on the scheduler like the others
/// (the laboratory runs all of them in one thread).
enum class SpawnMode : std::uint8_t { own_thread, scheduled };

}  // namespace kiwi
