// In these tests a broken invariant throws instead of ending the process, so that a test can expect it, and a
// random run can say its seed. The linker takes this definition before the one in the messages library.

#include "messages/assert.hpp"
#include "tests/unit/raft/broken_invariant.hpp"

namespace kiwi {

void assertion_failed(const char* condition, const char* what, const char* file, int line) {
  throw raft::BrokenInvariant(std::string(what) + " (" + condition + ") at " + file + ":" +
                              std::to_string(line));
}

}  // namespace kiwi
