#pragma once

// Has a joining learner caught up? (Thesis 4.2.1.) Replication to it is cut into rounds: each brings what the
// leader's log holds when it begins. When some rounds in a row take less than the shortest election time-out,
// the learner can follow, and what it lacks when it becomes a voter is at most what was written in one such
// round: commits do not wait longer for it than an election would take.

#include <cstdint>

#include "messages/ids.hpp"

namespace kiwi::raft {

class Promotion {
 public:
  static constexpr std::uint32_t kRounds = 3;

  Promotion() = default;
  Promotion(NodeId node, std::uint64_t round_ticks) : node_(node), round_ticks_(round_ticks) {}

  NodeId node() const { return node_; }
  /// Once per tick. `follows`: entries reach it, and it has its state.
  void look(std::uint64_t now_ticks, Index match, Index last, bool follows);
  bool level() const { return rounds_ >= kRounds; }
  /// Short enough ones in a row, at most kRounds.
  std::uint32_t rounds() const { return rounds_; }

 private:
  NodeId node_;  // 0: nobody
  std::uint64_t round_ticks_ = 0;
  bool begun_ = false;
  Index end_;  // of the current round
  std::uint64_t began_ticks_ = 0;
  std::uint32_t rounds_ = 0;
};

}  // namespace kiwi::raft
