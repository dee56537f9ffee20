#pragma once

#include <cstdint>

namespace kiwi {

/// Drawn from the system, for instance ids and seeds; never 0.
std::uint64_t random_number();

}  // namespace kiwi
