#pragma once

// In front of a log store's actor, on the thread of the core: short writes that may be done at once
// (LogWrite::at_once) it makes durable itself, with a sync, without waking another thread and being woken by
// it; all else goes to the log store's own actor. One order for both: as long as that one owes an answer,
// whatever comes goes behind it (rule 2). Group commit as there: writes that come together are put aside, and
// a message to itself makes them durable together.
//
// The thread waits for the disk meanwhile. So this is for disks that are quick: after a sync that took longer
// than kQuickSync the next write is the owner's, until one of its syncs was quick again; and for plain
// appends (LogStore::is_plain). A disk that stops to answer in such a sync stops this node for everybody,
// heartbeats, INFO and time-outs of its own clients included, as if the process were stopped, until it
// answers again.

#include <chrono>
#include <map>
#include <memory>

#include "actors/interfaces.hpp"
#include "actors/log_group.hpp"
#include "actors/open_log.hpp"
#include "actors/spawn_mode.hpp"
#include "messages/stage_times.hpp"

namespace kiwi {

/// What the actor implements: its interface, and what it says to itself.
using PromptLogImpl = LogStoreActor::extend<caf::reacts_to<caf::flush_atom>>;

struct PromptLogState {
  using Self = PromptLogImpl::stateful_pointer<PromptLogState>;
  static constexpr const char* name = "prompt-log";
  static constexpr std::uint64_t kMostBytes = 16u << 10;  // weight_bytes of a group
  static constexpr std::chrono::microseconds kQuickSync{2000};

  explicit PromptLogState(Self actor) : self(actor) {}

  caf::result<LogWritten> write(LogWrite& call);
  caf::result<LogWrittenGroup> write_group(LogWriteGroup& call);
  void flush();
  /// Passes `call` on to the owner, and its answer to `promise`.
  template <class Reply, class Call>
  void pass(Call& call, caf::typed_response_promise<Reply> promise);
  /// As above, behind what is put aside.
  template <class Reply, class Call>
  caf::result<Reply> pass(Call& call);
  void owner_down(const caf::error& reason);
  void stop(const caf::error& reason);
  /// May `writes` be put aside to be done here?
  bool at_hand(const std::vector<LogWrite>& writes) const;

  Self self;
  LogStoreActor owner;
  /// The owner's; it goes when the owner ends.
  std::weak_ptr<OpenLog> log;
  std::uint64_t epoch = 0;
  std::shared_ptr<StageTimes> stages;  // may be null
  /// Put aside; only while the owner owes nothing.
  LogGroup group;
  std::uint64_t group_bytes = 0;
  /// Calls that the owner has not answered yet, by number: CAF drops a promise with the actor that holds it,
  /// so at the end what is owed gets the owner's reason (rule 12).
  std::map<std::uint64_t, caf::response_promise> owed;
  std::uint64_t calls = 0;
  bool stopping = false;  // the owner was asked to end
};

/// Ends when `owner` does, for its reason; asks it to when it is asked itself.
LogStoreActor spawn_prompt_log(caf::actor_system& system, CorePlace place, LogStoreActor owner,
                               std::weak_ptr<OpenLog> log, std::uint64_t epoch,
                               std::shared_ptr<StageTimes> stages = nullptr);

}  // namespace kiwi
