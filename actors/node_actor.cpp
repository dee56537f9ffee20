#include "actors/node_actor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/peer_server.hpp"
#include "actors/redis_server.hpp"
#include "actors/replica_network.hpp"

namespace kiwi {

namespace {

/// Above what a transfer may take, with the default time-outs.
constexpr std::chrono::seconds kLeaveLimit{5};
constexpr std::chrono::milliseconds kFarewell{300};
constexpr std::chrono::milliseconds kLeavePause{100};
constexpr int kLeaveAttempts = 10;
constexpr std::chrono::seconds kLongestLeave{2};

/// To itself: how often leaving may still be asked for; 0: stop now.
using NodeImpl = NodeActor::extend<caf::reacts_to<int>>;

struct NodeState {
  using Self = NodeImpl::stateful_pointer<NodeState>;
  static constexpr const char* name = "node";

  explicit NodeState(Self actor) : self(actor) {}

  void start(NodeStart& start);
  /// False: the port cannot be opened, and the node is stopping.
  bool serve_peers(const NodeStart& start, const NodeAddress& address);
  bool serve_redis(NodeStart& start, const NodeAddress& address);
  void adopt(const caf::actor& child, const char* what) {
    self->monitor(child);
    children.push_back({child, what});
  }
  /// Asked to stop: hands leadership over first.
  void leave(const caf::error& why);
  void ask_to_leave(int attempts);
  void stop(const caf::error& why);
  void stop_next();
  void child_down(const caf::down_msg& m);

  struct Child {
    caf::actor actor;
    const char* what;
  };

  Self self;
  std::shared_ptr<spdlog::logger> log;
  ReplicaActor replica;
  std::vector<Child> children;  // in order of start, stopped from the back
  bool hands_over = false;
  bool leaving = false;
  caf::actor_clock::time_point leave_until;
  bool stopping = false;
  caf::error reason;
};

void NodeState::start(NodeStart& start) {
  auto& system = self->system();
  log = start.replica.log;
  if (!start.replica.make_peer && system.has_middleman())
    start.replica.make_peer = make_tcp_peers(system, log, start.seed);
  if (!start.replica.make_joiner && start.serve_peers)
    start.replica.make_joiner = [&system, joiner_log = log] { return spawn_join_client(system, joiner_log); };
  hands_over = start.hands_over;
  auto status_of = start.opened.identity;
  auto parts = spawn_replica(system, std::move(start.opened), start.replica, start.mode, start.epoch);
  replica = parts.raft;
  static constexpr const char* kNames[] = {"log store", "state machine", "snapshot builder", "adaptor",
                                           "raft"};
  const auto actors = parts.in_start_order();
  for (std::size_t i = 0; i < actors.size(); ++i) adopt(actors[i], kNames[i]);
  if (start.serve_peers && !serve_peers(start, status_of.address))
    return;
  if (start.serve_redis && !serve_redis(start, status_of.address))
    return;
  log->info("event=node_started node={} cluster={:016x} address={}", status_of.node.value,
            status_of.cluster.value, to_string(status_of.address));
}

bool NodeState::serve_peers(const NodeStart& start, const NodeAddress& address) {
  PeerServerOptions options;
  options.bind_address = start.bind_address;
  options.port = address.raft_port;
  options.replica = replica;
  options.log = log;
  auto server = spawn_peer_server(self->system(), std::move(options));
  if (server)
    adopt(server->actor, "peer server");
  else
    stop(caf::make_error(caf::sec::cannot_open_port, "raft port: " + server.error()));
  return server.has_value();
}

bool NodeState::serve_redis(NodeStart& start, const NodeAddress& address) {
  start.redis.bind_address = start.bind_address;
  start.redis.port = address.redis_port;
  start.redis.replica = replica;
  start.redis.log = log;
  auto server = spawn_redis_server(self->system(), std::move(start.redis));
  if (server)
    adopt(server->actor, "redis server");
  else
    stop(caf::make_error(caf::sec::cannot_open_port, "redis port: " + server.error()));
  return server.has_value();
}

void NodeState::leave(const caf::error& why) {
  if (!hands_over || stopping || !replica || std::exchange(leaving, true))
    return stop(why);
  reason = why;
  leave_until = self->clock().now() + kLongestLeave;
  ask_to_leave(kLeaveAttempts);
}

void NodeState::ask_to_leave(int attempts) {
  AdminCall call;
  call.what = AdminCall::What::leave;
  self->request(replica, kLeaveLimit, call)
      .then(
          [this, attempts](const AdminAnswer& answer) {
            if (answer.try_again && attempts > 1 && self->clock().now() < leave_until)
              self->delayed_send(self, kLeavePause, attempts - 1);
            else if (answer.leader.redis_port != 0)
              // Each client that has more to ask hears MOVED meanwhile, so that none is cut off by surprise.
              self->delayed_send(self, kFarewell, 0);
            else
              stop(caf::error(reason));
          },
          [this](const caf::error&) { stop(caf::error(reason)); });
}

void NodeState::stop(const caf::error& why) {
  if (std::exchange(stopping, true))
    return;
  reason = why;
  log->info("event=node_stopping reason=\"{}\"", self->system().render(why));
  stop_next();
}

void NodeState::stop_next() {
  if (children.empty())
    self->quit(reason);
  else
    self->send_exit(children.back().actor, caf::exit_reason::user_shutdown);
}

void NodeState::child_down(const caf::down_msg& m) {
  auto child = std::find_if(children.begin(), children.end(),
                            [&](const Child& c) { return c.actor.address() == m.source; });
  if (child == children.end())
    return;
  log->log(stopping ? spdlog::level::debug : spdlog::level::err,
           "event=actor_down actor=\"{}\" reason=\"{}\"", child->what, self->system().render(m.reason));
  bool next = stopping && &*child == &children.back();
  children.erase(child);
  if (!stopping)
    stop(m.reason);
  else if (next)
    stop_next();
}

NodeImpl::behavior_type node(NodeState::Self self, std::shared_ptr<NodeStart> start) {
  auto* state = &self->state;
  self->set_down_handler([state](const caf::down_msg& m) { state->child_down(m); });
  self->set_exit_handler([state](const caf::exit_msg& m) { state->leave(m.reason); });
  state->start(*start);
  return {[state](caf::get_atom) -> caf::result<ReplicaActor> {
            if (state->stopping)
              return state->reason;
            return state->replica;
          },
          [state](int attempts) {
            if (attempts > 0 && !state->stopping)
              state->ask_to_leave(attempts);
            else
              state->stop(caf::error(state->reason));
          }};
}

}  // namespace

NodeActor spawn_node(caf::actor_system& system, NodeStart start) {
  return system.spawn(node, std::make_shared<NodeStart>(std::move(start)));
}

}  // namespace kiwi
