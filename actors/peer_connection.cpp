#include "actors/peer_connection.hpp"

#include <algorithm>
#include <array>
#include <caf/io/all.hpp>
#include <random>

#include "actors/peer_hello.hpp"
#include "actors/peer_out_queue.hpp"
#include "messages/codec.hpp"
#include "messages/frame_reader.hpp"

namespace kiwi {
namespace {

/// CAF's own write buffer has no bound and never shrinks: it gets the frames in pieces.
constexpr std::uint64_t kHandOverBytes = 256 << 10;

class PeerConnection {
 public:
  using Self = caf::stateful_actor<PeerConnection, caf::io::broker>*;
  static constexpr const char* name = "peer_connection";

  explicit PeerConnection(Self self) : self_(self) {}

  void start(PeerOptions options) {
    options_ = std::move(options);
    peer_ = options_.hello.target;
    random_.seed(options_.jitter_seed);
    lanes_.emplace_back(options_.control_queue_bytes);
    lanes_.emplace_back(options_.bulk_queue_bytes);
    dial();
  }

  void send(const ToPeer& batch) {
    if (phase_ != Phase::up) {
      if (!batch.messages.empty())
        report_unreachable();
      return;
    }
    bool lost = false;
    for (const auto& message : batch.messages) {
      auto& queue = lanes_[lane_of(message)].queue;
      lost |= (queue.full() ? queue.drop() : queue.push(encode_frame(message))) ==
              PeerOutQueue::Push::dropped_first;
    }
    for (auto& lane : lanes_) pump(lane);
    if (lost) {
      options_.log->warn("event=peer_queue_full node={} control_bytes={} bulk_bytes={}", peer_.value,
                         lanes_[kControlLane].queue.unsent_bytes(), lanes_[kBulkLane].queue.unsent_bytes());
      caf::anon_send(options_.replica, PeerUnreachable{peer_});
    }
  }

  void received(const caf::io::new_data_msg& m) {
    if (phase_ != Phase::greeting || m.handle != lanes_[lane_].hdl) {
      if (lane_of_handle(m.handle) != nullptr)
        fail("unexpected bytes from the peer");
      return;
    }
    std::vector<FrameReader::Frame> frames;
    auto fine = lanes_[lane_].reader.feed({m.buf.data(), m.buf.size()}, frames);
    const auto* hello = frames.empty() ? nullptr : std::get_if<Hello>(&frames.front());
    if (!fine)
      fail("bad answer to Hello: " + fine.error().what);
    else if (hello != nullptr && frames.size() == 1)
      answered(*hello);
    else if (!frames.empty())
      fail("unexpected frames from the peer");
  }

  void transferred(const caf::io::data_transferred_msg& m) {
    if (auto* lane = lane_of_handle(m.handle)) {
      lane->queue.sent(m.remaining);
      pump(*lane);
    }
  }

  /// The other side is there. It may call again and again, so that there is a pause all the same.
  void called() {
    if (phase_ == Phase::waiting && pauses_ > 1) {
      pauses_ = 1;
      enter(Phase::waiting);
      start_timer(pause());
    } else if (phase_ != Phase::waiting && phase_ != Phase::verdict) {
      pauses_ = 0;  // in the verdict it is this node's own call that was judged: that shortens no pause
    }
  }

  void closed(caf::io::connection_handle hdl) {
    if (lane_of_handle(hdl) != nullptr)
      fail("connection lost");
  }

  /// A pause is over, or an answer to Hello is too late. A timer of an earlier step says nothing.
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
    disconnect();
    self_->quit(reason);
  }

 private:
  enum class Phase { waiting, dialing, greeting, verdict, up };

  struct Lane {
    explicit Lane(std::uint64_t limit) : queue(limit) {}
    caf::io::connection_handle hdl;  // invalid while not connected
    FrameReader reader{kMaxHelloBytes};
    PeerOutQueue queue;
  };

  Lane* lane_of_handle(caf::io::connection_handle hdl) {
    for (auto& lane : lanes_)
      if (!lane.hdl.invalid() && lane.hdl == hdl)
        return &lane;
    return nullptr;
  }

  void pump(Lane& lane) {
    if (lane.hdl.invalid())
      return;
    if (lane.queue.handed_bytes() == 0) {
      for (auto next = lane.queue.front(); !next.empty(); next = lane.queue.front()) {
        auto sent = send_now(lane.hdl, next);
        if (sent > 0)
          lane.queue.left(sent);
        if (sent < next.size())
          break;
      }
    }
    auto handed = lane.queue.handed_bytes();
    if (handed >= kHandOverBytes || lane.queue.front().empty())
      return;
    lane.queue.hand_over(self_->wr_buf(lane.hdl), kHandOverBytes - handed);
    self_->flush(lane.hdl);
  }

  void enter(Phase phase) {
    phase_ = phase;
    ++step_;
  }

  void dial() {
    enter(Phase::dialing);
    self_->request(options_.dialer, caf::infinite, Dial{options_.host, options_.port})
        .then(
            [this, step = step_](const DialedSocket& dialed) {
              if (step == step_)
                greet(dialed.socket->release());
            },
            [this, step = step_](const caf::error& e) {
              if (step != step_)
                return;
              auto problem = dial_problem(e);
              if (problem.refused && std::exchange(lost_, false))
                caf::anon_send(options_.replica, PeerGone{peer_});
              fail(problem.why);
            });
  }

  void greet(int fd) {
    enter(Phase::greeting);
    auto& lane = lanes_[lane_];
    lane.hdl = self_->add_scribe(fd);
    self_->configure_read(lane.hdl, caf::io::receive_policy::at_most(kMaxHelloBytes));
    self_->ack_writes(lane.hdl, true);
    auto hello = options_.hello;
    hello.lane = lane_;
    lane.queue.push(encode_frame(hello));
    pump(lane);
    start_timer(options_.handshake_limit);
  }

  void answered(const Hello& theirs) {
    auto problem = for_the_log(theirs.reason);
    if (theirs.removed && theirs.cluster == options_.hello.cluster)
      caf::anon_send(options_.replica, ToldRemoved{peer_});
    if (problem.empty())
      problem = hello_mismatch(theirs, options_.hello);
    if (problem.empty() && theirs.node != peer_)
      problem = "node " + to_string(theirs.node) + " answers there";
    if (!problem.empty()) {
      fail("refused: " + problem);
    } else if (lane_ == kControlLane) {
      ask(theirs);
    } else if (theirs.instance != instance_) {
      fail("refused: another instance answers on the second lane");
    } else {
      enter(Phase::up);
      failures_ = 0;
      pauses_ = 0;
      reported_ = false;
      lost_ = false;
      options_.log->info("event=peer_connected node={} addr={}:{}", peer_.value, options_.host,
                         options_.port);
      caf::anon_send(options_.replica, PeerUp{peer_});
    }
  }

  /// Rule 11 for those we call: a node that lost its directory would take our appends as if it had
  /// acknowledged what its predecessor did.
  void ask(const Hello& theirs) {
    instance_ = theirs.instance;
    enter(Phase::verdict);
    start_timer(options_.handshake_limit);
    self_->request(options_.replica, caf::infinite, HelloQuestion{theirs})
        .then(
            [this, step = step_](const HelloVerdict& verdict) {
              if (step != step_)
                return;
              if (!verdict.refusal.empty()) {
                fail("refused here: " + verdict.refusal);
                return;
              }
              ++lane_;
              dial();
            },
            [this, step = step_](const caf::error&) {
              if (step == step_)
                fail("the replica does not answer");
            });
  }

  /// The link is down; another attempt follows.
  void fail(const std::string& reason) {
    bool was_up = phase_ == Phase::up;
    disconnect();
    enter(Phase::waiting);
    ++failures_;
    ++pauses_;
    if (was_up) {
      lost_ = true;
      options_.log->warn("event=peer_closed node={} reason=\"{}\"", peer_.value, reason);
      report_unreachable();
    } else if ((failures_ & (failures_ - 1)) ==
               0) {  // the first, then every 2^n-th: a dead peer must not fill the log
      options_.log->warn("event=peer_connect_failed node={} addr={}:{} attempts={} reason=\"{}\"",
                         peer_.value, options_.host, options_.port, failures_, reason);
    }
    start_timer(pause());
  }

  std::chrono::milliseconds pause() {
    auto full = options_.retry_min;
    for (std::uint64_t n = 1; n < pauses_ && full < options_.retry_max; ++n) full *= 2;
    full = std::min(full, options_.retry_max);
    std::uniform_int_distribution<std::int64_t> jitter(full.count() / 2, full.count());
    return std::chrono::milliseconds(jitter(random_));
  }

  void disconnect() {
    for (auto& lane : lanes_) {
      if (!lane.hdl.invalid())
        hang_up(*self_, lane.hdl);
      lane.hdl.set_invalid();
      lane.reader = FrameReader(kMaxHelloBytes);
      lane.queue.clear();
    }
    lane_ = kControlLane;
  }

  void report_unreachable() {
    if (!std::exchange(reported_, true))
      caf::anon_send(options_.replica, PeerUnreachable{peer_});
  }

  /// Anonymous: a message from itself would keep a dead broker in memory.
  void start_timer(std::chrono::milliseconds delay) {
    caf::delayed_anon_send(caf::actor_cast<caf::actor>(self_), delay, caf::tick_atom_v, step_);
  }

  Self self_;
  PeerOptions options_;
  NodeId peer_;
  std::minstd_rand random_;
  std::vector<Lane> lanes_;  // by number, kLanes of them
  Phase phase_ = Phase::waiting;
  InstanceId instance_;               // who answered on the control lane
  std::uint8_t lane_ = kControlLane;  // while not up: the lane being set up
  std::uint64_t step_ = 0;            // counts changes of phase: makes late answers and timers harmless
  std::uint64_t failures_ = 0;        // since the link was last up
  std::uint64_t pauses_ = 0;          // the same, or since the peer called: decides how long the next one is
  bool lost_ = false;                 // the link was up and broke; PeerGone was not said yet
  bool reported_ = false;             // the replica knows that the link is down
};

caf::behavior peer_connection(PeerConnection::Self self, const PeerOptions& options) {
  auto* state = &self->state;
  auto log = options.log;
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  self->set_error_handler([log](const caf::error& e) {
    log->error("event=stray_error actor=peer_connection error=\"{}\"", caf::to_string(e));
  });
  self->set_default_handler([log](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    log->error("event=stray_message actor=peer_connection");
    return caf::sec::unexpected_message;
  });
  state->start(options);
  return {
      [state](const ToPeer& batch) { state->send(batch); },
      [state](const PeerCalled&) { state->called(); },
      [state](const caf::io::new_data_msg& m) { state->received(m); },
      [state](const caf::io::data_transferred_msg& m) { state->transferred(m); },
      [state](const caf::io::connection_closed_msg& m) { state->closed(m.handle); },
      [state](caf::tick_atom, std::uint64_t step) { state->timer(step); },
  };
}

}  // namespace

PeerActor spawn_peer(caf::actor_system& system, PeerOptions options) {
  return caf::actor_cast<PeerActor>(system.middleman().spawn_broker(peer_connection, std::move(options)));
}

}  // namespace kiwi
