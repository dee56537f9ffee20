#pragma once

// A random block: draws faults by keyed chance, each with its own end. With spare=majority a majority of the
// voters, of both halves of a joint membership, is never taken away at one time; what takes a node away is
// crash, stop, power-fail, pause, a disk that fails, hangs or is full, a starved actor, and being cut off or
// clogged.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lab/run/fuzz_draw.hpp"
#include "lab/run/run_state.hpp"
#include "lab/script/ast.hpp"

namespace kiwi::lab {

class Fuzzer {
 public:
  /// `when` must live as long. `done` is called when all faults of the block are ended.
  Fuzzer(RunState& run, const script::When& when, std::function<void()> done);
  void start();

 private:
  void next();
  /// A fault that can be done now; nothing when it would take too many away.
  std::optional<DrawnFault> draw();
  void begin(DrawnFault fault);
  /// Now, and its end after `lasts`.
  void strike(DrawnFault fault, Time lasts);
  void end(const DrawnFault& fault);
  std::vector<script::Action> ends_of(const DrawnFault& drawn);
  void finish_if_over();
  /// How many more may be taken away.
  std::size_t may_go();
  bool is_away(const NodeView& view) const;
  void change_members();
  std::vector<NodeId> present();

  RunState& run_;
  const script::When& when_;
  script::FuzzSettings settings_;
  std::function<void()> done_;
  ChanceStream gaps_;
  ChanceStream kinds_;
  ChanceStream members_;
  std::uint64_t members_drawn_ = 0;
  Index configuration_;  // the newest that a reply has told of
  std::uint64_t drawn_ = 0;
  Time until_{0};
  bool drawing_ = true;
  std::uint64_t open_ = 0;
  std::map<NodeId, std::uint64_t> away_;  // how many faults take it away
  /// Its disk was spoilt: it may be gone for good. One in a run: every datum keeps good copies enough.
  NodeId spoilt_;
};

/// Cuts each of the nodes off at a moment of the first half of `span` and heals it in the second; `done`
/// then.
void swizzle_nodes(RunState& run, const std::vector<NodeId>& nodes, Time span, int line,
                   std::function<void()> done);

}  // namespace kiwi::lab
