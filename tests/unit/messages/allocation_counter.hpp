#pragma once

// Counts what this program allocates with operator new, so that "memory stays bounded" can be a test.

#include <cstddef>

namespace kiwi::test {

/// Counts from its construction on. One at a time, in single-threaded tests.
class AllocationCounter {
 public:
  AllocationCounter();
  /// The most that was alive at once, above what was alive at the start.
  std::size_t peak_bytes() const;
  /// Alive now, above what was alive at the start; 0 when less is.
  std::size_t live_bytes() const;
  /// All that was ever allocated since the start.
  std::size_t total_bytes() const;

 private:
  std::size_t live_at_start_;
  std::size_t total_at_start_;
};

}  // namespace kiwi::test
