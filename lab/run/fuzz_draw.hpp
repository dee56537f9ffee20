#pragma once

// What a random fault looks like: the arguments of a verb, drawn so that it can do harm but not stop the run.

#include <optional>
#include <string>
#include <vector>

#include "lab/chance.hpp"
#include "lab/run/backend.hpp"
#include "lab/script/action.hpp"

namespace kiwi::lab {

struct DrawnFault {
  script::Action action;
  /// Nodes that cannot serve, or be heard, while it lasts.
  std::vector<NodeId> away;
  /// Done so long before the fault itself. `verb` empty: nothing.
  script::Action before;
  Time before_by{0};
};

/// At most `room` of `present` are taken away. Nothing: not possible now. Requires a verb with
/// VerbRow::in_fuzz.
std::optional<DrawnFault> draw_fault(const std::string& verb, ChanceStream& chance,
                                     const std::vector<NodeView>& nodes, const std::vector<NodeId>& present,
                                     std::size_t room);

/// A duration in [from, to], in milliseconds.
Time draw_time(ChanceStream& chance, Time from, Time to);

}  // namespace kiwi::lab
