#pragma once

// A client's connection over TCP: the broker around ClientConnection. Runs on CAF's IO thread. A connection
// that is full is not read, so TCP holds the client back.

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/client_connection.hpp"

namespace kiwi {

struct RedisConnectionState : ClientTransport {
  using Self = caf::stateful_actor<RedisConnectionState, caf::io::broker>*;
  static constexpr const char* name = "redis-connection";

  explicit RedisConnectionState(Self actor) : self(actor) {}

  void start(caf::io::connection_handle handle, std::shared_ptr<RedisShared> with);
  void received(const std::vector<char>& bytes);
  void passivated();
  void transferred(const caf::io::data_transferred_msg& m);
  void read_on(std::uint64_t pause, int times);

  // --- ClientTransport
  std::uint64_t now_ms() const override;
  void submit(std::uint64_t client, std::vector<ClientCommand> commands) override;
  void ask(const ReplicaQuestion& question, std::function<void(const ReplicaAnswer&)> done) override;
  std::string render(const caf::error& error) const override;
  std::size_t write(std::string_view bytes) override;
  void room() override;
  void give_up_after(std::chrono::milliseconds limit) override;
  void hang_up() override;
  void end() override;

  Self self;
  caf::io::connection_handle hdl;
  std::shared_ptr<RedisShared> shared;
  std::optional<ClientConnection> connection;

 private:
  std::size_t read_size_ = 0;
  std::uint64_t with_caf_ = 0;  // bytes in CAF's write buffers
  bool paused_ = false;
  std::uint64_t pauses_ = 0;
};

caf::behavior redis_connection(RedisConnectionState::Self self, caf::io::connection_handle hdl,
                               std::shared_ptr<RedisShared> shared);

}  // namespace kiwi
