#include "actors/join_client.hpp"

#include <caf/io/all.hpp>
#include <charconv>
#include <cstdio>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "actors/peer_dialer.hpp"
#include "actors/peer_hello.hpp"
#include "actors/peer_socket.hpp"

namespace kiwi {
namespace {

using namespace std::chrono_literals;

constexpr auto kAnswerLimit = 7s;  // above what a node waits for its majority
constexpr auto kPause = 250ms;     // between two rounds through the targets
constexpr std::size_t kMaxLineBytes = 4096;
constexpr int kMaxRedirects = 8;  // in a row

std::string hex(std::uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

class JoinClient {
 public:
  using Self = caf::stateful_actor<JoinClient, caf::io::broker>*;
  static constexpr const char* name = "join_client";

  explicit JoinClient(Self self) : self_(self) {}

  caf::result<AdminAnswer> join(JoinRequest& request) {
    request_ = std::move(request);
    promise_ = self_->make_response_promise<AdminAnswer>();
    dialer_ = spawn_dialer(self_->system());
    end_ = self_->clock().now() + kJoinLimit;
    dial();
    return promise_;
  }

  void received(const caf::io::new_data_msg& m) {
    if (m.handle != hdl_)
      return;
    line_.append(m.buf.data(), m.buf.size());
    const auto end = line_.find("\r\n");
    if (end != std::string::npos)
      judge(line_.substr(0, end));
    else if (line_.size() > kMaxLineBytes)
      next("its answer is no answer of a node");
  }

  void closed(caf::io::connection_handle hdl) {
    if (hdl == hdl_) {
      hdl_.set_invalid();
      next("it closed the connection");
    }
  }

  void timer(std::uint64_t step) {
    if (step != step_)
      return;
    if (pausing_)
      dial();
    else
      next("it does not answer");
  }

  void stop(const caf::error& reason) {
    hang_up_now();
    if (dialer_)
      self_->send_exit(dialer_, caf::exit_reason::user_shutdown);
    self_->quit(reason);
  }

 private:
  const HostPort& target() const { return moved_ ? *moved_ : request_.targets[at_]; }

  void dial() {
    pausing_ = false;
    ++step_;
    self_->request(dialer_, caf::infinite, Dial{target().host, target().port})
        .then(
            [this, step = step_](const DialedSocket& dialed) {
              if (step == step_)
                ask(dialed.socket->release());
            },
            [this, step = step_](const caf::error& e) {
              if (step == step_)
                next(caf::to_string(e.context()));
            });
  }

  void ask(int fd) {
    hdl_ = self_->add_scribe(fd);
    self_->configure_read(hdl_, caf::io::receive_policy::at_most(kMaxLineBytes));
    line_.clear();
    const auto& self = request_.self;
    const auto text = "RAFT.NODE ADD " + to_string(self.id) + " " + to_string(self.address) + " INSTANCE " +
                      hex(request_.instance.value) + " CLUSTER " + hex(request_.cluster.value) + "\r\n";
    self_->write(hdl_, text.size(), text.data());
    self_->flush(hdl_);
    start_timer(kAnswerLimit);
  }

  void judge(const std::string& line) {
    hang_up_now();
    const auto begins = [&](std::string_view word) { return line.compare(0, word.size(), word) == 0; };
    if (begins("+"))
      return answer({});
    if (begins("-MOVED ")) {
      auto there = parse_host_port(line.substr(line.rfind(' ') + 1));
      if (there && ++redirects_ <= kMaxRedirects) {
        moved_ = *there;
        return dial();
      }
      return next("it sends this node around: " + for_the_log(line));
    }
    // Refusals that pass, and one that cannot tell: asking again does no harm, the instance goes with it.
    for (const auto* code : {"-TRYAGAIN", "-CLUSTERDOWN", "-LOADING", "-NOCLUSTER", "-TIMEOUT", "-MISCONF"})
      if (begins(code))
        return next(for_the_log(line.substr(1)));
    if (begins("-ERR "))
      return answer(to_string(target()) + " refuses: " + for_the_log(line.substr(5)));
    next("its answer is no answer of a node");
  }

  /// This target does not help now: the next one, after a pause when all were asked.
  void next(const std::string& why) {
    hang_up_now();
    problem_ = to_string(target()) + ": " + why;
    redirects_ = 0;
    moved_.reset();
    at_ = (at_ + 1) % request_.targets.size();
    if (self_->clock().now() >= end_)
      return answer("no node of the cluster could add this one; last " + problem_);
    pausing_ = true;
    ++step_;
    start_timer(at_ == 0 ? kPause : 0ms);
  }

  void answer(std::string problem) {
    AdminAnswer answer;
    answer.problem = std::move(problem);
    promise_.deliver(std::move(answer));
    stop(caf::exit_reason::normal);
  }

  void hang_up_now() {
    if (!hdl_.invalid())
      hang_up(*self_, hdl_);
    hdl_.set_invalid();
  }

  void start_timer(std::chrono::milliseconds delay) {
    caf::delayed_anon_send(caf::actor_cast<caf::actor>(self_), delay, caf::tick_atom_v, step_);
  }

  Self self_;
  JoinRequest request_;
  caf::typed_response_promise<AdminAnswer> promise_;
  DialerActor dialer_;
  caf::actor_clock::time_point end_;
  caf::io::connection_handle hdl_;
  std::string line_;
  std::string problem_;
  std::size_t at_ = 0;
  std::optional<HostPort> moved_;
  int redirects_ = 0;
  bool pausing_ = false;
  std::uint64_t step_ = 0;  // makes late answers and timers harmless
};

caf::behavior join_client(JoinClient::Self self, const std::shared_ptr<spdlog::logger>& log) {
  auto* state = &self->state;
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  self->set_error_handler([log](const caf::error& e) {
    log->error("event=stray_error actor=join_client error=\"{}\"", caf::to_string(e));
  });
  return {
      [state](JoinRequest& m) { return state->join(m); },
      [state](const caf::io::new_data_msg& m) { state->received(m); },
      [state](const caf::io::connection_closed_msg& m) { state->closed(m.handle); },
      [state](caf::tick_atom, std::uint64_t step) { state->timer(step); },
  };
}

}  // namespace

JoinActor spawn_join_client(caf::actor_system& system, std::shared_ptr<spdlog::logger> log) {
  return caf::actor_cast<JoinActor>(system.middleman().spawn_broker(join_client, std::move(log)));
}

}  // namespace kiwi
