#include "lab/world/join_actor.hpp"

#include <utility>

namespace kiwi::lab {

namespace {

class SimJoiner {
 public:
  using Self = caf::stateful_actor<SimJoiner>*;
  static constexpr const char* name = "join-client";

  explicit SimJoiner(Self self) : self_(self) {}

  void start(SimJoinerOptions options) { o_ = std::move(options); }

  caf::result<AdminAnswer> join(JoinRequest& request) {
    promise_ = self_->make_response_promise<AdminAnswer>();
    dialogue_.emplace(std::move(request), now());
    ask();
    return promise_;
  }

  void answered(const JoinAnswer& m) {
    if (m.connection == 0 || m.connection != connection_)
      return;
    if (!m.line)
      connection_ = 0;
    go_on(m.line ? dialogue_->answered(*m.line, now())
                 : dialogue_->failed("it closed the connection", now()));
  }

  void timer(std::uint64_t step) {
    if (step != step_)
      return;
    if (pausing_)
      ask();
    else
      go_on(dialogue_->failed("it does not answer", now()));
  }

  void stop(const caf::error& reason) {
    hang_up();
    self_->quit(reason);
  }

 private:
  JoinDialogue::Clock now() const {
    return std::chrono::duration_cast<JoinDialogue::Clock>(self_->clock().now().time_since_epoch());
  }

  void ask() {
    pausing_ = false;
    connection_ = o_.ask(to_string(dialogue_->target()), dialogue_->question());
    wait(kJoinAnswerLimit);
  }

  void go_on(JoinDialogue::Next next) {
    hang_up();
    if (next.over) {
      AdminAnswer answer;
      answer.problem = std::move(next.problem);
      promise_.deliver(std::move(answer));
      self_->quit();
      return;
    }
    pausing_ = true;
    wait(next.pause);
  }

  void wait(std::chrono::milliseconds time) { self_->delayed_send(self_, time, caf::tick_atom_v, ++step_); }

  void hang_up() {
    if (const auto connection = std::exchange(connection_, 0); connection != 0)
      o_.hang_up(connection);
  }

  Self self_;
  SimJoinerOptions o_;
  std::optional<JoinDialogue> dialogue_;
  caf::typed_response_promise<AdminAnswer> promise_;
  ConnectionId connection_ = 0;
  bool pausing_ = false;
  std::uint64_t step_ = 0;  // makes late timers harmless
};

caf::behavior sim_joiner(SimJoiner::Self self, const SimJoinerOptions& options) {
  auto* state = &self->state;
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  state->start(options);
  return {
      [state](JoinRequest& m) { return state->join(m); },
      [state](const JoinAnswer& m) { state->answered(m); },
      [state](caf::tick_atom, std::uint64_t step) { state->timer(step); },
  };
}

}  // namespace

JoinActor spawn_sim_joiner(caf::actor_system& system, SimJoinerOptions options) {
  return caf::actor_cast<JoinActor>(system.spawn(sim_joiner, std::move(options)));
}

}  // namespace kiwi::lab
