#include "actors/node_actor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "actors/peer_connection.hpp"
#include "actors/peer_server.hpp"
#include "actors/redis_server.hpp"

namespace kiwi {

namespace {

struct NodeState {
  using Self = NodeActor::stateful_pointer<NodeState>;
  static constexpr const char* name = "node";

  explicit NodeState(Self actor) : self(actor) {}

  void start(NodeStart& start);
  void adopt(const caf::actor& child, const char* what) {
    self->monitor(child);
    children.push_back({child, what});
  }
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
  bool stopping = false;
  caf::error reason;
};

void NodeState::start(NodeStart& start) {
  auto& system = self->system();
  log = start.replica.log;
  start.replica.make_peer = [&system, log = log, seed = start.seed](const Member& peer, const Hello& own,
                                                                    const ReplicaActor& raft) {
    PeerOptions options;
    options.hello = own;
    options.hello.target = peer.id;
    options.host = peer.address.host;
    options.port = peer.address.raft_port;
    options.replica = raft;
    options.dialer = spawn_dialer(system);
    options.log = log;
    options.jitter_seed = seed * 1000 + peer.id.value;
    auto dialer = options.dialer;
    auto actor = spawn_peer(system, std::move(options));
    // The peer ends with its replica, the dialer with its peer.
    actor->attach_functor([dialer] { caf::anon_send_exit(dialer, caf::exit_reason::user_shutdown); });
    return actor;
  };
  auto status_of = start.opened.identity;
  auto parts = spawn_replica(system, std::move(start.opened), start.replica, start.mode, start.epoch);
  replica = parts.raft;
  static constexpr const char* kNames[] = {"log store", "state machine", "snapshot builder", "adaptor",
                                           "raft"};
  const auto actors = parts.in_start_order();
  for (std::size_t i = 0; i < actors.size(); ++i) adopt(actors[i], kNames[i]);
  PeerServerOptions peers;
  peers.bind_address = start.bind_address;
  peers.port = status_of.address.raft_port;
  peers.replica = replica;
  peers.log = log;
  auto peer_server = spawn_peer_server(system, std::move(peers));
  if (!peer_server) {
    stop(caf::make_error(caf::sec::cannot_open_port, "raft port: " + peer_server.error()));
    return;
  }
  adopt(peer_server->actor, "peer server");
  start.redis.bind_address = start.bind_address;
  start.redis.port = status_of.address.redis_port;
  start.redis.replica = replica;
  start.redis.log = log;
  auto redis_server = spawn_redis_server(system, std::move(start.redis));
  if (!redis_server) {
    stop(caf::make_error(caf::sec::cannot_open_port, "redis port: " + redis_server.error()));
    return;
  }
  adopt(redis_server->actor, "redis server");
  log->info("event=node_started node={} cluster={:016x} address={}", status_of.node.value,
            status_of.cluster.value, to_string(status_of.address));
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

NodeActor::behavior_type node(NodeState::Self self, std::shared_ptr<NodeStart> start) {
  auto* state = &self->state;
  self->set_down_handler([state](const caf::down_msg& m) { state->child_down(m); });
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  state->start(*start);
  return {[state](caf::get_atom) { return state->replica; }};
}

}  // namespace

NodeActor spawn_node(caf::actor_system& system, NodeStart start) {
  return system.spawn(node, std::make_shared<NodeStart>(std::move(start)));
}

}  // namespace kiwi
