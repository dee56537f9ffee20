#pragma once

// INFO raft as a NodeView, and what must hold between the views of one run.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lab/run/backend.hpp"

namespace kiwi::lab {

/// Fills in role, term, leader, commit, applied, last and voters. False: the text lacks something. A node out
/// of service says nothing new but that: its role is not known.
bool read_info(std::string_view info, NodeView& view);

/// Of the invariants, those that can be told from outside, from what nodes said at different moments.
class ViewChecks {
 public:
  std::optional<BrokenInvariant> look(const NodeView& view, Time now);
  /// Its disk was replaced: what it promised before does not bind it.
  void forget(NodeId node) { last_.erase(node); }

 private:
  std::map<Term, NodeId> leaders_;
  std::map<NodeId, NodeView> last_;
};

}  // namespace kiwi::lab
