// Shows the insides of a node to WorldOptions::observer.

#include <utility>

#include "actors/adaptor.hpp"
#include "actors/log_store_actor.hpp"
#include "actors/prompt_log_actor.hpp"
#include "actors/raft_actor.hpp"
#include "lab/world/sim_node.hpp"

namespace kiwi::lab {

namespace {

/// The state of a stateful actor; null before it has begun and after it has ended.
template <class State>
const State* state_of(const caf::strong_actor_ptr& handle) {
  if (!handle)
    return nullptr;
  auto* base = caf::actor_cast<caf::abstract_actor*>(handle);
  if (!base->getf(caf::abstract_actor::is_initialized_flag) ||
      base->getf(caf::abstract_actor::is_cleaned_up_flag))
    return nullptr;
  return &static_cast<typename State::Self>(base)->state;
}

}  // namespace

void SimNode::observe_start(const OpenedReplica& opened) {
  host_.happened(id_, "start",
                 {{"life", std::to_string(life_)},
                  {"torn-bytes", std::to_string(opened.torn_bytes)},
                  {"last", to_string(opened.restored.last)},
                  {"applied", to_string(opened.restored.applied)}});
  log_group_ = prompt_log_group_ = 0;
  if (!options_.observer)
    return;
  std::string digest;
  if (!hardware_->fs->faults().any()) {
    if (auto now = opened.machine->digest_now(); now && *now)
      digest = (*now)->hex;
  }
  options_.observer->started(id_, life_, opened.restored, opened.identity.instance, digest);
}

LogStoreSeen SimNode::log_store_seen() const {
  LogStoreSeen seen;
  const auto count = [&seen](const LogGroup& group) {
    seen.group += group.writes.size();
    for (const auto& caller : group.callers) seen.promises += caller.writes;
  };
  std::shared_ptr<OpenLog> log;
  if (const auto* front = state_of<PromptLogState>(prompt_log_)) {
    log = front->log.lock();
    count(front->group);
  }
  if (const auto* state = state_of<LogStoreState>(log_store_)) {
    log = state->log;
    count(state->group);
  }
  if (log) {
    seen.poisoned = log->store->poisoned();
    seen.last = log->store->last();
  }
  // An adaptor that was killed owes nothing any more.
  const auto* adaptor = state_of<AdaptorState>(adaptor_);
  seen.calls = adaptor != nullptr ? adaptor->log_route.outstanding.size() : seen.group;
  seen.unsynced = hardware_->disk.unsynced_bytes(sim::FileClass::log_wal);
  seen.failed_syncs = hardware_->fs->failed_syncs(sim::FileClass::log_wal);
  return seen;
}

void SimNode::observe(const ScheduledActor& actor) {
  auto& observer = *options_.observer;
  if (actor.role == "raft") {
    const auto* state = state_of<RaftState>(raft_);
    if (state == nullptr || state->stopping)
      return;
    NodeQueues queues;
    queues.ticks = state->now_ticks;
    queues.give_up = state->options.request_timeout_ms / state->options.tick_ms + 1;
    queues.proposals = state->waiting.size();
    queues.reads = state->reading.size();
    if (const auto* adaptor = state_of<AdaptorState>(adaptor_)) {
      queues.log_calls = adaptor->log_route.outstanding.size();
      queues.state_calls = adaptor->machine_route.outstanding.size();
    }
    observer.core_stepped(id_, *state->core, queues);
  } else if (actor.role == "log-store") {
    if (const auto* state = state_of<LogStoreState>(log_store_))
      observe(state->group, state->epoch, log_group_);
  } else if (actor.role == "prompt-log") {
    // What it has put aside when it ends it gives up: that is not a write.
    const auto* state = state_of<PromptLogState>(prompt_log_);
    if (state != nullptr && !state->stopping && !state->log.expired())
      observe(state->group, state->epoch, prompt_log_group_);
  }
}

void SimNode::observe(const LogGroup& group, std::uint64_t epoch, std::size_t& known) {
  if (!bug_.empty())
    return;
  auto& observer = *options_.observer;
  const auto now = group.writes.size();
  const auto before = std::exchange(known, now);
  for (auto i = before; i < now; ++i) observer.log_call(id_, epoch, group.writes[i]);
  if (now > before)
    observer.log_waits(id_, log_store_seen());
  else if (now < before)
    observer.log_flushed(id_, log_store_seen());
}

}  // namespace kiwi::lab
