#pragma once

// CAF's scheduler and clock of one simulated node. It leans on internals of CAF 0.17: keep that in here and
// in coordinator.cpp.
//
// Our module takes the scheduler's place in the actor_system because the module factory fills it first. Every
// actor that becomes runnable lands in `ready_`; the world says when the next one runs, and it runs for one
// message.

#include <caf/all.hpp>
#include <caf/detail/simple_actor_clock.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/chance.hpp"
#include "lab/time.hpp"
#include "lab/world/node_time.hpp"
#include "lab/world/world_options.hpp"

namespace kiwi::lab {

/// An actor as the scheduler knows it.
struct ScheduledActor {
  caf::weak_actor_ptr actor;
  std::string role;       // the actor's name: "raft", "log-store", ...
  std::uint64_t key = 0;  // hash of role and number among those of its role
  ChanceStream priority;  // by run
  std::uint64_t runs = 0;
  std::uint64_t lowered = 0;  // pct: not 0 once a change point hit it; later ones are lower
  Time starved_until{0};
  bool preferred = false;
};

/// What a coordinator asks of its node.
class CoordinatorHost {
 public:
  virtual ~CoordinatorHost() = default;
  virtual Time world_now() const = 0;
  virtual const NodeTime& node_time() const = 0;
  virtual bool noisy() const = 0;
  /// How long an actor waits for its disk before it runs: it has work after it had none, or (`again`) still
  /// has work after a run.
  virtual Time hold(const ScheduledActor& actor, bool again) = 0;
  virtual void spawned(const ScheduledActor& actor, const caf::strong_actor_ptr& handle) = 0;
};

class NodeClock : public caf::detail::simple_actor_clock {
 public:
  explicit NodeClock(const CoordinatorHost& host) : host_(host) {}
  time_point now() const noexcept override;
  /// World time of the earliest timer; Time::max() when there is none.
  Time next_timer() const;

 private:
  const CoordinatorHost& host_;
};

class Coordinator : public caf::scheduler::abstract_coordinator {
 public:
  /// `entity` names this life of the node for chance: "n1/3".
  Coordinator(caf::actor_system& system, CoordinatorHost& host, const WorldOptions& options,
              std::string entity);

  // --- caf::scheduler::abstract_coordinator
  bool detaches_utility_actors() const override { return false; }
  caf::actor_clock& clock() noexcept override { return clock_; }
  void enqueue(caf::resumable* job) override;
  void start() override;
  void stop() override { drop_all(); }

  // --- The world's side
  /// World time when the next actor may run; Time::max(): none has work.
  Time next_run() const { return next_run_; }
  /// Runs the one that comes first, for one message. Requires next_run() <= now. Returns its hash key.
  const ScheduledActor& run_one();
  Time next_timer() const { return clock_.next_timer(); }
  void fire_timers() { clock_.trigger_expired_timeouts(); }
  /// The node's processor is busy until then.
  void busy_until(Time time) { free_at_ = time, find_next_run(); }
  /// Ends all timers and actors at once. No handler runs, though destructors do.
  void drop_all();
  /// Those alive with this role.
  std::vector<caf::strong_actor_ptr> alive(std::string_view role) const;
  /// Does not run before `until`. False: no such actor.
  bool starve(std::string_view role, Time until);
  /// The hold of a disk was changed: actors held for it are held for the new one, from now.
  void hold_again(std::string_view role);
  /// Runs before the others from now on. False: no such actor.
  bool prefer(std::string_view role);

 private:
  struct Job {
    caf::resumable* actor;  // owns one reference
    ScheduledActor* who;
    std::uint64_t priority;
    Time not_before;
  };
  struct Unit;

  ScheduledActor& known(caf::scheduled_actor& actor);
  void push(caf::resumable* job, ScheduledActor& who, Time not_before);
  std::uint64_t priority_of(ScheduledActor& who);
  void find_next_run();

  CoordinatorHost& host_;
  const WorldOptions& options_;
  std::string entity_;
  NodeClock clock_;
  std::deque<ScheduledActor> actors_;  // by actor id; those that never ran here have no role
  std::map<std::string, std::uint64_t> of_role_;
  std::vector<Job> ready_;
  Time next_run_ = Time::max();
  Time free_at_{0};
  std::uint64_t pushed_ = 0;
  std::uint64_t ran_ = 0;
  ChanceStream changes_;
  std::uint64_t lowered_ = 0;
};

}  // namespace kiwi::lab
