#pragma once

#include "messages/ids.hpp"

namespace kiwi {

/// What Raft calls persistent state besides the log (figure 2): the current term and whom this node voted
/// for in it. voted_for 0 means "nobody". Durable before any message that promises it leaves (rule 2).
struct Vote {
  static constexpr const char* name = "Vote";
  Term term;
  NodeId voted_for;
  auto fields() { return std::tie(term, voted_for); }
  friend constexpr bool operator==(const Vote&, const Vote&) = default;
};

}  // namespace kiwi
