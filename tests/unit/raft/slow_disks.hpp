#pragma once

// A cluster with disks of every speed. Time goes in ticks; links take none, a sync takes as many as its disk
// is told to, and what arrives meanwhile waits for the next sync. A client writes to every leader each tick.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "tests/unit/raft/lone.hpp"
#include "tests/unit/raft/sim_node.hpp"

namespace kiwi::raft {

class SlowDisks {
 public:
  static constexpr std::uint64_t kHangs = 1'000'000'000;

  explicit SlowDisks(std::size_t count, std::uint64_t seed = 1) : disks_(count) {
    for (std::size_t i = 1; i <= count; ++i) {
      Options o;
      o.id = NodeId(i);
      o.seed = seed;
      nodes_.push_back(std::make_unique<SimNode>(o, voters(count), checker_));
      nodes_.back()->start();
    }
  }

  SimNode& node(NodeId id) { return *nodes_.at(id.value - 1); }
  const Core& core(NodeId id) { return node(id).core(); }
  /// Ticks per sync, from now on; a sync that is running takes as long too.
  void disk(NodeId id, std::uint64_t ticks) {
    SlowDisk& d = disks_.at(id.value - 1);
    d.ticks = ticks;
    d.done_at = now_ + ticks;
  }
  void all_disks(std::uint64_t ticks) {
    for (const auto& n : nodes_) disk(n->id(), ticks);
  }
  /// The link loses these messages.
  void lose(std::function<bool(NodeId from, const Outgoing&)> lost) { lost_ = std::move(lost); }

  void run(std::uint64_t ticks) {
    for (; ticks > 0; --ticks) {
      ++now_;
      for (const auto& n : nodes_) n->tick();
      for (const auto& n : nodes_)
        if (writing && n->core().role() == Role::leader)
          n->propose(std::to_string(++texts_));
      settle();
    }
  }
  /// 0: nobody leads, or more than one thinks so.
  NodeId leader() {
    NodeId found;
    for (const auto& n : nodes_) {
      if (n->core().role() == Role::leader && found)
        return NodeId(0);
      if (n->core().role() == Role::leader)
        found = n->id();
    }
    return found;
  }
  /// Ticks until `until` is true; more than `most`: it never was.
  std::uint64_t wait(std::uint64_t most, const std::function<bool()>& until) {
    std::uint64_t ticks = 0;
    for (; ticks <= most && !until(); ++ticks) run(1);
    return ticks;
  }
  NodeId elect(std::uint64_t most = 100) {
    wait(most, [&] { return leader() && core(leader()).leader_ready(); });
    return leader();
  }
  NodeId other_than(NodeId a, NodeId b = NodeId(0)) {
    for (const auto& n : nodes_)
      if (n->id() != a && n->id() != b)
        return n->id();
    return NodeId(0);
  }
  /// Of all nodes together.
  std::uint64_t step_downs() const {
    std::uint64_t sum = 0;
    for (const auto& n : nodes_) sum += n->core().counters().step_downs;
    return sum;
  }
  std::size_t committed() const { return checker_.history().size(); }

  bool writing = true;

 private:
  struct SlowDisk {
    std::uint64_t ticks = 0;
    std::uint64_t done_at = 0;
    std::size_t writes = 0;  // in the sync that is running; 0: none is
  };

  bool work(SimNode& n, SlowDisk& d) {
    bool moved = false;
    if (d.writes > 0 && now_ >= d.done_at) {
      n.persist(d.writes, false);
      d.writes = 0;
      moved = true;
    }
    if (d.writes == 0 && n.writes_waiting() > 0) {
      d.writes = n.writes_waiting();
      d.done_at = now_ + d.ticks;
      moved = true;
    }
    n.apply(1000);
    while (n.fetches_waiting() > 0) n.answer_fetch(0);
    return moved;
  }

  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < nodes_.size(); ++i) moved = work(*nodes_[i], disks_[i]) || moved;
      for (const auto& n : nodes_)
        for (Outgoing& m : n->take_messages()) {
          if (lost_ && lost_(n->id(), m))
            continue;
          node(m.to).step(n->id(), std::move(m.message));
          moved = true;
        }
    }
  }

  Checker checker_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<SlowDisk> disks_;
  std::function<bool(NodeId, const Outgoing&)> lost_;
  std::uint64_t now_ = 0;
  std::uint64_t texts_ = 0;
};

}  // namespace kiwi::raft
