#pragma once

// The clients' ends of all connections: bytes in order both ways, with the delay of the clients' own links,
// which no fault touches. A connection belongs to one life of one node.

#include <caf/all.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/resp/reply_reader.hpp"
#include "lab/run/backend.hpp"
#include "lab/world/agenda.hpp"
#include "lab/world/client_actor.hpp"
#include "lab/world/observer.hpp"
#include "lab/world/sim_node.hpp"
#include "lab/world/trace.hpp"

namespace kiwi::lab {

class Clients final : public ClientWire {
 public:
  using NodeOf = std::function<SimNode*(NodeId)>;
  Clients(const WorldOptions& options, Agenda& agenda, Trace& trace, NodeHost& host, Listener& listener,
          NodeOf node_of, bool& told);

  void connect(ConnectionId connection, NodeId node);
  void send(ConnectionId connection, const std::vector<std::string>& command);
  void disconnect(ConnectionId connection);
  /// A connection from a node, for one command; 0 is no node. What comes back goes to that node, not to the
  /// listener.
  ConnectionId ask_other(NodeId from, NodeId to, const std::vector<std::string>& command);
  /// The process is gone. With `power` its clients learn of it only when the machine is back.
  void node_ended(NodeId node, bool power);
  void node_started(NodeId node);
  std::uint64_t commands() const { return commands_; }
  std::uint64_t replies() const { return replies_; }

  // --- ClientWire
  void written(ConnectionId connection, std::string_view bytes) override;
  void submitted(ConnectionId connection, const std::vector<ClientCommand>& commands) override;
  void answered(ConnectionId connection, const Answers& answers) override;
  void ended(ConnectionId connection) override;

 private:
  /// Connections between nodes have numbers above this; the runner's are below.
  static constexpr ConnectionId kOwn = ConnectionId{1} << 62;
  Observer* observer() const { return options_.observer.get(); }
  struct End {
    NodeId node;
    NodeId asker;  // of a connection between nodes; else 0
    std::uint64_t asker_life = 0;
    std::uint64_t life = 0;  // 0: not accepted yet
    caf::actor server;       // null: gone, or not accepted yet
    bool dead = false;       // its node lost power; nobody said so
    std::string early;       // sent before it was accepted
    ReplyReader reader;
    ChanceStream delay;
    Time last_in{0};   // arrivals at the node
    Time last_out{0};  // arrivals at the client
  };
  End* find(ConnectionId connection);
  Time arrival(End& end, Time& last);
  void accept(ConnectionId connection);
  void close(ConnectionId connection, const std::string& why);
  /// Nothing: the connection is gone.
  void tell_asker(ConnectionId connection, const End& end, const Reply* reply);
  void to_server(ConnectionId connection, std::string bytes);

  const WorldOptions& options_;
  Agenda& agenda_;
  Trace& trace_;
  NodeHost& host_;
  Listener& listener_;
  NodeOf node_of_;
  bool& told_;
  std::map<ConnectionId, End> ends_;
  std::uint64_t commands_ = 0;
  std::uint64_t replies_ = 0;
  ConnectionId last_own_ = kOwn;
};

}  // namespace kiwi::lab
