#pragma once

// The network between simulated nodes. It carries bytes, and knows of frames only their kind. A connection
// belongs to the node that opened it and to the one that accepted it, each in one life; it has two lanes,
// each in order (Transport::stream).
//
// What loss means: a stream that loses a frame is reset after kGiveUp; a stream that is stopped (cut, clog,
// silent node) goes on when that ends, or is reset after kStall without progress. A datagram is gone.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lab/chance.hpp"
#include "lab/world/agenda.hpp"
#include "lab/world/link.hpp"
#include "messages/peer_messages.hpp"

namespace kiwi::lab {

/// "append", "append-reply", "vote", "pre-vote", ...: the words of scenarios.
std::string_view kind_of(const PeerMessage& message);

/// What the network asks of the nodes at its ends. All calls come at the moment they speak of.
class NetHost {
 public:
  virtual ~NetHost() = default;
  virtual Time world_now() const = 0;
  virtual bool noisy() const = 0;
  /// The life of the process on this node that takes connections and bytes; 0: there is none.
  virtual std::uint64_t life_of(NodeId node) const = 0;
  /// The machine is without power: it answers nothing, not even that nobody listens.
  virtual bool dark(NodeId node) const = 0;
  /// Something came for `node`: its acceptor, or its dialer to `peer`. False: it takes no more (paused).
  virtual bool opened(NodeId node, NodeId peer, std::uint64_t connection) = 0;
  virtual bool arrived(NodeId node, NodeId peer, bool acceptor, std::uint64_t connection, std::uint8_t lane,
                       const std::string& bytes) = 0;
  virtual void closed(NodeId node, NodeId peer, bool acceptor, std::uint64_t connection,
                      const std::string& why) = 0;
  virtual void packet(const Parcel& parcel, NodeId from, NodeId to, bool arrives) = 0;
};

class Net {
 public:
  static constexpr Time kStall = std::chrono::seconds(3);
  static constexpr Time kGiveUp = std::chrono::milliseconds(200);
  /// Why a connection was closed when no process listened at its other end.
  static constexpr const char* kRefused = "connection refused";
  /// Bytes on the way per connection and lane; more are refused.
  static constexpr std::uint64_t kControlBytes = 1u << 20;
  static constexpr std::uint64_t kBulkBytes = 8u << 20;

  Net(const WorldOptions& options, Agenda& agenda, NetHost& host);

  // --- For the peer actors
  /// A connection from a live node; closed() comes when it fails. Numbers are never used twice.
  std::uint64_t open(NodeId from, NodeId to);
  /// False: too much is on the way; nothing was sent. Unknown connections swallow everything.
  bool send(std::uint64_t connection, bool by_dialer, std::uint8_t lane, std::string_view kind,
            std::string bytes);
  /// The other end hears of it.
  void close(std::uint64_t connection, bool by_dialer, const std::string& why);

  // --- For the world
  Link& link(NodeId from, NodeId to);
  std::vector<std::unique_ptr<Link>>& links() { return links_; }
  /// After an end of cut or clog, or a release: what waits goes on. Returns how many frames.
  std::size_t let_go(Link& link);
  /// Of `kind`, at most `count`.
  std::size_t release(Link& link, std::string_view kind, std::uint64_t count);
  /// Old frames of `kind`, drawn by chance, come once more on the connection of now. Returns how many.
  std::size_t replay(Link& link, std::string_view kind, std::uint64_t count);
  /// Resets the connections over this link. Returns how many.
  std::size_t reset(const Link& link);
  /// The accepting side forgets, the dialing side does not know. Returns how many.
  std::size_t half_open(const Link& link);
  /// The process is gone: its ends are closed; the others hear of it unless the machine lost power.
  void node_ended(NodeId node, bool power);
  const LinkCounts& counts() const { return counts_; }

 private:
  struct Lane {
    Time last{0};  // arrival of the latest frame
    std::uint64_t on_the_way = 0;
  };
  struct Direction {
    Lane lanes[2];
    bool broken = false;  // a frame was lost: nothing behind it arrives
    Time stalled_since = Time::max();
  };
  struct Connection {
    NodeId dialer, acceptor;
    std::uint64_t dialer_life = 0, acceptor_life = 0;  // 0: not yet accepted
    Direction out, back;                               // out: by the dialer
    bool half_open = false;
  };

  Connection* find(std::uint64_t number);
  Direction& direction(Connection& c, bool to_acceptor) { return to_acceptor ? c.out : c.back; }
  Link& link_of(const Connection& c, bool to_acceptor);
  Time draw(ChanceStream& stream, const Spread& spread) const;
  Time delay(Link& link, std::string_view kind);
  void transmit(Link& link, Parcel parcel, bool again);
  void travel(Link& link, Connection& c, Parcel parcel);
  void stall(Link& link, Connection& c, Parcel parcel);
  void lose(Connection& c, const Parcel& parcel);
  void arrive(const Parcel& parcel);
  void reset_after(Time pause, std::uint64_t number, const std::string& why);
  /// Both ends hear it now, and the connection is forgotten.
  void drop(std::uint64_t number, const std::string& why);

  const WorldOptions& options_;
  Agenda& agenda_;
  NetHost& host_;
  std::vector<std::unique_ptr<Link>> links_;
  std::map<std::uint64_t, Connection> connections_;
  std::uint64_t next_ = 1;
  LinkCounts counts_;
};

}  // namespace kiwi::lab
