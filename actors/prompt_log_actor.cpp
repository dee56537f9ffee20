#include "actors/prompt_log_actor.hpp"

#include <mutex>
#include <utility>

#include "actors/io_thread.hpp"
#include "actors/storage_errors.hpp"
#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "messages/limits.hpp"

namespace kiwi {

namespace {

/// What is rare is the owner's.
bool is_short(const LogWrite& write) {
  return write.at_once && write.reset_to == LogId{} && !write.has_binding;
}

std::uint64_t weight_of(const std::vector<LogWrite>& writes) {
  std::uint64_t bytes = 0;
  for (const auto& write : writes)
    for (const auto& entry : write.entries) bytes += weight_bytes(entry);
  return bytes;
}

}  // namespace

bool PromptLogState::at_hand(const std::vector<LogWrite>& writes) const {
  if ((!owed.empty() && !KIWI_MUTANT(prompt_log_overtakes)) || stopping || writes.empty())
    return false;
  for (const auto& write : writes)
    if (write.stamp.epoch != epoch || !is_short(write))
      return false;
  const auto bytes = group_bytes + weight_of(writes);
  if (bytes > kMostBytes)
    return false;
  const auto here = log.lock();
  if (!here)
    return false;
  const std::unique_lock turn(here->in_use, std::try_to_lock);
  return turn.owns_lock() && here->store->stats().last_sync_us <= std::uint64_t(kQuickSync.count()) &&
         here->store->is_plain(bytes);
}

template <class Reply, class Call>
void PromptLogState::pass(Call& call, caf::typed_response_promise<Reply> promise) {
  const auto number = ++calls;
  owed.emplace(number, std::move(promise));
  const auto settle = [this, number](auto&& answer) {
    if (auto debt = owed.extract(number); !debt.empty())
      debt.mapped().deliver(std::forward<decltype(answer)>(answer));
  };
  self->request(owner, caf::infinite, std::move(call))
      .then([settle](Reply& reply) { settle(std::move(reply)); },
            [settle](const caf::error& error) { settle(error); });
}

template <class Reply, class Call>
caf::result<Reply> PromptLogState::pass(Call& call) {
  if (!KIWI_MUTANT(prompt_log_overtakes))
    flush();
  auto promise = self->make_response_promise<Reply>();
  pass(call, promise);
  return promise;
}

caf::result<LogWritten> PromptLogState::write(LogWrite& call) {
  std::vector<LogWrite> writes;
  writes.push_back(std::move(call));
  if (!at_hand(writes))
    return pass<LogWritten>(writes.front());
  if (group.empty())
    self->send(self, caf::flush_atom_v);
  group_bytes += weight_of(writes);
  auto promise = self->make_response_promise<LogWritten>();
  group.add(writes.front(), promise);
  return promise;
}

caf::result<LogWrittenGroup> PromptLogState::write_group(LogWriteGroup& call) {
  if (!at_hand(call.writes))
    return pass<LogWrittenGroup>(call);
  if (group.empty())
    self->send(self, caf::flush_atom_v);
  group_bytes += weight_of(call.writes);
  auto promise = self->make_response_promise<LogWrittenGroup>();
  group.add(call, promise);
  return promise;
}

void PromptLogState::flush() {
  if (group.empty())
    return;
  KIWI_ASSERT(owed.empty() || KIWI_MUTANT(prompt_log_overtakes), "nothing is put aside behind what is owed");
  auto all = std::exchange(group, {});
  group_bytes = 0;
  if (const auto here = log.lock()) {
    const std::unique_lock turn(here->in_use, std::try_to_lock);
    if (turn.owns_lock()) {
      const LogId before = here->store->last();
      if (const auto done = here->store->write_at_once(all.writes)) {
        if (!*done) {
          all.fail(to_caf_error(done->error()));
          return;
        }
        if (stages)
          stages->record(Stage::sync, here->store->stats().last_sync_us);
        KIWI_MARK("log.at_once");
        all.answer(before, **done);
        return;
      }
    }
  }
  // The owner took its turn meanwhile, is gone, or it would take long: in the same order, and by the owner.
  auto write = all.writes.begin();
  for (auto& caller : all.callers) {
    if (auto* one = std::get_if<caf::typed_response_promise<LogWritten>>(&caller.promise)) {
      pass(*write++, *one);
      continue;
    }
    LogWriteGroup part;
    for (std::size_t i = 0; i < caller.writes; ++i) part.writes.push_back(std::move(*write++));
    pass(part, std::get<caf::typed_response_promise<LogWrittenGroup>>(caller.promise));
  }
}

void PromptLogState::owner_down(const caf::error& reason) {
  std::exchange(group, {}).fail(reason);
  for (auto& [number, promise] : std::exchange(owed, {})) promise.deliver(reason);
  self->quit(reason);
}

void PromptLogState::stop(const caf::error& reason) {
  stopping = true;
  const StorageError stops{StorageSubject::log, StorageVerb::write, StorageKind::unavailable,
                           "the log store stops", StorageOutcome::not_written};
  std::exchange(group, {}).fail(to_caf_error(stops));
  self->send_exit(owner, reason);
}

namespace {
PromptLogImpl::behavior_type prompt_log(PromptLogState::Self self, LogStoreActor owner,
                                        std::weak_ptr<OpenLog> log, std::uint64_t epoch,
                                        std::shared_ptr<StageTimes> stages) {
  auto* s = &self->state;
  s->owner = std::move(owner);
  s->log = std::move(log);
  s->epoch = epoch;
  s->stages = std::move(stages);
  self->monitor(s->owner);
  // Whatever it dies of: nobody else would tell the owner.
  self->attach_functor([owner = s->owner] { caf::anon_send_exit(owner, caf::exit_reason::user_shutdown); });
  self->set_down_handler([s](const caf::down_msg& m) { s->owner_down(m.reason); });
  self->set_exit_handler([s](const caf::exit_msg& m) { s->stop(m.reason); });
  return {
      [s](LogWrite& m) { return s->write(m); },
      [s](LogWriteGroup& m) { return s->write_group(m); },
      [s](LogRead& m) { return s->pass<LogEntries>(m); },
      [s](LogStatsRequest& m) { return s->pass<LogStoreFigures>(m); },
      [s](DiskSpaceRequest& m) { return s->pass<DiskSpace>(m); },
      [s](AdoptCluster& m) { return s->pass<ClusterId>(m); },
      // itself
      [s](caf::flush_atom) { s->flush(); },
  };
}
}  // namespace

LogStoreActor spawn_prompt_log(caf::actor_system& system, CorePlace place, LogStoreActor owner,
                               std::weak_ptr<OpenLog> log, std::uint64_t epoch,
                               std::shared_ptr<StageTimes> stages) {
  return spawn_at(system, place, prompt_log, std::move(owner), std::move(log), epoch, std::move(stages));
}

}  // namespace kiwi
