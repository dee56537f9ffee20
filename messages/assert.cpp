#include "messages/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace kiwi {

void assertion_failed(const char* condition, const char* what, const char* file, int line) {
  std::fprintf(stderr, "kiwi: BUG: %s (%s) at %s:%d\n", what, condition, file, line);
  std::fflush(stderr);
  std::_Exit(kExitBug);
}

}  // namespace kiwi
