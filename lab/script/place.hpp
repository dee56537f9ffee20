#pragma once

namespace kiwi::lab::script {

/// Where something stands in the sources of a scenario. Two places always compare equal: what a script means
/// does not depend on where its lines stand, so ASTs are compared without them.
struct Place {
  int file = 0;    // 0: the scenario itself; else Scenario::files[file]
  int line = 0;    // from 1; 0: made by the laboratory
  int column = 0;  // from 1, in bytes
  friend constexpr bool operator==(const Place&, const Place&) { return true; }
};

}  // namespace kiwi::lab::script
