#pragma once

// The inside of ProcessBackend.

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lab/process/clients.hpp"
#include "lab/process/control_link.hpp"
#include "lab/process/digests.hpp"
#include "lab/process/node_process.hpp"
#include "lab/process/process_backend.hpp"
#include "lab/process/proxy.hpp"
#include "lab/process/slowness.hpp"
#include "lab/process/view_reader.hpp"

namespace kiwi::lab {

class ProcessBackend::Impl {
 public:
  /// How often nodes are looked at.
  static constexpr Time kPoll = std::chrono::milliseconds(20);

  Impl(const ProcessOptions& options, Listener& listener);
  ~Impl();

  tl::expected<void, std::string> start();
  tl::expected<void, BrokenInvariant> run_until(Time limit);
  tl::expected<Applied, std::string> apply(const script::Action& action);
  Time now() const { return loop_.now() - started_; }

  struct Node {
    Node(NodeId id, const std::filesystem::path& run_dir);
    NodeProcess process;
    ReservedPort redis, raft;
    bool fresh = false;  // it is started without an initial cluster
    std::unique_ptr<ControlLink> control;
    std::string dial_map;
    NodeView view;
    /// The laboratory's own connections: replies come in order, so what may have to wait for the cluster has
    /// one apart.
    struct Wire {
      ProcessClients::Id id = 0;  // 0: not connected
      std::deque<std::function<void(const Reply&)>> asked;
    };
    Wire info, digests;
    bool polled = false;  // an INFO is under way
    bool answered = false;
    /// Commands of the control socket that a new life needs again.
    std::vector<std::string> clock, disk;
    /// `crash-at` of the control socket; empty: none.
    std::string crash_at;
    std::uint64_t log_read = 0;  // how much of its log was looked at
  };

  Node* node(NodeId id) const;
  /// One command on a connection of the laboratory. False: the node is down.
  bool ask(Node& node, Node::Wire& wire, const std::vector<std::string>& command,
           std::function<void(const Reply&)> answered);

  ProcessOptions options_;
  Listener& listener_;
  Loop loop_;
  std::filesystem::path dir_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unique_ptr<Proxy> proxy_;
  std::unique_ptr<ProcessClients> clients_;
  Digests digests_;
  ViewChecks checks_;
  Slowness slowness_;
  bool told_ = false;
  bool observe_messages_ = false;
  bool observe_marks_ = false;
  std::set<std::pair<NodeId, std::string>> marked_;  // that the listener knows of
  std::map<std::string, std::uint64_t> figures_;

 private:
  tl::expected<void, std::string> make_nodes();
  std::string initial_cluster() const;
  tl::expected<void, std::string> start_node(Node& node);
  /// Commands of the control socket for what the cluster line says of disks; they outlast `free`.
  std::vector<std::string> usual_disk() const;
  void tick();
  void look_at(Node& node);
  void take_info(Node& node, const Reply& reply);
  void changed(Node& node);
  void ended(Node& node);
  void read_log(Node& node);
  void happened(NodeId node, std::string kind, std::map<std::string, std::string> fields);
  void seen(NodeId from, NodeId to, const CutFrame& frame);

  // --- process_verbs.cpp: each gives false when it changed nothing
  using Details = std::map<std::string, std::string>;
  tl::expected<Applied, std::string> on_links(const script::Action& action);
  tl::expected<bool, std::string> node_verb(Node& node, const script::Action& action, Details& details);
  tl::expected<std::string, std::string> ask_to_end(Node& node, const std::string& command);
  tl::expected<bool, std::string> crash(Node& node, Details& details);
  tl::expected<bool, std::string> power_fail(Node& node, const script::Action& action, Details& details);
  tl::expected<bool, std::string> crash_at(Node& node, const script::Action& action);
  tl::expected<bool, std::string> restart(Node& node);
  tl::expected<bool, std::string> clone_disk(Node& from, Node& to);
  tl::expected<bool, std::string> clock_verb(Node& node, const script::Action& action);
  tl::expected<bool, std::string> disk_verb(Node& node, const script::Action& action);
  tl::expected<bool, std::string> flip(Node& node, const script::Action& action, Details& details);
  /// Does it now when the node runs, and in each life from now on.
  tl::expected<bool, std::string> keep_doing(Node& node, std::vector<std::string>& kept, std::string command,
                                             bool replaces);

  Time started_{0};  // the loop's time when the run began
  std::optional<BrokenInvariant> broken_;
  /// Numbers from here on are the laboratory's own connections.
  static constexpr ProcessClients::Id kOwn = ProcessClients::Id{1} << 63;
  ProcessClients::Id next_own_ = kOwn;
  std::uint64_t power_fails_ = 0;
  ChanceStream chance_;
};

}  // namespace kiwi::lab
