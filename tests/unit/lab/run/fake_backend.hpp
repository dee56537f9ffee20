#pragma once

// A cluster for tests of the runner: one linearizable store behind nodes of which one leads. Tests say what
// goes wrong and when. Time is virtual; a command takes 1 ms, an election 300 ms.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lab/chance.hpp"
#include "lab/run/backend.hpp"

namespace kiwi::lab {

class FakeBackend final : public Backend {
 public:
  static constexpr Time kElection = std::chrono::milliseconds(300);

  FakeBackend(std::size_t nodes, Listener& listener);

  // --- what tests do to it
  /// Runs `what` at that time, from inside run_until.
  void at(Time time, std::function<void()> what);
  /// The node leads from now on, in a new term.
  void elect(NodeId node);
  /// Nobody leads any more, and everybody knows.
  void depose();
  void pass_mark(NodeId node, const std::string& mark);
  void send_message(NodeId from, NodeId to, const std::string& kind, std::uint64_t index);
  void break_invariant() {
    broken_ = BrokenInvariant{7, "a committed entry never changes", "it changed", now_};
  }
  /// The process ends by itself.
  void end_node(NodeId node, const std::string& why);
  /// The n-th write from now is acknowledged and forgotten.
  void forget_write(std::uint64_t nth) { forget_ = nth; }
  /// Commands are swallowed: no reply ever comes.
  void swallow(bool on) { swallow_ = on; }
  void lie_about_digest(NodeId node) { liar_ = node; }
  /// Actions that change nothing.
  std::set<std::string> ineffective;
  /// Everything that was applied, as text.
  std::vector<std::string> applied;
  /// Elections do not happen by themselves.
  bool may_elect = true;

  // --- Backend
  std::string_view name() const override { return "sim"; }
  Time now() const override { return now_; }
  tl::expected<void, BrokenInvariant> run_until(Time limit) override;
  tl::expected<Applied, std::string> apply(const script::Action& action) override;
  std::vector<NodeView> nodes() const override { return views_; }
  void connect(ConnectionId connection, NodeId node) override;
  void send(ConnectionId connection, const std::vector<std::string>& command) override;
  void disconnect(ConnectionId connection) override;
  bool observe(std::string_view kind) override;
  NodeId node_at(std::string_view address) const override;
  std::string digest(NodeId node) override;
  std::uint64_t trace_hash() const override { return hash_; }
  std::map<std::string, std::uint64_t> figures() const override { return {{"events", events_}}; }

 private:
  NodeView& view(NodeId node) { return views_.at(node.value - 1); }
  void changed(NodeId node);
  void call_election();
  bool reaches_majority(NodeId node) const;
  void execute(ConnectionId connection, const std::vector<std::string>& command);
  Reply answer(NodeId node, const std::vector<std::string>& command);
  Reply store(const std::vector<std::string>& command);
  void trace(const std::string& what);

  Listener& listener_;
  Time now_{0};
  std::multimap<Time, std::function<void()>> events_due_;
  std::vector<NodeView> views_;
  std::set<std::pair<NodeId, NodeId>> cut_;
  std::map<ConnectionId, NodeId> connections_;
  std::map<std::string, std::string> data_;
  std::set<std::string> observed_;
  std::optional<BrokenInvariant> broken_;
  std::uint64_t forget_ = 0;
  std::uint64_t writes_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t hash_ = 0;
  NodeId liar_;
  bool swallow_ = false;
  bool told_ = false;
};

}  // namespace kiwi::lab
