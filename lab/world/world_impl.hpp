#pragma once

// The inside of World: nodes, network, clients and agenda on one time line.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lab/world/agenda.hpp"
#include "lab/world/clients.hpp"
#include "lab/world/net.hpp"
#include "lab/world/sim_node.hpp"
#include "lab/world/trace.hpp"
#include "lab/world/world.hpp"

namespace kiwi::lab {

class World::Impl final : public NetHost, public NodeHost {
 public:
  Impl(WorldOptions options, Listener& listener);
  ~Impl() override;

  tl::expected<void, BrokenInvariant> run_until(Time limit);
  tl::expected<Applied, std::string> apply(const script::Action& action);
  SimNode* node(NodeId id) const;
  NodeView view(const SimNode& node) const;
  std::map<std::string, std::uint64_t> figures() const;
  std::uint64_t hash() const;

  // --- NetHost and NodeHost
  Time world_now() const override { return now_; }
  bool noisy() const override { return now_ >= options_.noise_from && now_ < options_.noise_to; }
  Net& net() override { return net_; }
  std::uint64_t life_of(NodeId node) const override;
  bool dark(NodeId node) const override;
  bool opened(NodeId node, NodeId peer, std::uint64_t connection) override;
  bool arrived(NodeId node, NodeId peer, bool acceptor, std::uint64_t connection, std::uint8_t lane,
               const std::string& bytes) override;
  void closed(NodeId node, NodeId peer, bool acceptor, std::uint64_t connection,
              const std::string& why) override;
  void packet(const Parcel& parcel, NodeId from, NodeId to, bool arrives) override;
  bool watches_disks() const override { return observe_disk_; }
  void disk_operation(NodeId node, const std::string& text) override;
  void happened(NodeId node, std::string kind, std::map<std::string, std::string> fields) override;
  ConnectionId ask_other(NodeId from, const std::string& address,
                         const std::vector<std::string>& command) override {
    return clients_.ask_other(from, node_at(address), command);
  }
  void hang_up(ConnectionId connection) override { clients_.disconnect(connection); }
  NodeId node_at(std::string_view address) const;

  WorldOptions options_;
  Listener& listener_;
  Time now_{0};
  bool told_ = false;
  Trace trace_;
  Agenda agenda_;
  Net net_;
  Clients clients_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  StepCheck check_;
  bool observe_messages_ = false;
  bool observe_disk_ = false;
  bool observe_marks_ = false;  // else only the first of each kind on each node is told

 private:
  /// What of a node was told last.
  struct Seen {
    bool up = false;
    NodeRole role = NodeRole::unknown;
    Term term;
    NodeId leader;
    Index commit, applied, last, purged;
    auto operator<=>(const Seen&) const = default;
  };
  /// Does the next thing that is due before `limit`. Gives the node it happened on; nothing: it is `limit`.
  std::optional<NodeId> step(Time limit);
  void look_at(SimNode& node);
  void strike(SimNode& node);
  void node_over(SimNode& node);
  tl::expected<Applied, std::string> on_nodes(const script::Action& action);
  tl::expected<Applied, std::string> on_links(const script::Action& action);

  // --- verbs_*.cpp: each gives false when it changed nothing
  using Details = std::map<std::string, std::string>;
  tl::expected<bool, std::string> node_verb(SimNode& node, const script::Action& action, Details& details);
  tl::expected<bool, std::string> crash_at(SimNode& node, const script::Action& action);
  tl::expected<bool, std::string> clock_verb(SimNode& node, const script::Action& action);
  tl::expected<bool, std::string> actor_verb(SimNode& node, const script::Action& action);
  tl::expected<bool, std::string> disk_verb(SimNode& node, const script::Action& action, Details& details);
  tl::expected<bool, std::string> link_verb(Link& link, const script::Action& action, Details& details);

  std::string flip(SimNode& node, sim::FileClass where, const std::string& in_path, const std::string& at,
                   std::uint64_t number);
  void start(SimNode& node);

  std::vector<Seen> seen_;
  std::vector<Happening> untold_;  // from before the first run_until()
  bool told_start_ = false;
  std::uint64_t faults_ = 0;
  SimNode* running_ = nullptr;  // whose code runs
  static thread_local Impl* current_;
  /// An instrumented point of the code that runs was passed (messages/fault_points.hpp).
  static void on_mark(std::size_t mark);
  std::vector<std::vector<bool>> marks_told_;                 // by node, by mark
  std::vector<std::pair<NodeId, std::size_t>> untold_marks_;  // from before the first run_until()
  /// In simulated code a failed assertion is the end of that node alone, like an abort: the handler that runs
  /// is left by an exception, and nothing more reaches the disk. Elsewhere the laboratory itself is broken.
  static void on_assertion(const char* text);
};

NodeRole role_of(raft::Role role);

}  // namespace kiwi::lab
