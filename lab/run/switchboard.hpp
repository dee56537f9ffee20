#pragma once

// Who on the runner's side owns which client connection.

#include <map>
#include <string>
#include <vector>

#include "lab/run/backend.hpp"

namespace kiwi::lab {

/// The owner of connections. Is called between two steps of the backend, so it may call the backend.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual void on_connected(ConnectionId) = 0;
  virtual void on_reply(ConnectionId, const Reply&) = 0;
  /// The connection is gone already.
  virtual void on_closed(ConnectionId, const std::string& why) = 0;
};

class Switchboard {
 public:
  explicit Switchboard(Backend& backend) : backend_(backend) {}

  /// The owner must outlive the connection, or disconnect() it.
  ConnectionId connect(ConnectionOwner& owner, NodeId node) {
    const ConnectionId id = ++last_;
    owners_.emplace(id, &owner);
    backend_.connect(id, node);
    return id;
  }
  void send(ConnectionId id, const std::vector<std::string>& command) {
    if (owners_.contains(id)) {
      backend_.send(id, command);
    }
  }
  void disconnect(ConnectionId id) {
    if (owners_.erase(id) > 0) {
      backend_.disconnect(id);
    }
  }

  // What the backend told, passed on. Of connections that were disconnected meanwhile: dropped.
  void connected(ConnectionId id) {
    if (ConnectionOwner* owner = find(id)) {
      owner->on_connected(id);
    }
  }
  void replied(ConnectionId id, const Reply& reply) {
    if (ConnectionOwner* owner = find(id)) {
      owner->on_reply(id, reply);
    }
  }
  void closed(ConnectionId id, const std::string& why) {
    if (ConnectionOwner* owner = find(id)) {
      owners_.erase(id);
      owner->on_closed(id, why);
    }
  }

 private:
  ConnectionOwner* find(ConnectionId id) const {
    const auto found = owners_.find(id);
    return found == owners_.end() ? nullptr : found->second;
  }

  Backend& backend_;
  std::map<ConnectionId, ConnectionOwner*> owners_;
  ConnectionId last_ = 0;
};

}  // namespace kiwi::lab
