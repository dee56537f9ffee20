#include "messages/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace kiwi {

namespace {
AssertionHook assertion_hook = nullptr;
}

void set_assertion_hook(AssertionHook hook) { assertion_hook = hook; }

void assertion_failed(const char* condition, const char* what, const char* file, int line) {
  if (assertion_hook != nullptr) {
    char text[512];
    std::snprintf(text, sizeof text, "%s (%s) at %s:%d", what, condition, file, line);
    assertion_hook(text);
  }
  std::fprintf(stderr, "kiwi: BUG: %s (%s) at %s:%d\n", what, condition, file, line);
  std::fflush(stderr);
  std::_Exit(kExitBug);
}

}  // namespace kiwi
