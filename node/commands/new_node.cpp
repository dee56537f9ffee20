#include "node/commands/new_node.hpp"

#include <random>

namespace kiwi {

InstanceId draw_instance() {
  std::random_device device;
  return InstanceId((std::uint64_t{device()} << 32 | device()) | 1);
}

}  // namespace kiwi
