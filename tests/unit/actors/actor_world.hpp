#pragma once

// One actor system in one thread, on CAF's own test scheduler: nothing runs and no time passes unless the
// test says so. Neighbours of the actor under test are stubs.

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "actors/interfaces.hpp"

namespace kiwi::test {

/// A message as it came in, and whether the test replied to it.
struct Call {
  caf::strong_actor_ptr from;
  caf::message_id id;
  caf::message content;
  bool answered = false;

  template <class T>
  bool is() const {
    return content.match_elements<T>();
  }
  template <class T>
  const T& as() const {
    if (!is<T>())
      throw std::logic_error("another message: " + caf::to_string(content));
    return content.get_as<T>(0);
  }
};

/// An actor without behaviour, time or place in the scheduler: it records whatever reaches it at the moment
/// when that is sent. It can impersonate any typed actor, and say what no correct actor would say.
class Stub : public caf::monitorable_actor {
 public:
  explicit Stub(caf::actor_config& config) : monitorable_actor(config) {}

  template <class Handle>
  Handle as() {
    return caf::actor_cast<Handle>(caf::strong_actor_ptr(ctrl()));
  }
  /// Oldest first. References stay good.
  std::deque<Call>& calls() { return calls_; }
  /// The requests or messages of this type, answered ones included.
  template <class T>
  std::vector<Call*> calls_of() {
    std::vector<Call*> found;
    for (auto& call : calls_)
      if (call.is<T>())
        found.push_back(&call);
    return found;
  }
  /// Oldest one that has no answer yet; throws when there is none.
  template <class T>
  Call& next() {
    for (auto& call : calls_)
      if (!call.answered && call.is<T>())
        return call;
    throw std::logic_error("nothing of this kind was asked");
  }
  /// Takes out the contents of all messages of this type.
  template <class T>
  std::vector<T> take() {
    std::vector<T> taken;
    std::erase_if(calls_, [&](Call& call) {
      if (!call.is<T>())
        return false;
      taken.push_back(call.as<T>());
      return true;
    });
    return taken;
  }
  /// Any number of times: a stub may say everything twice.
  template <class Reply>
  void reply(Call& call, Reply reply) {
    call.answered = true;
    send(call.from, call.id.response_id(), std::move(reply));
  }
  template <class Message>
  void send(const caf::strong_actor_ptr& to, caf::message_id id, Message message) {
    to->get()->enqueue(caf::make_mailbox_element(caf::strong_actor_ptr(ctrl()), id, {}, std::move(message)),
                       nullptr);
  }
  /// Ends it with all requests in its hands. Those who watch it are told; later requests are bounced.
  void die(caf::error reason) { cleanup(std::move(reason), nullptr); }
  bool dead() const { return getf(is_cleaned_up_flag); }
  /// The reason of the first exit message it got.
  const std::optional<caf::error>& asked_to_exit() const { return exit_; }

  using abstract_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* host) override;

 private:
  std::deque<Call> calls_;
  std::optional<caf::error> exit_;
};

/// A request on its way, and every answer that came to it.
template <class Reply>
class Question {
 public:
  Question(Stub& asker, caf::message_id id) : asker_(&asker), id_(id) {}
  std::size_t answers() const { return found().size(); }
  const Reply& reply() const { return only().template as<Reply>(); }
  caf::error error() const { return only().template as<caf::error>(); }
  bool succeeded() const { return !only().template is<caf::error>(); }

 private:
  std::vector<Call*> found() const {
    std::vector<Call*> found;
    for (auto& call : asker_->calls())
      if (call.id.is_response() && call.id.request_id() == id_.request_id())
        found.push_back(&call);
    return found;
  }
  const Call& only() const {
    auto all = found();
    if (all.size() != 1)
      throw std::logic_error("answered " + std::to_string(all.size()) + " times");
    return *all.front();
  }
  Stub* asker_;
  caf::message_id id_;
};

class ActorWorld {
 public:
  ActorWorld();
  /// Ends every watched actor first.
  ~ActorWorld();
  ActorWorld(const ActorWorld&) = delete;
  ActorWorld& operator=(const ActorWorld&) = delete;

  caf::actor_system& system() { return *system_; }
  /// Lives as long as the world.
  Stub& stub();
  template <class Handle>
  Handle watch(Handle actor) {
    watch_actor(caf::actor_cast<caf::actor>(actor));
    return actor;
  }
  /// Nothing: still alive. Only for watched actors.
  template <class Handle>
  const std::optional<caf::error>& ended(const Handle& actor) const {
    return ends_.at(actor.address().id());
  }

  /// Runs until nobody has a message any more. Time stands still.
  void run();
  /// Lets one actor take one message.
  void run_one();
  /// Moves the clock, then runs.
  void advance(std::uint64_t ms);
  /// Virtual Unix time.
  std::uint64_t now_ms() const { return now_ms_; }

  template <class Handle, class Message>
  void tell(const Handle& to, Message message) {
    asker_->send(caf::actor_cast<caf::strong_actor_ptr>(to), caf::make_message_id(), std::move(message));
  }
  /// Puts a request into the mailbox; run() lets it be answered.
  template <class Reply, class Handle, class Message>
  Question<Reply> ask(const Handle& to, Message message) {
    auto id = caf::make_message_id(++questions_);
    asker_->send(caf::actor_cast<caf::strong_actor_ptr>(to), id, std::move(message));
    return {*asker_, id};
  }
  template <class Handle>
  void exit(const Handle& actor) {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::user_shutdown);
  }

 private:
  void watch_actor(const caf::actor& actor);
  caf::scheduler::test_coordinator& scheduler();

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::vector<caf::strong_actor_ptr> stubs_;
  Stub* asker_ = nullptr;
  std::uint64_t questions_ = 0;
  std::uint64_t now_ms_ = 1'700'000'000'000;
  std::vector<caf::actor> watched_;
  std::map<caf::actor_id, std::optional<caf::error>> ends_;
};

}  // namespace kiwi::test
