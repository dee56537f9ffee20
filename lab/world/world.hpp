#pragma once

// The simulated world: a cluster of production actors in one thread, on virtual time, that repeats itself bit
// for bit. One seed and one sequence of calls = one run, on every machine.
//
//   time      jumps from one thing to do to the next; nodes' clocks have an offset and a rate
//   actors    one actor_system per node on our own scheduler (coordinator.hpp); one message per step
//   network   frames as bytes through the links of SimNet; the receiving node decodes and shakes hands
//   disks     RocksDB on storage/testing; writes wait for a latency that is drawn, made long, or never ends
//   clients   RESP bytes into the same ClientConnection that serves sockets
//
// Nodes hold no handles of each other. A crash runs no handler of production code, but destructors do run:
// the disk is frozen before.
//
// Owner: the runner. One thread. Must not be called from inside a Listener, except send().

#include <functional>
#include <memory>
#include <optional>

#include "lab/run/backend.hpp"
#include "lab/world/world_options.hpp"
#include "raft/core.hpp"

namespace kiwi::sim {
class SimDisk;
class SimMachine;
}  // namespace kiwi::sim

namespace kiwi::lab {

class World final : public Backend {
 public:
  /// Starts the nodes. `listener` must live longer and hears nothing before the first run_until(); what
  /// happened at the start comes then.
  World(WorldOptions options, Listener& listener);
  ~World() override;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // --- Backend
  std::string_view name() const override { return "sim"; }
  Time now() const override;
  tl::expected<void, BrokenInvariant> run_until(Time limit) override;
  tl::expected<Applied, std::string> apply(const script::Action& action) override;
  std::vector<NodeView> nodes() const override;
  void connect(ConnectionId connection, NodeId node) override;
  void send(ConnectionId connection, const std::vector<std::string>& command) override;
  void disconnect(ConnectionId connection) override;
  bool observe(std::string_view kind) override;
  NodeId node_at(std::string_view address) const override;
  std::string address_of(NodeId node) const override;
  std::map<std::string, std::string> logs() const override;
  std::string digest(NodeId node) override;
  std::uint64_t trace_hash() const override;
  std::map<std::string, std::uint64_t> figures() const override;

  // --- For the invariants: looked at between steps, never changed
  /// Called after each step, with the node it happened on (0: none). An answer ends the run. Null: none.
  using StepCheck = std::function<std::optional<BrokenInvariant>(NodeId)>;
  void on_step(StepCheck check);
  const WorldOptions& options() const;
  /// The protocol state of a node's raft actor; null while it does not run. Good until the next step.
  const raft::Core* core(NodeId node) const;
  /// What the node's disk holds now, down or up.
  const sim::SimDisk& disk(NodeId node) const;
  /// Counts the starts of a node: 1, 2, ...
  std::uint64_t incarnation(NodeId node) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kiwi::lab
