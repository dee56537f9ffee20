#include "node/random_number.hpp"

#include <random>

namespace kiwi {

std::uint64_t random_number() {
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) | 1;
}

}  // namespace kiwi
