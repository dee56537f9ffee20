#include "lab/world/client_actor.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

namespace kiwi::lab {

namespace {

/// How often a socket takes bytes at once, and how often then all of them, as far as it has room.
constexpr double kAtOnce = 0.7;
constexpr double kAllOfIt = 0.8;
constexpr std::size_t kSocketBuffer = 64u << 10;

struct SimClient : ClientTransport {
  using Self = caf::stateful_actor<SimClient>*;
  static constexpr const char* name = "client";

  explicit SimClient(Self actor) : self(actor) {}

  void start(ConnectionId number, ClientWire* world, std::shared_ptr<RedisShared> with, ChanceStream how) {
    id = number;
    chance = how;
    wire = world;
    shared = std::move(with);
    ConnectionFacts facts;
    facts.address = "10.1.0.1:" + std::to_string(10'000 + id % 50'000);
    facts.local_address = shared->options.bind_address + ":" + std::to_string(shared->options.port);
    connection.emplace(*this, shared, std::move(facts));
  }

  /// As TCP does: while the connection is full, what comes waits outside.
  void received(const std::string& bytes) {
    if (connection->full() || !waiting.empty())
      waiting += bytes;
    else
      connection->received(bytes);
  }

  // --- ClientTransport
  std::uint64_t now_ms() const override {
    auto now = self->clock().now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  }
  void submit(std::uint64_t client, std::vector<ClientCommand> commands) override {
    wire->submitted(id, commands);
    self->send(shared->options.replica,
               Submit{client, caf::actor_cast<ClientPort>(self), std::move(commands)});
  }
  void ask(const ReplicaQuestion& question, std::function<void(const ReplicaAnswer&)> done) override {
    ask_replica(self, shared->options.replica, question, std::move(done));
  }
  std::string render(const caf::error& error) const override { return self->system().render(error); }
  std::size_t write(std::string_view bytes) override {
    wire->written(id, bytes);
    const auto before = std::exchange(outside, outside + bytes.size());
    // The kernel's buffer has room for all of it, some or nothing; behind what waits nothing goes at once.
    if (before != 0 || !happens(chance.next(), kAtOnce))
      return 0;  // transferred() tells
    const auto room = std::min(bytes.size(), kSocketBuffer);
    at_once = happens(chance.next(), kAllOfIt) ? room : below(chance.next(), room + 1);
    return at_once;
  }
  /// The client has taken bytes, those that went at once first.
  void took(std::uint64_t bytes) {
    outside -= bytes;
    const auto known = std::min(bytes, at_once);
    at_once -= known;
    if (bytes > known)
      connection->transferred(bytes - known);
  }
  void room() override {
    if (!waiting.empty() && !std::exchange(reading_on, true))
      self->send(self, caf::tick_atom_v);
  }
  void give_up_after(std::chrono::milliseconds limit) override {
    self->delayed_send(self, limit, caf::timeout_atom_v);
  }
  void hang_up() override {}
  void end() override {
    wire->ended(id);
    self->quit();
  }
  void read_on() {
    reading_on = false;
    if (!connection->full())
      connection->received(std::exchange(waiting, {}));
  }

  Self self;
  ConnectionId id = 0;
  ClientWire* wire = nullptr;
  std::shared_ptr<RedisShared> shared;
  std::optional<ClientConnection> connection;
  ChanceStream chance;
  std::uint64_t outside = 0;  // written, and not taken by the client yet
  std::uint64_t at_once = 0;  // of these, what write() has said to have left
  std::string waiting;
  bool reading_on = false;
};

caf::behavior sim_client(SimClient::Self self, ConnectionId id, ClientWire* wire,
                         std::shared_ptr<RedisShared> shared, ChanceStream chance) {
  auto* state = &self->state;
  self->set_exit_handler([state](const caf::exit_msg&) { state->connection->stop(); });
  state->start(id, wire, std::move(shared), chance);
  return {
      [state](const ClientBytes& m) { state->received(m.bytes); },
      [state](const ClientTook& m) { state->took(m.bytes); },
      [state](Answers& m) {
        state->wire->answered(state->id, m);
        state->connection->answered(m);
      },
      [state](caf::tick_atom) { state->read_on(); },
      [state](caf::timeout_atom) { state->connection->give_up(); },
      [self](caf::close_atom) { self->quit(); },
  };
}

}  // namespace

caf::actor spawn_sim_client(caf::actor_system& system, ConnectionId connection, ClientWire& wire,
                            std::shared_ptr<RedisShared> shared, ChanceStream chance) {
  return system.spawn(sim_client, connection, &wire, std::move(shared), chance);
}

}  // namespace kiwi::lab
