#pragma once

// A Redis of strings in the fewest lines, written from the Redis documentation and not from the checkers'
// model: what the definition of linearizability is tried on.

#include <map>
#include <string>
#include <vector>

#include "messages/reply.hpp"

namespace kiwi::lab::history::testing {

struct ReferenceStore {
  std::map<std::string, std::string> strings;
  Reply run(const std::vector<std::string>& command);
};

}  // namespace kiwi::lab::history::testing
