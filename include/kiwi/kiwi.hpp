#pragma once

// Kiwi inside a CAF application: everything of include/kiwi/. Link kiwi::kiwi.

#include "kiwi/redis.hpp"
#include "kiwi/replica.hpp"
#include "kiwi/state_machine.hpp"
