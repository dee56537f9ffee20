#pragma once

// One statement of a lowered script ("! 2.000000s  cut n1 -> n2,n3"): a verb with everything that selectors
// and chance had to decide already decided. What a backend is told to do, and what a replay file is made of.

#include <map>
#include <string>
#include <vector>

#include "lab/time.hpp"
#include "messages/ids.hpp"

namespace kiwi::lab::script {

struct Action {
  Time at{0};
  /// A row of the table of verbs (lab/script/verbs.hpp).
  std::string verb;
  /// Node verbs: whom it concerns. Link verbs: the sending ends. In ascending order, no duplicates.
  std::vector<NodeId> nodes;
  /// Link verbs: the receiving ends. Ascending, no duplicates. A link from a node to itself is skipped.
  std::vector<NodeId> to;
  /// Link verbs: "<->".
  bool both_ways = false;
  /// Positional words after the selectors, e.g. "fail" "sync" or the words of a Redis command after `do`.
  std::vector<std::string> words;
  /// key=value arguments, by key.
  std::map<std::string, std::string> options;
  /// Line of the script that it came from; 0: from a random block or a lowered script without one.
  int line = 0;
  friend bool operator==(const Action&, const Action&) = default;
};

}  // namespace kiwi::lab::script
