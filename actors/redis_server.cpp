#include "actors/redis_server.hpp"

#include <caf/io/all.hpp>
#include <map>
#include <utility>

#include "actors/peer_socket.hpp"
#include "actors/redis_connection.hpp"

namespace kiwi {

namespace {

struct ServerState {
  using Self = caf::stateful_actor<ServerState, caf::io::broker>*;
  static constexpr const char* name = "redis-server";

  explicit ServerState(Self actor) : self(actor) {}

  void accepted(const caf::io::new_connection_msg& m) {
    if (connections.size() >= shared->options.max_clients || stopping) {
      ++shared->registry->totals().rejected_connections;
      std::string text;
      write_reply(too_many_clients(), RespVersion::resp2, text);
      self->write(m.handle, text.size(), text.data());
      self->flush(m.handle);
      self->close(m.handle);
      return;
    }
    // Not a link: an error in one connection must not end the server and with it all the others.
    auto connection = self->fork(redis_connection, m.handle, shared);
    self->monitor(connection);
    connections.emplace(connection->id(), connection);
  }

  void connection_down(const caf::down_msg& m) {
    connections.erase(m.source.id());
    if (stopping && connections.empty())
      self->quit();
  }

  void stop() {
    if (std::exchange(stopping, true))
      return;
    self->close(door);
    for (auto& [id, connection] : connections) self->send_exit(connection, caf::exit_reason::user_shutdown);
    if (connections.empty())
      self->quit();
  }

  Self self;
  std::shared_ptr<RedisShared> shared;
  caf::io::accept_handle door;
  std::map<caf::actor_id, caf::actor> connections;
  bool stopping = false;
};

caf::behavior redis_server(ServerState::Self self, std::shared_ptr<RedisShared> shared, int fd) {
  auto* state = &self->state;
  state->shared = std::move(shared);
  state->door = self->add_doorman(fd);
  self->set_down_handler([state](const caf::down_msg& m) { state->connection_down(m); });
  self->set_exit_handler([state](const caf::exit_msg&) { state->stop(); });
  return {
      [state](const caf::io::new_connection_msg& m) { state->accepted(m); },
      [](const caf::io::new_data_msg&) {},  // of a refused client
      [](const caf::io::connection_closed_msg&) {},
      [](const caf::io::acceptor_closed_msg&) {},
  };
}

}  // namespace

tl::expected<RedisServer, std::string> spawn_redis_server(caf::actor_system& system, RedisOptions options) {
  auto listening = listen_on(options.bind_address, options.port);
  if (!listening)
    return tl::unexpected("cannot listen on " + options.bind_address + ":" + std::to_string(options.port) +
                          ": " + listening.error());
  options.port = listening->port;
  auto log = options.log;
  auto where = options.bind_address + ":" + std::to_string(options.port);
  auto shared = std::make_shared<RedisShared>();
  shared->options = std::move(options);
  auto port = listening->port;
  auto actor = system.middleman().spawn_broker(redis_server, std::move(shared), listening->socket.release());
  if (log)
    log->info("event=redis_listening address={}", where);
  return RedisServer{std::move(actor), port};
}

}  // namespace kiwi
