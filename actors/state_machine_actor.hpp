#pragma once

// Owns the data database of one replica: apply and queries come one after the other, in the order in which
// the adaptor sent them. That order is what makes a read see its connection's earlier writes only (rule 13).

#include <memory>

#include "actors/interfaces.hpp"
#include "actors/scrub_pace.hpp"
#include "actors/spawn_mode.hpp"
#include "statemachine/state_machine.hpp"

namespace kiwi {

using StateMachineImpl =
    StateMachineActor::extend<caf::reacts_to<caf::tick_atom>, caf::reacts_to<ScrubSlice>>;

struct StateMachineState {
  using Self = StateMachineImpl::stateful_pointer<StateMachineState>;
  static constexpr const char* name = "state-machine";

  explicit StateMachineState(Self actor) : self(actor) {}

  caf::result<Applied> apply(const ApplyBatch& batch);
  caf::result<StateAnswers> query(const StateQueryBatch& batch);
  caf::result<StateFlushing> flush(const FlushState& call);
  caf::result<SnapshotInstalled> install(const InstallSnapshot& call);
  caf::result<Index> finish_install(const FinishInstall& call);
  /// Gives away what the machine need not do itself.
  void leave_aside();
  /// One slice of background work; comes back by a message to itself, so that applies go in between.
  void background();
  /// Reads a slice of what lies on the disk and asks for the next. Damage ends the actor.
  void scrub();
  /// Makes what is applied survive, then ends.
  void stop(const caf::error& reason);

  Self self;
  std::shared_ptr<StateMachine> machine;  // others hold it for a call at most
  std::uint64_t epoch = 0;
  ScrubPace pace;
  AsideActor aside;
  bool working = false;  // a tick_atom is on its way
};

/// What the machine has to do aside (StateMachine::work_aside) gets an actor of its own; with own_thread on
/// another thread.
StateMachineActor spawn_state_machine(caf::actor_system& system, SpawnMode mode,
                                      std::shared_ptr<StateMachine> machine, std::uint64_t epoch,
                                      std::uint64_t scrub_bytes_per_second = 0);

}  // namespace kiwi
