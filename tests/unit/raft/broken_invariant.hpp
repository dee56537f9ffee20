#pragma once

#include <stdexcept>
#include <string>

namespace kiwi::raft {

/// Thrown by KIWI_ASSERT in these tests, and by the checker.
struct BrokenInvariant : std::logic_error {
  using std::logic_error::logic_error;
};

}  // namespace kiwi::raft
