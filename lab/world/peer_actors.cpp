#include "lab/world/peer_actors.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "actors/peer_hello.hpp"
#include "messages/codec.hpp"
#include "messages/fault_points.hpp"
#include "messages/frame_reader.hpp"

namespace kiwi::lab {

namespace {

using namespace std::chrono_literals;

// As PeerOptions and PeerServerOptions have them.
constexpr auto kRetryMin = 50ms;
constexpr auto kRetryMax = 2000ms;

class SimPeer {
 public:
  using Self = caf::stateful_actor<SimPeer>*;
  static constexpr const char* name = "peer";

  explicit SimPeer(Self self) : self_(self) {}

  void start(SimPeerOptions options) {
    o_ = std::move(options);
    dial();
  }

  void send(const ToPeer& batch) {
    if (phase_ != Phase::up) {
      if (!batch.messages.empty())
        report_unreachable();
      return;
    }
    bool lost = false;
    for (const auto& message : batch.messages)
      lost |= !o_.net->send(connection_, true, lane_of(message), kind_of(message), encode_frame(message));
    if (lost)
      caf::anon_send(o_.replica, PeerUnreachable{o_.peer});
  }

  void received(const NetBytes& m) {
    if (m.connection != connection_ || phase_ != Phase::greeting)
      return;
    std::vector<FrameReader::Frame> frames;
    auto fine = reader_.feed(m.bytes, frames);
    const auto* hello = frames.empty() ? nullptr : std::get_if<Hello>(&frames.front());
    if (!fine)
      fail("bad answer to Hello: " + fine.error().what);
    else if (hello != nullptr)
      answered(*hello);
  }

  void closed(const NetClosed& m) {
    if (m.connection != connection_)
      return;
    if (m.why == Net::kRefused && std::exchange(lost_, false))
      caf::anon_send(o_.replica, PeerGone{o_.peer});
    fail(m.why);
  }

  void called() {
    if (phase_ == Phase::waiting && pauses_ > 1) {
      pauses_ = 1;
      enter(Phase::waiting);
      start_pause();
    } else if (phase_ != Phase::waiting && phase_ != Phase::verdict) {
      pauses_ = 0;  // in the verdict it is this node's own call that was judged: that shortens no pause
    }
  }

  void timer(std::uint64_t step) {
    if (step != step_)
      return;
    if (phase_ == Phase::waiting)
      dial();
    else if (phase_ == Phase::greeting)
      fail("no answer to Hello");
    else if (phase_ == Phase::verdict)
      fail("the replica does not answer");
  }

  void stop(const caf::error& reason) {
    o_.net->close(connection_, true, "closed");
    self_->quit(reason);
  }

 private:
  enum class Phase { waiting, greeting, verdict, up };

  void dial() {
    enter(Phase::greeting);
    reader_ = FrameReader(kMaxHelloBytes);
    connection_ = o_.net->open(o_.own, o_.machine);
    auto hello = o_.hello;
    hello.lane = kControlLane;
    o_.net->send(connection_, true, kControlLane, "hello", encode_frame(hello));
    self_->delayed_send(self_, o_.handshake_limit, caf::tick_atom_v, step_);
  }

  void answered(const Hello& theirs) {
    auto problem = for_the_log(theirs.reason);
    if (theirs.removed && theirs.cluster == o_.hello.cluster)
      caf::anon_send(o_.replica, ToldRemoved{o_.peer});
    if (problem.empty())
      problem = hello_mismatch(theirs, o_.hello);
    if (!problem.empty()) {
      fail("refused: " + problem);
      return;
    }
    enter(Phase::verdict);
    self_->delayed_send(self_, o_.handshake_limit, caf::tick_atom_v, step_);
    self_->request(o_.replica, caf::infinite, HelloQuestion{theirs})
        .then(
            [this, step = step_](const HelloVerdict& verdict) {
              if (step != step_)
                return;
              if (verdict.refusal.empty())
                up();
              else
                fail("refused here: " + verdict.refusal);
            },
            [this, step = step_](const caf::error&) {
              if (step == step_)
                fail("the replica does not answer");
            });
  }

  void up() {
    enter(Phase::up);
    failures_ = 0;
    pauses_ = 0;
    reported_ = false;
    lost_ = false;
    o_.log->info("event=peer_connected node={}", o_.peer.value);
    caf::anon_send(o_.replica, PeerUp{o_.peer});
  }

  void fail(const std::string& reason) {
    const bool was_up = phase_ == Phase::up;
    o_.net->close(std::exchange(connection_, 0), true, "closed");
    enter(Phase::waiting);
    ++failures_;
    ++pauses_;
    if (was_up) {
      lost_ = true;
      o_.log->warn("event=peer_closed node={} reason=\"{}\"", o_.peer.value, reason);
      report_unreachable();
    } else if ((failures_ & (failures_ - 1)) == 0) {
      o_.log->warn("event=peer_connect_failed node={} attempts={} reason=\"{}\"", o_.peer.value, failures_,
                   reason);
    }
    start_pause();
  }

  void start_pause() {
    std::chrono::milliseconds full = kRetryMin;
    for (std::uint64_t n = 1; n < pauses_ && full < kRetryMax; ++n) full *= 2;
    full = std::min<std::chrono::milliseconds>(full, kRetryMax);
    const auto half = static_cast<std::uint64_t>(full.count()) / 2;
    self_->delayed_send(self_, std::chrono::milliseconds(half + below(o_.jitter.next(), half + 1)),
                        caf::tick_atom_v, step_);
  }

  void report_unreachable() {
    if (!std::exchange(reported_, true))
      caf::anon_send(o_.replica, PeerUnreachable{o_.peer});
  }

  void enter(Phase phase) {
    phase_ = phase;
    ++step_;
  }

  Self self_;
  SimPeerOptions o_;
  Phase phase_ = Phase::waiting;
  std::uint64_t connection_ = 0;
  FrameReader reader_{kMaxHelloBytes};
  std::uint64_t step_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t pauses_ = 0;
  bool reported_ = false;
  bool lost_ = false;
};

caf::behavior sim_peer(SimPeer::Self self, const SimPeerOptions& options) {
  auto* state = &self->state;
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  state->start(options);
  return {
      [state](const ToPeer& m) { state->send(m); },
      [state](const PeerCalled&) { state->called(); },
      [state](const NetBytes& m) { state->received(m); },
      [state](const NetClosed& m) { state->closed(m); },
      [state](caf::tick_atom, std::uint64_t step) { state->timer(step); },
  };
}

class SimAcceptor {
 public:
  using Self = caf::stateful_actor<SimAcceptor>*;
  static constexpr const char* name = "peer-server";

  explicit SimAcceptor(Self self) : self_(self) {}

  void start(Net* net, ReplicaActor replica, std::shared_ptr<spdlog::logger> log) {
    net_ = net;
    replica_ = std::move(replica);
    log_ = std::move(log);
  }

  void opened(const NetOpened& m) { inbound_.emplace(m.connection, Inbound{m.from}); }

  void received(const NetBytes& m) {
    auto found = inbound_.find(m.connection);
    if (found == inbound_.end())
      return;
    auto& in = found->second;
    std::vector<FrameReader::Frame> frames;
    auto fine = in.lanes[m.lane].feed(m.bytes, frames);
    if (!fine)
      KIWI_MARK("frame.corrupt");
    std::string problem = fine ? std::string() : fine.error().what;
    if (in.phase == Phase::welcome) {
      FromPeer batch{in.node, {}};
      for (auto& frame : frames) {
        if (auto* message = std::get_if<PeerMessage>(&frame))
          batch.messages.push_back(std::move(*message));
        else
          problem = "a second Hello";
      }
      if (!batch.messages.empty())
        caf::anon_send(replica_, std::move(batch));
    } else if (!frames.empty()) {
      const auto* hello = std::get_if<Hello>(&frames.front());
      if (hello == nullptr)
        problem = "the first message is no Hello";
      else if (in.phase == Phase::verdict || frames.size() > 1)
        problem = "does not wait for the answer to Hello";
      else if (problem.empty())
        ask(m.connection, in, *hello);
    }
    if (!problem.empty()) {
      log_->warn("event=peer_dropped node={} reason=\"{}\"", in.from.value, problem);
      net_->close(m.connection, false, "refused: " + problem);
      inbound_.erase(m.connection);
    }
  }

  void closed(const NetClosed& m) {
    auto found = inbound_.find(m.connection);
    if (found == inbound_.end())
      return;
    if (found->second.phase == Phase::welcome)
      log_->info("event=peer_left node={} reason=\"{}\"", found->second.node.value, m.why);
    inbound_.erase(found);
  }

  void stop(const caf::error& reason) {
    for (auto& [connection, in] : inbound_) net_->close(connection, false, "closed");
    self_->quit(reason);
  }

 private:
  enum class Phase { hello, verdict, welcome };
  struct Inbound {
    explicit Inbound(NodeId dialer) : from(dialer) {}
    NodeId from;
    NodeId node;
    Phase phase = Phase::hello;
    FrameReader lanes[kLanes] = {FrameReader(kMaxHelloBytes), FrameReader(kMaxHelloBytes)};
  };

  void ask(std::uint64_t connection, Inbound& in, const Hello& hello) {
    in.phase = Phase::verdict;
    in.node = hello.node;
    self_->request(replica_, caf::infinite, HelloQuestion{hello})
        .then([this, connection](const HelloVerdict& verdict) { judged(connection, verdict); },
              [this, connection](const caf::error&) {
                net_->close(connection, false, "the replica does not answer");
                inbound_.erase(connection);
              });
  }

  void judged(std::uint64_t connection, const HelloVerdict& verdict) {
    auto found = inbound_.find(connection);
    if (found == inbound_.end())
      return;
    auto& in = found->second;
    auto answer = verdict.own;
    answer.target = in.node;
    answer.lane = kControlLane;
    answer.reason = verdict.refusal;
    net_->send(connection, false, kControlLane, "hello", encode_frame(answer));
    if (!verdict.refusal.empty()) {
      // The dialer closes when it has read this.
      log_->warn("event=peer_refused node={} reason=\"{}\"", in.node.value, verdict.refusal);
      inbound_.erase(found);
      return;
    }
    std::erase_if(inbound_, [&](auto& other) {
      const bool older =
          other.first != connection && other.second.phase == Phase::welcome && other.second.node == in.node;
      if (older)
        net_->close(other.first, false, "replaced");
      return older;
    });
    in.phase = Phase::welcome;
    for (auto& lane : in.lanes) lane.set_max_body_bytes(kMaxFrameBytes);
    log_->info("event=peer_welcome node={}", in.node.value);
  }

  Self self_;
  Net* net_ = nullptr;
  ReplicaActor replica_;
  std::shared_ptr<spdlog::logger> log_;
  std::map<std::uint64_t, Inbound> inbound_;
};

caf::behavior sim_acceptor(SimAcceptor::Self self, Net* net, const ReplicaActor& replica,
                           const std::shared_ptr<spdlog::logger>& log) {
  auto* state = &self->state;
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  state->start(net, replica, log);
  return {
      [state](const NetOpened& m) { state->opened(m); },
      [state](const NetBytes& m) { state->received(m); },
      [state](const NetClosed& m) { state->closed(m); },
  };
}

}  // namespace

PeerActor spawn_sim_peer(caf::actor_system& system, SimPeerOptions options) {
  return caf::actor_cast<PeerActor>(system.spawn(sim_peer, std::move(options)));
}

caf::actor spawn_sim_acceptor(caf::actor_system& system, Net& net, ReplicaActor replica,
                              std::shared_ptr<spdlog::logger> log) {
  return system.spawn(sim_acceptor, &net, std::move(replica), std::move(log));
}

}  // namespace kiwi::lab
