#pragma once

// Nodes with real sockets on loopback and a scripted replica each; plain blocking sockets to misbehave with.

#include <spdlog/logger.h>

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/peer_connection.hpp"
#include "actors/peer_server.hpp"

namespace kiwi::test {

/// What a node's replica and its log heard so far. Safe to use from any thread.
class Ear {
 public:
  struct Heard {
    std::map<std::uint64_t, std::vector<PeerMessage>> messages;  // by sender
    std::map<std::uint64_t, int> ups, downs, gone;               // by peer
    std::vector<Hello> hellos;
    std::vector<std::string> log;
    /// Log lines that contain `text`.
    int logged(const std::string& text) const;
  };

  void change(const std::function<void(Heard&)>& f);
  /// False when `condition` did not come true within a generous deadline.
  bool wait(const std::function<bool(const Heard&)>& condition);
  Heard now();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Heard heard_;
};

/// A node: a system of its own, a peer server, and peers as asked for. Its replica welcomes by
/// hello_mismatch.
class TestNode {
 public:
  struct Options {
    std::uint64_t id = 1;
    std::uint16_t port = 0;
    std::uint64_t cluster = 7;
    std::uint32_t protocol_version = kPeerProtocolVersion;
    bool silent = false;  // the replica never answers a HelloQuestion
    std::uint64_t refuses_instance = 0;
    std::function<void(PeerServerOptions&)> server = [](PeerServerOptions&) {};
  };

  explicit TestNode(Options options);
  ~TestNode();

  std::uint16_t port() const { return port_; }
  Ear& ear() { return *ear_; }
  caf::actor_system& system() { return system_; }
  Hello hello(std::uint64_t target) const;
  /// Starts a peer connection to node `id` at `port`.
  PeerActor connect(
      std::uint64_t id, std::uint16_t port,
      const std::function<void(PeerOptions&)>& tune = [](PeerOptions&) {});
  void disconnect(std::uint64_t id);
  bool wait(const std::function<bool(const Ear::Heard&)>& condition) { return ear_->wait(condition); }
  bool wait_up(std::uint64_t peer, int times = 1);

 private:
  struct Config : caf::actor_system_config {
    Config();
  };
  struct Link {
    PeerActor peer;
    DialerActor dialer;
  };

  Options options_;
  std::shared_ptr<Ear> ear_ = std::make_shared<Ear>();
  std::shared_ptr<spdlog::logger> log_;
  Config config_;
  caf::actor_system system_{config_};
  ReplicaActor replica_;
  PeerServer server_;
  std::uint16_t port_ = 0;
  std::map<std::uint64_t, Link> links_;
};

/// A blocking socket to 127.0.0.1:port; all waiting ends after ten seconds.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  explicit RawClient(OwnedSocket socket);
  /// False when the other side closed.
  bool send(std::string_view bytes);
  /// Reads until the other side closes. Nothing when it does not.
  std::optional<std::string> receive_all();
  /// Reads one frame.
  std::optional<std::variant<PeerMessage, Hello>> receive_frame();
  /// Ends the sending direction only.
  void finish();
  int fd() const { return socket_.fd(); }

 private:
  std::optional<std::string> receive(std::size_t bytes);
  OwnedSocket socket_;
};

/// A blocking listener that accepts by hand.
class RawServer {
 public:
  RawServer();
  std::uint16_t port() const { return listening_.port; }
  RawClient accept();

 private:
  ListeningSocket listening_;
};

/// A heartbeat that carries a number.
PeerMessage control(std::uint64_t number);
/// An append with one entry of that many bytes, and a number.
PeerMessage bulk(std::uint64_t number, std::size_t bytes);
/// The numbers of the messages above, per lane, in order of arrival.
std::vector<std::uint64_t> control_numbers(const std::vector<PeerMessage>& messages);
std::vector<std::uint64_t> bulk_numbers(const std::vector<PeerMessage>& messages);

/// Open file descriptors of this process.
std::size_t open_files();
/// Sockets are closed a moment after their actors are gone: waits for at most `count`.
bool wait_open_files(std::size_t count);

}  // namespace kiwi::test
