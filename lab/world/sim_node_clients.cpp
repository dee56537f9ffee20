// A simulated node's clients: what a node process has for Redis connections, over simulated sockets.

#include <utility>

#include "lab/world/client_actor.hpp"
#include "lab/world/sim_node.hpp"
#include "server/config_table.hpp"

namespace kiwi::lab {

namespace {
/// In the place of the Redis server: an exit closes its clients, and it ends after the last of them.
caf::behavior gate(caf::event_based_actor* self, const std::function<void()>& close) {
  self->set_exit_handler([close](const caf::exit_msg&) { close(); });
  return {[self](caf::close_atom) { self->quit(); }};
}
}  // namespace

caf::actor SimNode::serve_clients(const ReplicaActor& replica) {
  gate_closing_ = false;
  gate_ = system_->spawn(gate, [this] { close_clients(); });
  shared_ = std::make_shared<RedisShared>();
  auto& o = shared_->options;
  o.bind_address = address_of(id_).host;
  o.port = address_of(id_).redis_port;
  o.replica = replica;
  o.log = logger_;
  auto environment = std::make_shared<ServerEnvironment>();
  environment->kiwi_version = "lab";
  environment->run_id = "0000000000000000000000000000000000000000";
  environment->redis_port = o.port;
  environment->raft_port = address_of(id_).raft_port;
  environment->max_clients = o.max_clients;
  ConfigFacts facts;
  facts.port = o.port;
  facts.bind = o.bind_address;
  facts.dir = kNodeDir;
  facts.log_level = "notice";
  facts.max_clients = o.max_clients;
  environment->config = config_table(facts);
  o.environment = std::move(environment);
  o.process = [this] {
    ProcessFigures f;
    f.pid = life_;
    f.unix_time_us = time_.unix_ms(host_.world_now()) * 1000;
    return f;
  };
  return gate_;
}

void SimNode::close_clients() {
  gate_closing_ = true;
  shared_ = nullptr;
  for (auto& [id, client] : clients_) caf::anon_send_exit(client, caf::exit_reason::user_shutdown);
  client_ended();
}

/// As the redis server does: the node goes on stopping when the last client has its answers.
void SimNode::client_ended() {
  if (!gate_closing_ || !clients_.empty())
    return;
  if (acceptor_)
    caf::anon_send_exit(acceptor_, caf::exit_reason::user_shutdown);
  caf::anon_send(gate_, caf::close_atom_v);
}

caf::actor SimNode::spawn_client(ConnectionId connection, ClientWire& wire) {
  auto client = spawn_sim_client(
      *system_, connection, wire, shared_,
      ChanceStream(options_.seed, entity() + "/client " + std::to_string(connection), "socket"));
  clients_.emplace(client->id(), client);
  client->attach_functor([this, id = client->id()] {
    if (ending_)
      return;
    clients_.erase(id);
    client_ended();
  });
  return client;
}

void SimNode::replica_ended() {
  for (auto& [id, client] : clients_) caf::anon_send_exit(client, caf::exit_reason::user_shutdown);
  if (acceptor_)
    caf::anon_send_exit(acceptor_, caf::exit_reason::user_shutdown);
  acceptor_ = nullptr;
  raft_ = nullptr;
  shared_ = nullptr;
}

}  // namespace kiwi::lab
