#include "actors/peer_server.hpp"

#include <caf/io/all.hpp>
#include <map>
#include <utility>

#include "actors/peer_hello.hpp"
#include "actors/peer_socket.hpp"
#include "messages/codec.hpp"
#include "messages/fault_points.hpp"
#include "messages/frame_reader.hpp"
#include "messages/limits.hpp"

namespace kiwi {
namespace {

// CAF clears this much for each read: more would cost the small messages, less the large ones.
constexpr std::size_t kControlReadBytes = 8 << 10;
constexpr std::size_t kBulkReadBytes = 64 << 10;

class Server {
 public:
  using Self = caf::stateful_actor<Server, caf::io::broker>*;
  static constexpr const char* name = "peer_server";

  explicit Server(Self self) : self_(self) {}

  void start(PeerServerOptions options, int fd) {
    options_ = std::move(options);
    self_->add_doorman(fd);
  }

  void accepted(caf::io::connection_handle hdl) {
    while (greeting_.size() >= options_.max_greeting)
      drop(greeting_.begin()->second, "too many connections that have not introduced themselves");
    tune_peer_socket(fd_of(hdl));
    self_->configure_read(hdl, caf::io::receive_policy::at_most(kMaxHelloBytes));
    self_->ack_writes(hdl, true);
    auto serial = next_serial_++;
    Inbound fresh{serial, Phase::hello, FrameReader(kMaxHelloBytes), {}, 0, remote_address(*self_, hdl)};
    inbound_.insert_or_assign(hdl, std::move(fresh));
    greeting_.emplace(serial, hdl);
    caf::delayed_anon_send(caf::actor_cast<caf::actor>(self_), options_.greeting_limit, caf::tick_atom_v,
                           serial);
  }

  void received(const caf::io::new_data_msg& m) {
    auto found = inbound_.find(m.handle);
    if (found == inbound_.end())
      return;
    auto& in = found->second;
    if (in.phase == Phase::closing)
      return;
    std::vector<FrameReader::Frame> frames;
    auto fine = in.reader.feed({m.buf.data(), m.buf.size()}, frames);
    if (!fine)
      KIWI_MARK("frame.corrupt");
    take(m.handle, in, std::move(frames), fine ? std::string() : fine.error().what);
  }

  void transferred(const caf::io::data_transferred_msg& m) {
    auto found = inbound_.find(m.handle);
    if (found != inbound_.end() && found->second.phase == Phase::closing && m.remaining == 0)
      forget(m.handle);
  }

  void closed(caf::io::connection_handle hdl) {
    auto found = inbound_.find(hdl);
    if (found == inbound_.end())
      return;
    const auto& in = found->second;
    if (in.phase == Phase::welcome)
      options_.log->info("event=peer_left node={} lane={} addr={}", in.node.value, in.lane, in.address);
    else if (in.phase != Phase::closing)
      options_.log->warn("event=peer_dropped addr={} reason=\"closed before the handshake was done\"",
                         in.address);
    forget(hdl);
  }

  void timer(std::uint64_t serial) {
    auto found = greeting_.find(serial);
    if (found != greeting_.end())
      drop(found->second, "handshake not done in time");
  }

  void stop(const caf::error& reason) {
    while (!inbound_.empty()) forget(inbound_.begin()->first);
    self_->quit(reason);
  }

 private:
  enum class Phase {
    hello,    // its Hello is awaited
    verdict,  // the replica is asked
    welcome,
    closing,  // refused; the answer is on its way
  };

  struct Inbound {
    std::uint64_t serial;  // tells connections apart whose handles are equal one after the other
    Phase phase;
    FrameReader reader;
    NodeId node;
    std::uint8_t lane;
    std::string address;
  };

  /// What came in one read, up to the first error.
  void take(caf::io::connection_handle hdl, Inbound& in, std::vector<FrameReader::Frame> frames,
            std::string problem) {
    if (in.phase == Phase::welcome) {
      FromPeer batch{in.node, {}};
      for (auto& frame : frames) {
        if (auto* message = std::get_if<PeerMessage>(&frame)) {
          batch.messages.push_back(std::move(*message));
        } else {
          problem = "a second Hello";
          break;
        }
      }
      if (!batch.messages.empty())
        caf::anon_send(options_.replica, std::move(batch));
    } else if (!frames.empty()) {
      const auto* hello = std::get_if<Hello>(&frames.front());
      if (hello == nullptr)
        problem = "the first message is no Hello";
      else if (in.phase == Phase::verdict || frames.size() > 1)
        problem = "does not wait for the answer to Hello";
      else if (hello->lane >= kLanes)
        problem = "unknown lane";
      else if (problem.empty())
        ask(in, *hello);
    }
    if (!problem.empty())
      drop(hdl, problem);
  }

  /// No time limit on the request: its timeout would be a message from itself, which keeps a dead broker in
  /// memory. The timer of the handshake runs instead.
  void ask(Inbound& in, const Hello& hello) {
    in.phase = Phase::verdict;
    in.node = hello.node;
    in.lane = hello.lane;
    auto serial = in.serial;
    self_->request(options_.replica, caf::infinite, HelloQuestion{hello})
        .then([this, serial](const HelloVerdict& verdict) { judged(serial, verdict); },
              [this, serial](const caf::error&) {
                if (auto found = greeting_.find(serial); found != greeting_.end())
                  drop(found->second, "the replica does not answer");
              });
  }

  void judged(std::uint64_t serial, const HelloVerdict& verdict) {
    auto found = greeting_.find(serial);
    if (found == greeting_.end())
      return;  // it has gone meanwhile
    auto hdl = found->second;
    auto& in = inbound_.at(hdl);
    auto answer = verdict.own;
    answer.target = in.node;
    answer.lane = in.lane;
    answer.reason = verdict.refusal;
    if (verdict.refusal.empty()) {
      replace_older(in);
      in.phase = Phase::welcome;
      in.reader.set_max_body_bytes(kMaxFrameBytes);
      self_->configure_read(hdl, caf::io::receive_policy::at_most(in.lane == kControlLane ? kControlReadBytes
                                                                                          : kBulkReadBytes));
      greeting_.erase(found);
      options_.log->info("event=peer_welcome node={} lane={} addr={}", in.node.value, in.lane, in.address);
    } else {
      in.phase = Phase::closing;
      options_.log->warn("event=peer_refused node={} addr={} reason=\"{}\"", in.node.value, in.address,
                         verdict.refusal);
    }
    auto frame = encode_frame(answer);
    self_->write(hdl, frame.size(), frame.data());
    self_->flush(hdl);
  }

  void replace_older(const Inbound& fresh) {
    for (auto i = inbound_.begin(); i != inbound_.end();) {
      auto [hdl, in] = std::pair(i->first, &i->second);
      ++i;
      if (in->phase == Phase::welcome && in->node == fresh.node && in->lane == fresh.lane) {
        options_.log->info("event=peer_replaced node={} lane={} old_addr={}", in->node.value, in->lane,
                           in->address);
        forget(hdl);
      }
    }
  }

  void drop(caf::io::connection_handle hdl, const std::string& reason) {
    const auto& in = inbound_.at(hdl);
    options_.log->warn("event=peer_dropped node={} addr={} reason=\"{}\"", in.node.value, in.address, reason);
    forget(hdl);
  }

  void forget(caf::io::connection_handle hdl) {
    hang_up(*self_, hdl);
    auto found = inbound_.find(hdl);
    greeting_.erase(found->second.serial);
    inbound_.erase(found);
  }

  Self self_;
  PeerServerOptions options_;
  std::map<caf::io::connection_handle, Inbound> inbound_;
  // By serial, so oldest first: those that are not welcome.
  std::map<std::uint64_t, caf::io::connection_handle> greeting_;
  std::uint64_t next_serial_ = 1;
};

caf::behavior peer_server(Server::Self self, const PeerServerOptions& options,
                          const std::shared_ptr<OwnedSocket>& socket) {
  auto* state = &self->state;
  auto log = options.log;
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  self->set_error_handler([log](const caf::error& e) {
    log->error("event=stray_error actor=peer_server error=\"{}\"", caf::to_string(e));
  });
  self->set_default_handler([log](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    log->error("event=stray_message actor=peer_server");
    return caf::sec::unexpected_message;
  });
  state->start(options, socket->release());
  return {
      [state](const caf::io::new_connection_msg& m) { state->accepted(m.handle); },
      [state](const caf::io::new_data_msg& m) { state->received(m); },
      [state](const caf::io::data_transferred_msg& m) { state->transferred(m); },
      [state](const caf::io::connection_closed_msg& m) { state->closed(m.handle); },
      [state, self](const caf::io::acceptor_closed_msg&) { state->stop(caf::sec::cannot_open_port); },
      [state](caf::tick_atom, std::uint64_t serial) { state->timer(serial); },
  };
}

}  // namespace

tl::expected<PeerServer, std::string> spawn_peer_server(caf::actor_system& system,
                                                        PeerServerOptions options) {
  auto listening = listen_on(options.bind_address, options.port);
  if (!listening)
    return tl::unexpected(listening.error());
  auto socket = std::make_shared<OwnedSocket>(std::move(listening->socket));
  auto actor = system.middleman().spawn_broker(peer_server, std::move(options), std::move(socket));
  return PeerServer{actor, listening->port};
}

}  // namespace kiwi
