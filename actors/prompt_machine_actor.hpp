#pragma once

// In front of a state machine's actor, on the thread of the core: what the machine can do at once it does
// here, without waking another thread and being woken by it; all else goes to the machine's own actor. One
// order for both: as long as that one owes an answer, whatever comes goes behind it. So the machine has one
// user at a time (StateMachine::apply_at_once), and answers come in the order of the calls (rule 13).

#include <map>
#include <memory>

#include "actors/interfaces.hpp"
#include "actors/spawn_mode.hpp"
#include "statemachine/state_machine.hpp"

namespace kiwi {

struct PromptMachineState {
  using Self = StateMachineActor::stateful_pointer<PromptMachineState>;
  static constexpr const char* name = "prompt-machine";

  explicit PromptMachineState(Self actor) : self(actor) {}

  caf::result<Applied> apply(ApplyBatch& batch);
  caf::result<StateAnswers> query(StateQueryBatch& batch);
  /// Passes `call` on to the owner, and its answer back.
  template <class Reply, class Call>
  caf::result<Reply> pass(Call& call);
  void owner_down(const caf::error& reason);
  /// Null: the owner has calls to answer, or is gone, or the call is for another life of it.
  std::shared_ptr<StateMachine> at_hand(const CallStamp& stamp) const;

  Self self;
  StateMachineActor owner;
  /// The owner's; it goes when the owner ends.
  std::weak_ptr<StateMachine> machine;
  std::uint64_t epoch = 0;
  /// Calls that the owner has not answered yet, by number: CAF drops a promise with the actor that holds it,
  /// so at the end what is owed gets the owner's reason (rule 12).
  std::map<std::uint64_t, caf::response_promise> owed;
  std::uint64_t calls = 0;
  bool stopping = false;  // the owner was asked to end
};

/// Ends when `owner` does, for its reason; asks it to when it is asked itself.
StateMachineActor spawn_prompt_machine(caf::actor_system& system, CorePlace place, StateMachineActor owner,
                                       std::weak_ptr<StateMachine> machine, std::uint64_t epoch);

}  // namespace kiwi
