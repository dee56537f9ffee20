#include "lab/world/coordinator.hpp"

#include <algorithm>
#include <utility>

#include "messages/assert.hpp"

namespace kiwi::lab {

namespace {
/// PCT's change points are drawn anew for each stretch of this many runs.
constexpr std::uint64_t kStretch = 10'000;
}  // namespace

NodeClock::time_point NodeClock::now() const noexcept {
  return time_point(host_.node_time().steady(host_.world_now()));
}

Time NodeClock::next_timer() const {
  return schedule_.empty() ? Time::max()
                           : host_.node_time().world(schedule_.begin()->first.time_since_epoch());
}

/// What an actor uses while it runs to schedule others.
struct Coordinator::Unit : caf::execution_unit {
  explicit Unit(Coordinator& c) : execution_unit(&c.system()), coordinator(c) {}
  void exec_later(caf::resumable* job) override { coordinator.enqueue(job); }
  Coordinator& coordinator;
};

Coordinator::Coordinator(caf::actor_system& system, CoordinatorHost& host, const WorldOptions& options,
                         std::string entity)
    : abstract_coordinator(system),
      host_(host),
      options_(options),
      entity_(std::move(entity)),
      clock_(host),
      changes_(options.seed, entity_, "pct-change") {}

void Coordinator::start() {
  // Stands in for CAF's printer actor, which would take a thread.
  utility_actors_[printer_id] =
      system().spawn<caf::hidden + caf::lazy_init>([](caf::event_based_actor* self) -> caf::behavior {
        self->set_default_handler(caf::drop);
        return {[](caf::unit_t) {}};
      });
}

ScheduledActor& Coordinator::known(caf::scheduled_actor& actor) {
  const auto id = actor.id();
  while (actors_.size() <= id) actors_.emplace_back();
  auto& who = actors_[id];
  if (!who.actor) {
    who.actor = caf::weak_actor_ptr{actor.ctrl()};
    who.role = actor.name();
    auto name = who.role + "#" + std::to_string(++of_role_[who.role]);
    who.key = hash_name(name);
    who.priority = ChanceStream(options_.seed, entity_ + "/" + name, "run");
    host_.spawned(who, caf::strong_actor_ptr{actor.ctrl()});
  }
  return who;
}

void Coordinator::enqueue(caf::resumable* job) {
  auto& who = known(*static_cast<caf::scheduled_actor*>(job));
  push(job, who, host_.world_now() + host_.hold(who, false));
}

std::uint64_t Coordinator::priority_of(ScheduledActor& who) {
  const auto run = who.runs++;
  if (who.preferred)
    return ~std::uint64_t{0};
  if (options_.strategy == Strategy::fifo || !host_.noisy())
    return ~pushed_;
  if (options_.strategy == Strategy::random)
    return who.priority.at(run);
  return who.lowered != 0 ? (std::uint64_t{1} << 32) - who.lowered
                          : who.priority.at(0) | std::uint64_t{1} << 33;
}

void Coordinator::push(caf::resumable* job, ScheduledActor& who, Time not_before) {
  ++pushed_;
  ready_.push_back({job, &who, priority_of(who), std::max(not_before, who.starved_until)});
  next_run_ = std::min(next_run_, std::max(ready_.back().not_before, free_at_));
}

void Coordinator::find_next_run() {
  next_run_ = Time::max();
  for (const auto& job : ready_) next_run_ = std::min(next_run_, job.not_before);
  if (!ready_.empty())
    next_run_ = std::max(next_run_, free_at_);
}

const ScheduledActor& Coordinator::run_one() {
  const auto now = host_.world_now();
  auto best = ready_.end();
  for (auto job = ready_.begin(); job != ready_.end(); ++job)
    if (job->not_before <= now && (best == ready_.end() || job->priority > best->priority))
      best = job;
  KIWI_ASSERT(best != ready_.end(), "run_one() is called when somebody can run");
  auto job = *best;
  *best = ready_.back();
  ready_.pop_back();
  if (options_.strategy == Strategy::pct) {
    const auto stretch = ran_ / kStretch;
    for (std::uint64_t i = 0; i < options_.pct_changes; ++i)
      if (below(changes_.at(stretch * 64 + i), kStretch) == ran_ % kStretch)
        job.who->lowered = ++lowered_;
  }
  ++ran_;
  Unit unit{*this};
  if (job.actor->resume(&unit, 1) == caf::resumable::resume_later)
    push(job.actor, *job.who, now + host_.hold(*job.who, true));
  else
    caf::intrusive_ptr_release(job.actor);
  find_next_run();
  return *job.who;
}

void Coordinator::drop_all() {
  clock_.cancel_all();
  utility_actors_[printer_id] = nullptr;
  // Idle actors that hold each other's handles would never go by themselves. on_exit() destroys the state of
  // a stateful actor; cleanup() alone leaks it.
  for (std::size_t id = 0; id < actors_.size(); ++id) {
    auto alive = actors_[id].actor ? actors_[id].actor.lock() : nullptr;
    if (!alive)
      continue;
    auto* actor = static_cast<caf::scheduled_actor*>(caf::actor_cast<caf::abstract_actor*>(alive));
    if (!actor->getf(caf::abstract_actor::is_cleaned_up_flag)) {
      actor->on_exit();
      actor->cleanup(caf::exit_reason::kill, nullptr);
    }
  }
  for (auto& job : std::exchange(ready_, {})) caf::intrusive_ptr_release(job.actor);
  next_run_ = Time::max();
}

std::vector<caf::strong_actor_ptr> Coordinator::alive(std::string_view role) const {
  std::vector<caf::strong_actor_ptr> found;
  for (const auto& who : actors_) {
    if (who.role != role)
      continue;
    auto handle = who.actor ? who.actor.lock() : nullptr;
    if (handle && !handle->get()->getf(caf::abstract_actor::is_cleaned_up_flag))
      found.push_back(std::move(handle));
  }
  return found;
}

bool Coordinator::starve(std::string_view role, Time until) {
  if (alive(role).empty())
    return false;
  for (auto& who : actors_)
    if (who.role == role)
      who.starved_until = until;
  for (auto& job : ready_)
    if (job.who->role == role)
      job.not_before = std::max(job.not_before, until);
  find_next_run();
  return true;
}

bool Coordinator::prefer(std::string_view role) {
  for (auto& who : actors_) who.preferred = who.role == role;
  return !alive(role).empty();
}

void Coordinator::hold_again(std::string_view role) {
  for (auto& job : ready_)
    if (job.who->role == role)
      job.not_before = std::max(job.who->starved_until, host_.world_now() + host_.hold(*job.who, false));
  find_next_run();
}

}  // namespace kiwi::lab
