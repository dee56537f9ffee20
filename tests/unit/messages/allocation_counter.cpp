#include "tests/unit/messages/allocation_counter.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

std::size_t g_live = 0;
std::size_t g_peak = 0;
std::size_t g_total = 0;

void* counted_alloc(std::size_t bytes) {
  void* p = std::malloc(bytes == 0 ? 1 : bytes);
  if (p == nullptr)
    throw std::bad_alloc();
  const std::size_t size = malloc_usable_size(p);
  g_live += size;
  g_total += size;
  g_peak = std::max(g_peak, g_live);
  return p;
}

void counted_free(void* p) {
  if (p == nullptr)
    return;
  g_live -= malloc_usable_size(p);
  std::free(p);
}

}  // namespace

void* operator new(std::size_t bytes) { return counted_alloc(bytes); }
void* operator new[](std::size_t bytes) { return counted_alloc(bytes); }
void operator delete(void* p) noexcept { counted_free(p); }
void operator delete[](void* p) noexcept { counted_free(p); }
void operator delete(void* p, std::size_t) noexcept { counted_free(p); }
void operator delete[](void* p, std::size_t) noexcept { counted_free(p); }

namespace kiwi::test {

AllocationCounter::AllocationCounter() : live_at_start_(g_live), total_at_start_(g_total) { g_peak = g_live; }
std::size_t AllocationCounter::peak_bytes() const { return g_peak - live_at_start_; }
std::size_t AllocationCounter::live_bytes() const {
  return g_live > live_at_start_ ? g_live - live_at_start_ : 0;
}
std::size_t AllocationCounter::total_bytes() const { return g_total - total_at_start_; }

}  // namespace kiwi::test
