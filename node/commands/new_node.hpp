#pragma once

#include "messages/ids.hpp"

namespace kiwi {

/// Drawn from the system; never 0.
InstanceId draw_instance();

}  // namespace kiwi
