// Shows the insides of a node to WorldOptions::observer.

#include <utility>

#include "actors/adaptor.hpp"
#include "actors/log_store_actor.hpp"
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
  log_group_ = 0;
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
  if (const auto* state = state_of<LogStoreState>(log_store_)) {
    seen.poisoned = state->store->poisoned();
    seen.last = state->store->last();
    seen.group = state->group.size();
    for (const auto& caller : state->callers) seen.promises += caller.writes;
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
    const auto* state = state_of<LogStoreState>(log_store_);
    if (state == nullptr || !bug_.empty())
      return;
    const auto before = std::exchange(log_group_, state->group.size());
    if (state->group.size() > before) {
      for (auto i = before; i < state->group.size(); ++i)
        observer.log_call(id_, state->epoch, state->group[i]);
      observer.log_waits(id_, log_store_seen());
    } else if (state->group.size() < before) {
      observer.log_flushed(id_, log_store_seen());
    }
  }
}

}  // namespace kiwi::lab
