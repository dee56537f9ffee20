#pragma once

// One machine with its clocks and its disk, and the process on it while there is one: a whole actor_system
// with the production node inside.

#include <caf/all.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/client_connection.hpp"
#include "actors/interfaces.hpp"
#include "actors/log_group.hpp"
#include "actors/node_actor.hpp"
#include "lab/run/backend.hpp"
#include "lab/world/client_actor.hpp"
#include "lab/world/coordinator.hpp"
#include "lab/world/net.hpp"
#include "lab/world/node_time.hpp"
#include "lab/world/observer.hpp"
#include "lab/world/sim_machine.hpp"
#include "raft/core.hpp"
#include "storage/testing/power_cut.hpp"
#include "storage/testing/sim_env.hpp"

namespace kiwi::lab {

/// Where the simulated node keeps its data.
inline constexpr const char* kNodeDir = "/node";

NodeAddress address_of(NodeId node);
/// The machine that has this address; 0: none has.
NodeId machine_at(const NodeAddress& address);

class SimNode;

/// Where a node is to die: at the `nth` time that it passes `mark`, plus so many more changes of its disk.
struct CrashPoint {
  std::string mark;
  std::uint64_t nth = 1;
  std::uint64_t operations = 0;
  bool power = false;  // the machine loses power, too
  bool torn = false;
};

/// What a node asks of the world.
class NodeHost {
 public:
  virtual ~NodeHost() = default;
  virtual Time world_now() const = 0;
  virtual bool noisy() const = 0;
  virtual Net& net() = 0;
  /// Somebody wants to know of each operation that changes a disk.
  virtual bool watches_disks() const = 0;
  virtual void disk_operation(NodeId node, const std::string& text) = 0;
  /// A client connection from this node to "host:port", for one command; what becomes of it comes to
  /// SimNode::asked_another(), at most once, while this life lasts.
  virtual ConnectionId ask_other(NodeId from, const std::string& address,
                                 const std::vector<std::string>& command) = 0;
  virtual void hang_up(ConnectionId connection) = 0;
  virtual void happened(NodeId node, std::string kind, std::map<std::string, std::string> fields) = 0;
};

class SimNode final : public CoordinatorHost {
 public:
  SimNode(NodeId id, const WorldOptions& options, NodeHost& host);
  ~SimNode() override;
  SimNode(const SimNode&) = delete;
  SimNode& operator=(const SimNode&) = delete;

  // --- The process
  /// Requires !up(). What cannot be opened leaves it down, failed(), with why().
  void start();
  /// It dies there, in this life or a later one, once. Nothing: not any more.
  void crash_at(std::optional<CrashPoint> point) { crash_point_ = std::move(point); }
  const std::optional<CrashPoint>& crash_point() const { return crash_point_; }
  /// An instrumented point was passed in this node.
  void passed(std::string_view mark);
  /// Where it has just come to: its disk is frozen, and it must be ended now, up or not. Until that.
  const std::optional<CrashPoint>& struck();
  /// After start() was left by an exception.
  void start_failed(const std::string& why);
  /// kill -9: no handler runs, nothing more reaches the disk. Requires up() or struck().
  void crash();
  /// crash(), and the disk keeps what the cut says; without one it is drawn within the profile.
  sim::PowerCut power_fail(std::optional<sim::PowerCut> cut, bool torn);
  /// Ends in order, by and by. Requires up().
  void stop();
  /// To be called after each step of this node: true when the process has ended by itself or by stop().
  bool ended() const { return ended_ || !bug_.empty(); }
  /// Clears away after ended().
  void bury();
  /// An assertion of production code failed in it: nothing more reaches the disk.
  void assertion_failed(const std::string& text);

  bool up() const { return system_ != nullptr; }
  bool paused() const { return paused_; }
  void pause() { paused_ = true; }
  void resume();
  bool dark() const { return dark_; }
  bool failed() const { return failed_; }
  const std::string& bug() const { return bug_; }
  const std::string& why() const { return why_; }
  std::uint64_t life() const { return life_; }
  NodeId id() const { return id_; }

  // --- Running it
  bool running() const { return system_ && !paused_; }
  Time next_run() const { return coordinator_->next_run(); }
  Time next_timer() const { return coordinator_->next_timer(); }
  /// One message of one actor; the node is busy for what it costs.
  const ScheduledActor& run_one();
  /// Shows WorldOptions::observer, if there is one, what the last run of this actor did.
  void observe(const ScheduledActor& actor);
  /// What is put aside now, where `known` writes were after the actor's last run.
  void observe(const LogGroup& group, std::uint64_t epoch, std::size_t& known);
  void fire_timers() { coordinator_->fire_timers(); }

  // --- From outside, at once; while it is paused it waits for resume(), up to a limit (false: no room).
  bool deliver(std::function<void(SimNode&)> thing);
  const caf::actor& acceptor() const { return acceptor_; }
  /// The dialers to that machine; each knows its connections.
  std::vector<caf::actor> peers(NodeId machine) const;
  caf::actor spawn_client(ConnectionId connection, ClientWire& wire);
  bool serves_clients() const { return shared_ && shared_->options.replica; }
  /// The answer to NodeHost::ask_other(), as a line; nothing: the connection is gone.
  void asked_another(ConnectionId connection, std::optional<std::string> line);

  // --- Looking at it
  const raft::Core* core() const;
  SimStateMachine* machine() { return seat_; }
  const SimStateMachine* machine() const { return seat_; }
  sim::SimMachine& hardware() { return *hardware_; }
  const sim::SimMachine& hardware() const { return *hardware_; }
  Coordinator* coordinator() { return coordinator_; }
  NodeTime& time() { return time_; }
  const std::string& log() const { return log_; }
  std::uint64_t disk_trace() const { return mix(old_disk_trace_ ^ hardware_->fs->trace()); }
  std::uint64_t syncs() const { return old_syncs_ + hardware_->fs->syncs(); }
  std::uint64_t disk_operations() const { return old_operations_ + hardware_->fs->operations(); }

  // --- Harm
  /// Empties the disk. Requires !up(). `fresh`: its node belongs to no cluster when it starts; else it comes
  /// back as one of the initial cluster, if it was.
  void wipe(bool fresh);
  /// Requires both to be down.
  void clone_disk(const SimNode& from);
  void set_capacity(std::uint64_t bytes);
  bool full() const { return capacity_ != ~std::uint64_t{0}; }
  /// After a change of the disk's faults.
  void disk_changed();
  /// Calls that `slow` faults make slower take up to this much more, drawn for each.
  void set_slow_width(Time width) { slow_width_ = width; }
  /// After NodeHost::watches_disks() changed.
  void watch_disk();
  sim::Chooser chooser(std::string name);

  // --- CoordinatorHost
  Time world_now() const override { return host_.world_now(); }
  const NodeTime& node_time() const override { return time_; }
  bool noisy() const override { return host_.noisy(); }
  Time hold(const ScheduledActor& actor, bool again) override;
  void spawned(const ScheduledActor& actor, const caf::strong_actor_ptr& handle) override;

 private:
  class LogSink;
  OpenOptions open_options();
  NodeStart node_start(OpenedReplica opened);
  PeerActor make_peer(const Member& peer, const Hello& own, const ReplicaActor& replica);
  caf::actor serve_clients(const ReplicaActor& replica);
  void close_clients();
  bool fresh_start() const { return fresh_ || id_.value > options_.nodes; }
  /// Tells the trace, and WorldOptions::observer, what a start has found.
  void observe_start(const OpenedReplica& opened);
  LogStoreSeen log_store_seen() const;
  void end_process(bool power);
  void end_struck();
  void new_hardware(sim::SimDisk image);
  void client_ended();
  /// Opens the disk again in the running process, as the node asks for after a failure that passes.
  Result<OpenedReplica> reopen();
  /// The replica, or its standby, is gone, and the process lives on: its connections end.
  void replica_ended();
  Time drawn(ChanceStream& stream, const Spread& spread) const;
  std::string entity() const { return "n" + to_string(id_); }

  NodeId id_;
  const WorldOptions& options_;
  NodeHost& host_;
  NodeTime time_;
  std::unique_ptr<sim::SimMachine> hardware_;
  std::uint64_t capacity_ = ~std::uint64_t{0};
  SimStateMachine* seat_ = nullptr;  // goes before the system that holds the machine

  std::uint64_t life_ = 0;
  std::uint64_t wipes_ = 0;
  bool fresh_ = false;
  std::uint64_t cuts_ = 0;
  bool paused_ = false;
  bool dark_ = false;
  bool failed_ = false;
  bool stopping_ = false;
  bool ended_ = false;
  bool ending_ = false;  // end_process() is at work
  std::optional<CrashPoint> crash_point_, struck_;
  std::string bug_;
  std::string why_;
  std::deque<std::function<void(SimNode&)>> backlog_;

  std::shared_ptr<spdlog::logger> logger_;
  std::string log_;
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  Coordinator* coordinator_ = nullptr;  // owned by the system
  NodeActor node_;
  ReplicaActor replica_;
  caf::strong_actor_ptr raft_, log_store_, prompt_log_, adaptor_;
  std::size_t log_group_ = 0;         // writes put aside in the log store after its last run
  std::size_t prompt_log_group_ = 0;  // and in the actor in front of it
  caf::actor acceptor_;
  std::map<std::pair<NodeId, NodeId>, caf::actor> peers_;  // by machine and the id it is called by
  caf::actor joiner_;
  caf::actor gate_;  // what serves clients
  bool gate_closing_ = false;
  std::shared_ptr<RedisShared> shared_;  // while new clients are taken
  std::map<caf::actor_id, caf::actor> clients_;

  ChanceStream log_delay_, data_delay_, slow_delay_, cost_;
  Time slow_width_{0};
  std::uint64_t syncs_seen_ = 0;
  std::uint64_t old_disk_trace_ = 0, old_syncs_ = 0, old_operations_ = 0;
};

}  // namespace kiwi::lab
