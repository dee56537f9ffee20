#include "actors/redis_connection.hpp"

#include <chrono>
#include <utility>

#include "actors/peer_socket.hpp"

namespace kiwi {

namespace {
using namespace std::chrono_literals;

// CAF clears the whole buffer before each read, so it grows only for clients that fill it.
constexpr std::size_t kSmallestRead = 4 << 10;
constexpr std::size_t kLargestRead = 64 << 10;
}  // namespace

void RedisConnectionState::start(caf::io::connection_handle handle, std::shared_ptr<RedisShared> with) {
  hdl = handle;
  shared = std::move(with);
  ConnectionFacts facts;
  facts.address = remote_address(*self, hdl);
  facts.local_address = shared->options.bind_address + ":" + std::to_string(shared->options.port);
  facts.fd = fd_of(hdl);
  connection.emplace(*this, shared, std::move(facts));
  read_size_ = kSmallestRead;
  self->configure_read(hdl, caf::io::receive_policy::at_most(read_size_));
  self->ack_writes(hdl, true);  // asks for data_transferred_msg
  self->trigger(hdl, 1);        // from now on every read must be permitted
}

void RedisConnectionState::received(const std::vector<char>& bytes) {
  ++pauses_;  // ends read_on()
  if (bytes.size() == read_size_ && read_size_ < kLargestRead) {
    read_size_ *= 2;
    self->configure_read(hdl, caf::io::receive_policy::at_most(read_size_));
  } else if (bytes.size() < read_size_ / 8 && read_size_ > kSmallestRead) {
    read_size_ /= 2;
    self->configure_read(hdl, caf::io::receive_policy::at_most(read_size_));
  }
  connection->received({bytes.data(), bytes.size()});
  if (!connection->full())
    self->trigger(hdl, 1);  // otherwise this was the last permitted read: CAF pauses the connection
}

void RedisConnectionState::passivated() {
  paused_ = true;
  ++pauses_;
  connection->pump();  // room may have come meanwhile
}

void RedisConnectionState::room() {
  if (std::exchange(paused_, false))
    read_on(pauses_, 3);
}

void RedisConnectionState::read_on(std::uint64_t pause, int times) {
  // CAF 0.17.6 forgets a trigger() that comes before its IO loop has carried out the pause, so it is said
  // again a little later, until data comes.
  if (paused_ || connection->closing() || pause != pauses_ || times == 0)
    return;
  self->trigger(hdl, 1);
  caf::delayed_anon_send(caf::actor_cast<caf::actor>(self), 10ms, caf::tick_atom_v, pause, times - 1);
}

std::uint64_t RedisConnectionState::now_ms() const {
  auto now = self->clock().now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

void RedisConnectionState::submit(std::uint64_t client, std::vector<ClientCommand> commands) {
  self->send(shared->options.replica, Submit{client, caf::actor_cast<ClientPort>(self), std::move(commands),
                                             shared->options.stages ? shared->options.stages->now() : 0});
}

void RedisConnectionState::ask(const ReplicaQuestion& question,
                               std::function<void(const ReplicaAnswer&)> done) {
  ask_replica(self, shared->options.replica, question, std::move(done));
}

std::string RedisConnectionState::render(const caf::error& error) const {
  return self->system().render(error);
}

std::size_t RedisConnectionState::write(std::string_view bytes) {
  if (!self->valid(hdl))
    return bytes.size();  // hung up: its descriptor may be somebody else's by now
  auto sent = with_caf_ == 0 ? send_now(hdl, bytes) : 0;
  if (auto rest = bytes.substr(sent); !rest.empty()) {
    self->write(hdl, rest.size(), rest.data());
    self->flush(hdl);
    with_caf_ += rest.size();
  }
  return sent;
}

void RedisConnectionState::transferred(const caf::io::data_transferred_msg& m) {
  with_caf_ = m.remaining;
  connection->transferred(m.written);
}

void RedisConnectionState::give_up_after(std::chrono::milliseconds limit) {
  caf::delayed_anon_send(caf::actor_cast<caf::actor>(self), limit, caf::timeout_atom_v);
}

void RedisConnectionState::hang_up() { kiwi::hang_up(*self, hdl); }

void RedisConnectionState::end() {
  // Not here: CAF 0.17.6 crashes when a broker quits while it handles new_data_msg with permitted reads.
  caf::anon_send(caf::actor_cast<caf::actor>(self), caf::close_atom_v);
}

caf::behavior redis_connection(RedisConnectionState::Self self, caf::io::connection_handle hdl,
                               std::shared_ptr<RedisShared> shared) {
  auto* state = &self->state;
  self->set_exit_handler([state](const caf::exit_msg&) { state->connection->stop(); });
  state->start(hdl, std::move(shared));
  return {
      [state](const caf::io::new_data_msg& m) { state->received(m.buf); },
      [state](const caf::io::connection_passivated_msg&) { state->passivated(); },
      [state](const caf::io::data_transferred_msg& m) { state->transferred(m); },
      [self](const caf::io::connection_closed_msg&) { self->quit(); },
      [state](Answers& m) { state->connection->answered(m); },
      [state](caf::tick_atom, std::uint64_t pause, int times) { state->read_on(pause, times); },
      [self](caf::close_atom) { self->quit(); },
      [state](caf::timeout_atom) { state->connection->give_up(); },
  };
}

}  // namespace kiwi
