#include "actors/prompt_machine_actor.hpp"

#include <utility>

#include "actors/io_thread.hpp"
#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "messages/limits.hpp"

namespace kiwi {

std::shared_ptr<StateMachine> PromptMachineState::at_hand(const CallStamp& stamp) const {
  if ((!owed.empty() && !KIWI_MUTANT(prompt_overtakes)) || stopping || stamp.epoch != epoch)
    return nullptr;
  return machine.lock();
}

template <class Reply, class Call>
caf::result<Reply> PromptMachineState::pass(Call& call) {
  auto promise = self->make_response_promise<Reply>();
  const auto number = ++calls;
  owed.emplace(number, promise);
  const auto settle = [this, number](auto&& answer) {
    if (auto debt = owed.extract(number); !debt.empty())
      debt.mapped().deliver(std::forward<decltype(answer)>(answer));
  };
  self->request(owner, caf::infinite, std::move(call))
      .then([settle](Reply& reply) { settle(std::move(reply)); },
            [settle](const caf::error& error) { settle(error); });
  return promise;
}

void PromptMachineState::owner_down(const caf::error& reason) {
  for (auto& [number, promise] : std::exchange(owed, {})) promise.deliver(reason);
  self->quit(reason);
}

caf::result<Applied> PromptMachineState::apply(ApplyBatch& batch) {
  if (auto here = at_hand(batch.stamp)) {
    if (auto done = here->apply_at_once(batch.entries)) {
      KIWI_ASSERT(done->result.replies.size() == batch.entries.size(), "one reply per entry");
      return Applied{batch.stamp,
                     done->applied,
                     done->stamp_ms,
                     std::move(done->result.replies),
                     done->result.next_deadline_ms,
                     done->durable};
    }
  }
  return pass<Applied>(batch);
}

caf::result<StateAnswers> PromptMachineState::query(StateQueryBatch& batch) {
  if (auto here = at_hand(batch.stamp)) {
    if (auto done = here->query_at_once(batch.queries))
      return StateAnswers{batch.stamp, done->applied, std::move(done->answers)};
  }
  return pass<StateAnswers>(batch);
}

namespace {
StateMachineActor::behavior_type prompt_machine(PromptMachineState::Self self, StateMachineActor owner,
                                                std::weak_ptr<StateMachine> machine, std::uint64_t epoch) {
  auto* s = &self->state;
  s->owner = std::move(owner);
  s->machine = std::move(machine);
  s->epoch = epoch;
  self->monitor(s->owner);
  // Whatever it dies of: nobody else would tell the owner.
  self->attach_functor([owner = s->owner] { caf::anon_send_exit(owner, caf::exit_reason::user_shutdown); });
  self->set_down_handler([s](const caf::down_msg& m) { s->owner_down(m.reason); });
  self->set_exit_handler([s](const caf::exit_msg& m) {
    s->stopping = true;
    s->self->send_exit(s->owner, m.reason);
  });
  return {
      [s](ApplyBatch& m) { return s->apply(m); },
      [s](StateQueryBatch& m) { return s->query(m); },
      [s](DigestRequest& m) { return s->pass<DigestAnswer>(m); },
      [s](StatsRequest& m) { return s->pass<StateStats>(m); },
      [s](FlushState& m) { return s->pass<StateFlushing>(m); },
      [s](InstallSnapshot& m) { return s->pass<SnapshotInstalled>(m); },
      [s](FinishInstall& m) { return s->pass<Index>(m); },
  };
}
}  // namespace

StateMachineActor spawn_prompt_machine(caf::actor_system& system, CorePlace place, StateMachineActor owner,
                                       std::weak_ptr<StateMachine> machine, std::uint64_t epoch) {
  return spawn_at(system, place, prompt_machine, std::move(owner), std::move(machine), epoch);
}

}  // namespace kiwi
