#pragma once

// Connections of clients to nodes: RESP over loopback sockets, without waiting.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lab/process/loop.hpp"
#include "lab/resp/reply_reader.hpp"

namespace kiwi::lab {

class ProcessClients {
 public:
  using Id = std::uint64_t;
  struct Events {
    std::function<void(Id)> connected;
    std::function<void(Id, const Reply&)> replied;
    /// Closed by the other side, or never established.
    std::function<void(Id, const std::string& why)> closed;
  };

  ProcessClients(Loop& loop, Events events) : loop_(loop), events_(std::move(events)) {}
  ~ProcessClients();
  ProcessClients(const ProcessClients&) = delete;
  ProcessClients& operator=(const ProcessClients&) = delete;

  /// Numbers are never used twice.
  void connect(Id id, std::uint16_t port);
  void send(Id id, const std::vector<std::string>& command);
  /// No event follows.
  void disconnect(Id id);
  bool known(Id id) const { return connections_.contains(id); }

 private:
  struct Connection {
    Fd socket;
    Loop::Id watch = 0;
    bool open = false;
    std::string out;
    ReplyReader reader;
  };

  void ready(Id id, std::uint32_t events);
  void write(Connection& c);
  void fail(Id id, const std::string& why);

  Loop& loop_;
  Events events_;
  std::map<Id, std::unique_ptr<Connection>> connections_;
};

}  // namespace kiwi::lab
