// CAF's scheduler with timers that go by a FaultClock. Uses internals of CAF 0.17.

#include <caf/all.hpp>
#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/policy/work_sharing.hpp>
#include <caf/scheduler/coordinator.hpp>
#include <utility>

#include "node/fault/fault_clock.hpp"

namespace kiwi::fault {
namespace {

/// Actors see the node's time; the clock inside, which the scheduler's thread waits with, has the true one.
class BentClock final : public caf::detail::thread_safe_actor_clock {
 public:
  using Inner = caf::detail::thread_safe_actor_clock;
  BentClock(Inner& inner, FaultClock& clock) : inner_(inner), clock_(clock) {}

  time_point now() const noexcept override { return clock_.steady(); }
  void set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                            std::uint64_t id) override {
    inner_.set_ordinary_timeout(clock_.true_time(t), self, type, id);
  }
  void set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) override {
    inner_.set_request_timeout(clock_.true_time(t), self, id);
  }
  void set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                         std::uint64_t id) override {
    inner_.set_multi_timeout(clock_.true_time(t), self, type, id);
  }
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override {
    inner_.cancel_ordinary_timeout(self, type);
  }
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override {
    inner_.cancel_request_timeout(self, id);
  }
  void cancel_timeouts(caf::abstract_actor* self) override { inner_.cancel_timeouts(self); }
  void schedule_message(time_point t, caf::strong_actor_ptr receiver,
                        caf::mailbox_element_ptr content) override {
    inner_.schedule_message(clock_.true_time(t), std::move(receiver), std::move(content));
  }
  void schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender,
                        caf::message content) override {
    inner_.schedule_message(clock_.true_time(t), std::move(target), std::move(sender), std::move(content));
  }
  void cancel_all() override { inner_.cancel_all(); }

 private:
  Inner& inner_;
  FaultClock& clock_;
};

using Sharing = caf::scheduler::coordinator<caf::policy::work_sharing>;

class BentScheduler final : public Sharing {
 public:
  BentScheduler(caf::actor_system& system, FaultClock& clock)
      : Sharing(system), bent_(Sharing::clock(), clock) {}
  caf::detail::thread_safe_actor_clock& clock() noexcept override { return bent_; }

 private:
  BentClock bent_;
};

}  // namespace

void use_clock(caf::actor_system_config& config, FaultClock& clock) {
  config.module_factories.emplace_back([&clock](caf::actor_system& system) -> caf::actor_system::module* {
    return new BentScheduler(system, clock);
  });
}

}  // namespace kiwi::fault
