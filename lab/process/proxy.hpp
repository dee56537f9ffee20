#pragma once

// The network between the nodes: every node dials every other one through a port of the proxy of its own, so
// that each direction of each pair can be bent alone. It knows where frames begin and end, and forwards whole
// ones.
//
// Against the true network: a cut stops bytes and keeps them, as retransmission would; a stream that could
// not move for 5 s is reset at both ends. What a node closed is told to the other one when what it sent
// before has arrived. A lost frame costs its connection, unless the network is lossy.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "lab/process/pipe.hpp"
#include "lab/run/backend.hpp"

namespace kiwi::lab {

class Proxy {
 public:
  /// Hears of every message that a node sends, if it wants to.
  using Seen = std::function<void(NodeId from, NodeId to, const CutFrame& frame)>;

  /// What links are like without any fault.
  struct Weather {
    std::uint64_t seed = 1;
    std::pair<Time, Time> latency{};  // one way, of each frame, when it is more than loopback takes anyway
    bool lossy = false;               // each frame by itself: lost, doubled, overtaken, and the rest goes on
    double loss = 0;                  // lossy only
    double duplicate = 0;             // lossy only
  };
  Proxy(Loop& loop, const Weather& weather);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// Opens the port on which `from` reaches `to`, whose true port is `raft_port`.
  tl::expected<std::uint16_t, std::string> add(NodeId from, NodeId to, std::uint16_t raft_port);
  void on_seen(Seen seen) { seen_ = std::move(seen); }
  /// With this, what came goes out in the next step of the loop at the earliest.
  void hold_back(bool on) { hold_back_ = on; }

  /// A verb of a lowered line on one link. True: something changed.
  tl::expected<bool, std::string> apply(NodeId from, NodeId to, const script::Action& action,
                                        std::map<std::string, std::string>& details);
  const ProxyCounts& counts() const { return counts_; }

 private:
  struct Port;
  struct Connection;

  ProxyLink& link(NodeId from, NodeId to);
  void accept(Port& port);
  void try_dial(std::uint64_t id);
  void dialed(std::uint64_t id);
  void readable(std::uint64_t id, bool of_dialer);
  void pump(std::uint64_t id, bool to_acceptor);
  void interest(Connection& c);
  void reset(std::uint64_t id);
  void wake(const ProxyLink& link);
  std::size_t release(const ProxyLink& link, std::string_view kind);
  std::size_t replay(ProxyLink& link, std::string_view kind, std::uint64_t count);
  std::size_t reset_all(const ProxyLink& link);
  std::size_t half_open(const ProxyLink& link);

  Loop& loop_;
  Weather weather_;
  Seen seen_;
  bool hold_back_ = false;
  ProxyCounts counts_;
  std::map<std::pair<NodeId, NodeId>, std::unique_ptr<ProxyLink>> links_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t next_ = 1;
};

}  // namespace kiwi::lab
