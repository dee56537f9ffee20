#include "actors/log_store_actor.hpp"

#include <iterator>
#include <utility>

#include "actors/storage_errors.hpp"
#include "messages/assert.hpp"

namespace kiwi {

namespace {
caf::error other_epoch(StorageSubject subject, StorageVerb verb) {
  return to_caf_error({subject, verb, StorageKind::unavailable, "the call is for another life of this actor",
                       StorageOutcome::not_written});
}
}  // namespace

caf::result<LogWritten> LogStoreState::write(LogWrite& call) {
  if (call.stamp.epoch != epoch)
    return other_epoch(StorageSubject::log, StorageVerb::write);
  if (group.empty())
    self->send(self, caf::flush_atom_v);
  group.push_back(std::move(call));
  auto promise = self->make_response_promise<LogWritten>();
  callers.push_back({1, promise});
  return promise;
}

caf::result<LogWrittenGroup> LogStoreState::write_group(LogWriteGroup& call) {
  for (const auto& write : call.writes)
    if (write.stamp.epoch != epoch)
      return other_epoch(StorageSubject::log, StorageVerb::write);
  if (call.writes.empty())
    return LogWrittenGroup{};
  if (group.empty())
    self->send(self, caf::flush_atom_v);
  auto promise = self->make_response_promise<LogWrittenGroup>();
  callers.push_back({call.writes.size(), promise});
  std::move(call.writes.begin(), call.writes.end(), std::back_inserter(group));
  return promise;
}

void LogStoreState::answer(Caller& caller, std::vector<LogWritten> written) {
  if (auto* one = std::get_if<caf::typed_response_promise<LogWritten>>(&caller.promise))
    one->deliver(written.front());
  else
    std::get<caf::typed_response_promise<LogWrittenGroup>>(caller.promise)
        .deliver(LogWrittenGroup{std::move(written)});
}

void LogStoreState::fail(Caller& caller, const caf::error& error) {
  std::visit([&](auto& promise) { promise.deliver(error); }, caller.promise);
}

void LogStoreState::flush() {
  if (group.empty())
    return;
  auto writes = std::exchange(group, {});
  auto waiting = std::exchange(callers, {});
  LogId last = store->last();
  auto done = store->write(writes);
  if (!done) {
    for (auto& caller : waiting) fail(caller, to_caf_error(done.error()));
    return;
  }
  if (stages)
    stages->record(Stage::sync, store->stats().last_sync_us);
  auto write = writes.begin();
  for (auto& caller : waiting) {
    std::vector<LogWritten> written;
    for (std::size_t i = 0; i < caller.writes; ++i, ++write) {
      // Each answer names what its own write left, not what the group left (rule 3).
      KIWI_ASSERT(!write->truncate_from || !write->entries.empty(),
                  "a truncation comes with what replaces it");
      if (write->reset_to != LogId{})
        last = write->reset_to;
      if (!write->entries.empty())
        last = write->entries.back().id;
      written.push_back(LogWritten{write->stamp, write->write, last});
    }
    answer(caller, std::move(written));
  }
  KIWI_ASSERT(write == writes.end(), "every write of the group has a caller");
  KIWI_ASSERT(*done == last, "the log ends with the last entry of the last write");
}

caf::result<LogEntries> LogStoreState::read(const LogRead& call) {
  if (call.stamp.epoch != epoch)
    return other_epoch(StorageSubject::log, StorageVerb::read);
  auto entries = store->read(call.first, call.last, call.max_bytes);
  if (!entries)
    return to_caf_error(entries.error());
  return LogEntries{call.stamp, std::move(*entries)};
}

caf::result<ClusterId> LogStoreState::adopt(const AdoptCluster& call) {
  if (auto done = store->adopt_cluster(call.cluster, call.initial); !done)
    return to_caf_error(done.error());
  return call.cluster;
}

LogStoreFigures LogStoreState::figures() const {
  const auto& s = store->stats();
  LogStoreFigures f;
  f.syncs = s.syncs;
  f.sync_last_us = s.last_sync_us;
  f.sync_max_us = s.sync_max_us;
  f.sync_total_us = s.sync_total_us;
  f.entries_written = s.entries_written;
  f.bytes_written = s.bytes_written;
  f.disk_bytes = store->disk_bytes();
  f.scrub = store->scrub_figures();
  return f;
}

DiskSpace LogStoreState::space() const {
  const auto bytes = directory ? directory->free_bytes() : std::nullopt;
  return {bytes.has_value(), bytes.value_or(0), store->pending_bytes()};
}

void LogStoreState::scrub() {
  auto done = store->scrub(pace.slice_bytes());
  if (!done) {
    stop(to_caf_error(done.error()));
    return;
  }
  if (*done)
    self->delayed_send(self, ScrubPace::kBetweenRounds, ScrubSlice{});
  else
    self->delayed_send(self, pace.pause(), ScrubSlice{});
}

void LogStoreState::stop(const caf::error& reason) {
  group.clear();
  const StorageError stopping{StorageSubject::log, StorageVerb::write, StorageKind::unavailable,
                              "the log store stops", StorageOutcome::not_written};
  for (auto& caller : std::exchange(callers, {})) fail(caller, to_caf_error(stopping));
  self->quit(reason);
}

namespace {
LogStoreImpl::behavior_type log_store(LogStoreState::Self self,
                                      std::shared_ptr<std::unique_ptr<storage::LogStore>> store,
                                      std::uint64_t epoch, std::shared_ptr<storage::DataDirectory> directory,
                                      ScrubPace pace, std::shared_ptr<StageTimes> stages) {
  auto* state = &self->state;
  state->stages = std::move(stages);
  state->directory = std::move(directory);
  state->store = std::move(*store);
  state->epoch = epoch;
  state->pace = pace;
  if (pace.on())
    self->delayed_send(self, pace.pause(), ScrubSlice{});
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  return {
      [state](LogWrite& m) { return state->write(m); },
      [state](LogWriteGroup& m) { return state->write_group(m); },
      [state](const LogRead& m) { return state->read(m); },
      [state](const LogStatsRequest&) { return state->figures(); },
      [state](const DiskSpaceRequest&) { return state->space(); },
      [state](const AdoptCluster& m) { return state->adopt(m); },
      [state](caf::flush_atom) { state->flush(); },
      [state](const ScrubSlice&) { state->scrub(); },
  };
}
}  // namespace

LogStoreActor spawn_log_store(caf::actor_system& system, SpawnMode mode,
                              std::unique_ptr<storage::LogStore> store, std::uint64_t epoch,
                              std::shared_ptr<storage::DataDirectory> directory,
                              std::uint64_t scrub_bytes_per_second, std::shared_ptr<StageTimes> stages) {
  const ScrubPace pace(scrub_bytes_per_second);
  // CAF copies an actor's arguments, so the store travels in a shared box.
  auto box = std::make_shared<std::unique_ptr<storage::LogStore>>(std::move(store));
  if (mode == SpawnMode::own_thread)
    return system.spawn<caf::detached>(log_store, std::move(box), epoch, std::move(directory), pace,
                                       std::move(stages));
  return system.spawn(log_store, std::move(box), epoch, std::move(directory), pace, std::move(stages));
}

}  // namespace kiwi
