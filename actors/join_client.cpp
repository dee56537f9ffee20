#include "actors/join_client.hpp"

#include <caf/io/all.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "actors/peer_dialer.hpp"
#include "actors/peer_socket.hpp"

namespace kiwi {
namespace {

constexpr std::size_t kMaxLineBytes = 4096;

class JoinClient {
 public:
  using Self = caf::stateful_actor<JoinClient, caf::io::broker>*;
  static constexpr const char* name = "join_client";

  explicit JoinClient(Self self) : self_(self) {}

  caf::result<AdminAnswer> join(JoinRequest& request) {
    dialogue_.emplace(std::move(request), now());
    promise_ = self_->make_response_promise<AdminAnswer>();
    dialer_ = spawn_dialer(self_->system());
    dial();
    return promise_;
  }

  void received(const caf::io::new_data_msg& m) {
    if (m.handle != hdl_)
      return;
    line_.append(m.buf.data(), m.buf.size());
    const auto end = line_.find("\r\n");
    if (end != std::string::npos)
      go_on(dialogue_->answered(line_.substr(0, end), now()));
    else if (line_.size() > kMaxLineBytes)
      failed("its answer is no answer of a node");
  }

  void closed(caf::io::connection_handle hdl) {
    if (hdl == hdl_) {
      hdl_.set_invalid();
      failed("it closed the connection");
    }
  }

  void timer(std::uint64_t step) {
    if (step != step_)
      return;
    if (pausing_)
      dial();
    else
      failed("it does not answer");
  }

  void stop(const caf::error& reason) {
    hang_up_now();
    if (dialer_)
      self_->send_exit(dialer_, caf::exit_reason::user_shutdown);
    self_->quit(reason);
  }

 private:
  JoinDialogue::Clock now() const {
    return std::chrono::duration_cast<JoinDialogue::Clock>(self_->clock().now().time_since_epoch());
  }

  void dial() {
    pausing_ = false;
    ++step_;
    self_->request(dialer_, caf::infinite, Dial{dialogue_->target().host, dialogue_->target().port})
        .then(
            [this, step = step_](const DialedSocket& dialed) {
              if (step == step_)
                ask(dialed.socket->release());
            },
            [this, step = step_](const caf::error& e) {
              if (step == step_)
                failed(dial_problem(e).why);
            });
  }

  void ask(int fd) {
    hdl_ = self_->add_scribe(fd);
    self_->configure_read(hdl_, caf::io::receive_policy::at_most(kMaxLineBytes));
    line_.clear();
    std::string text;
    for (const auto& word : dialogue_->question()) text += (text.empty() ? "" : " ") + word;
    text += "\r\n";
    self_->write(hdl_, text.size(), text.data());
    self_->flush(hdl_);
    start_timer(kJoinAnswerLimit);
  }

  void failed(const std::string& why) { go_on(dialogue_->failed(why, now())); }

  void go_on(JoinDialogue::Next next) {
    hang_up_now();
    if (next.over)
      return answer(std::move(next.problem));
    pausing_ = true;
    ++step_;
    start_timer(next.pause);
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
  std::optional<JoinDialogue> dialogue_;
  caf::typed_response_promise<AdminAnswer> promise_;
  DialerActor dialer_;
  caf::io::connection_handle hdl_;
  std::string line_;
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
