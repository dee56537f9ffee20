#include "actors/state_machine_actor.hpp"

#include <utility>

#include "actors/storage_errors.hpp"
#include "messages/assert.hpp"
#include "messages/limits.hpp"

namespace kiwi {

namespace {
caf::error other_epoch(StorageVerb verb) {
  return to_caf_error({StorageSubject::state_machine, verb, StorageKind::unavailable,
                       "the call is for another life of this actor", StorageOutcome::not_written});
}
}  // namespace

caf::result<Applied> StateMachineState::apply(const ApplyBatch& batch) {
  if (batch.stamp.epoch != epoch)
    return other_epoch(StorageVerb::write);
  auto result = machine->apply(batch.entries);
  if (!result) {
    // What is queued behind it does not follow on what is applied: the machine must not see it.
    auto error = to_caf_error(result.error());
    self->quit(error);
    return error;
  }
  KIWI_ASSERT(result->replies.size() == batch.entries.size(), "one reply per entry");
  auto now = machine->applied_state();
  leave_aside();
  if (!std::exchange(working, true))
    self->send(self, caf::tick_atom_v);
  return Applied{batch.stamp,
                 now.applied,
                 now.stamp_ms,
                 std::move(result->replies),
                 result->next_deadline_ms,
                 machine->durable_applied()};
}

void StateMachineState::leave_aside() {
  if (auto work = machine->work_aside())
    self->send(aside, WorkAside{std::move(work)});
}

caf::result<StateFlushing> StateMachineState::flush(const FlushState& call) {
  if (call.stamp.epoch != epoch)
    return other_epoch(StorageVerb::write);
  if (auto asked = machine->request_flush(); !asked)
    return to_caf_error(asked.error());
  leave_aside();
  return StateFlushing{call.stamp, machine->durable_applied()};
}

caf::result<SnapshotInstalled> StateMachineState::install(const InstallSnapshot& call) {
  if (call.stamp.epoch != epoch)
    return other_epoch(StorageVerb::write);
  if (auto done = machine->install_snapshot(call.meta, call.folder); !done) {
    auto error = to_caf_error(done.error());
    self->quit(error);
    return error;
  }
  return SnapshotInstalled{call.stamp, machine->applied_state()};
}

caf::result<Index> StateMachineState::finish_install(const FinishInstall& call) {
  if (call.stamp.epoch != epoch)
    return other_epoch(StorageVerb::write);
  if (auto done = machine->finish_install(); !done)
    return to_caf_error(done.error());
  return machine->applied_state().applied.index;
}

caf::result<StateAnswers> StateMachineState::query(const StateQueryBatch& batch) {
  if (batch.stamp.epoch != epoch)
    return other_epoch(StorageVerb::read);
  StateAnswers answers{batch.stamp, machine->applied_state().applied.index, {}};
  answers.answers.reserve(batch.queries.size());
  std::uint64_t bytes = 0;
  for (const auto& query : batch.queries) {
    if (bytes > kMaxReplyBytes) {
      StateAnswer refused;
      refused.token = query.token;
      refused.overloaded = true;
      answers.answers.push_back(std::move(refused));
      continue;
    }
    auto answer = machine->query(query);
    if (!answer)
      return to_caf_error(answer.error());
    bytes += weight_bytes(answer->reply);
    answers.answers.push_back(std::move(*answer));
  }
  return answers;
}

void StateMachineState::background() {
  working = false;
  auto more = machine->background_work();
  if (!more) {
    self->quit(to_caf_error(more.error()));
    return;
  }
  if (*more && !std::exchange(working, true))
    self->send(self, caf::tick_atom_v);
}

void StateMachineState::scrub() {
  auto done = machine->scrub(pace.slice_bytes());
  if (!done) {
    self->quit(to_caf_error(done.error()));
    return;
  }
  if (*done)
    self->delayed_send(self, ScrubPace::kBetweenRounds, ScrubSlice{});
  else
    self->delayed_send(self, pace.pause(), ScrubSlice{});
}

void StateMachineState::stop(const caf::error& reason) {
  const bool in_order = !reason || reason == caf::exit_reason::user_shutdown;
  if (auto flushed = machine->flush(); !flushed && in_order)
    self->quit(to_caf_error(flushed.error()));
  else
    self->quit(reason);
}

namespace {
struct Aside {
  static constexpr const char* name = "state-machine-aside";
};

AsideActor::behavior_type aside_worker(AsideActor::stateful_pointer<Aside>) {
  return {[](const WorkAside& m) { m.work(); }};
}

StateMachineImpl::behavior_type state_machine(StateMachineState::Self self,
                                              const std::shared_ptr<std::shared_ptr<StateMachine>>& machine,
                                              std::uint64_t epoch, ScrubPace pace, const AsideActor& aside) {
  auto* state = &self->state;
  state->machine = std::move(*machine);  // nobody else keeps it open
  state->epoch = epoch;
  state->aside = aside;
  self->monitor(aside);
  self->set_down_handler([state](const caf::down_msg& m) { state->stop(m.reason); });
  self->attach_functor([aside] { caf::anon_send_exit(aside, caf::exit_reason::user_shutdown); });
  state->pace = pace;
  if (pace.on())
    self->delayed_send(self, pace.pause(), ScrubSlice{});
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  return {
      [state](const ApplyBatch& m) { return state->apply(m); },
      [state](const StateQueryBatch& m) { return state->query(m); },
      [state](const FlushState& m) { return state->flush(m); },
      [state](const InstallSnapshot& m) { return state->install(m); },
      [state](const FinishInstall& m) { return state->finish_install(m); },
      [state](const DigestRequest& m) {
        auto digest = state->machine->digest(m.index);
        return digest ? DigestAnswer{true, std::move(*digest)} : DigestAnswer{};
      },
      [state](const StatsRequest&) { return state->machine->stats(); },
      [state](caf::tick_atom) { state->background(); },
      [state](const ScrubSlice&) { state->scrub(); },
  };
}
}  // namespace

StateMachineActor spawn_state_machine(caf::actor_system& system, SpawnMode mode,
                                      std::shared_ptr<StateMachine> machine, std::uint64_t epoch,
                                      std::uint64_t scrub_bytes_per_second) {
  const ScrubPace pace(scrub_bytes_per_second);
  auto box = std::make_shared<std::shared_ptr<StateMachine>>(std::move(machine));
  if (mode == SpawnMode::own_thread)
    return system.spawn<caf::detached>(state_machine, std::move(box), epoch, pace,
                                       system.spawn<caf::detached>(aside_worker));
  return system.spawn(state_machine, std::move(box), epoch, pace, system.spawn(aside_worker));
}

}  // namespace kiwi
