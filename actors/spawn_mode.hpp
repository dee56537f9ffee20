#pragma once

#include <cstdint>

namespace kiwi {

/// Whether an actor that blocks on a disk gets a thread of its own, or runs on the scheduler like the others
/// (the laboratory runs all of them in one thread).
enum class SpawnMode : std::uint8_t { own_thread, scheduled };

/// Where the raft actor and the adaptor run. On the IO thread a command goes from its socket through the raft
/// actor to the peers' sockets without waking another thread, and what one pass of the IO loop brought is one
/// batch. The scheduler is for systems without sockets or whose IO thread must not be shared.
enum class CorePlace : std::uint8_t { scheduler, io_thread };

}  // namespace kiwi
