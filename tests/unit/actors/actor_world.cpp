#include "actor_world.hpp"

#include "actors/replica_errors.hpp"
#include "actors/storage_errors.hpp"

namespace kiwi::test {

void Stub::enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) {
  if (dead()) {
    // As every ordinary actor does.
    if (what->mid.is_request())
      what->sender->get()->enqueue(
          caf::make_mailbox_element(nullptr, what->mid.response_id(), {},
                                    caf::make_error(caf::sec::request_receiver_down)),
          nullptr);
    return;
  }
  auto content = what->move_content_to_message();
  if (content.match_elements<caf::exit_msg>()) {
    exit_ = content.get_as<caf::exit_msg>(0).reason;
    return;
  }
  calls_.push_back({what->sender, what->mid, std::move(content)});
}

ActorWorld::ActorWorld() {
  config_.set("scheduler.policy", caf::atom("testing"));
  config_.set("logger.inline-output", true);
  register_storage_errors(config_);
  register_replica_errors(config_);
  system_ = std::make_unique<caf::actor_system>(config_);
  asker_ = &stub();
}

ActorWorld::~ActorWorld() {
  for (auto& actor : watched_) caf::anon_send_exit(actor, caf::exit_reason::kill);
  run();
  watched_.clear();
  // Stubs hold handles in what they recorded, also to each other.
  for (auto& stub : stubs_) {
    auto* s = static_cast<Stub*>(stub->get());
    s->die(caf::exit_reason::kill);
    s->calls().clear();
  }
  stubs_.clear();
  run();
  system_.reset();
}

caf::scheduler::test_coordinator& ActorWorld::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

Stub& ActorWorld::stub() {
  caf::actor_config config;
  stubs_.push_back(caf::make_actor<Stub, caf::strong_actor_ptr>(system_->next_actor_id(), system_->node(),
                                                                system_.get(), config));
  return *static_cast<Stub*>(stubs_.back()->get());
}

void ActorWorld::watch_actor(const caf::actor& actor) {
  watched_.push_back(actor);
  auto id = actor.id();
  ends_[id] = std::nullopt;
  actor->attach_functor([this, id](const caf::error& reason) { ends_[id] = reason; });
}

void ActorWorld::run() {
  while (scheduler().try_run_once()) {
  }
}

void ActorWorld::run_one() { scheduler().run_once(); }

void ActorWorld::advance(std::uint64_t ms) {
  now_ms_ += ms;
  scheduler().advance_time(std::chrono::milliseconds(ms));
  run();
}

}  // namespace kiwi::test
