#include "actors/log_store_actor.hpp"

#include <mutex>
#include <utility>

#include "actors/storage_errors.hpp"

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
  auto promise = self->make_response_promise<LogWritten>();
  group.add(call, promise);
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
  group.add(call, promise);
  return promise;
}

void LogStoreState::flush() {
  if (group.empty())
    return;
  auto all = std::exchange(group, {});
  const std::lock_guard turn(log->in_use);
  const LogId last = store().last();
  auto done = store().write(all.writes);
  if (!done) {
    all.fail(to_caf_error(done.error()));
    return;
  }
  if (stages)
    stages->record(Stage::sync, store().stats().last_sync_us);
  all.answer(last, *done);
}

caf::result<LogEntries> LogStoreState::read(const LogRead& call) {
  if (call.stamp.epoch != epoch)
    return other_epoch(StorageSubject::log, StorageVerb::read);
  const std::lock_guard turn(log->in_use);
  auto entries = store().read(call.first, call.last, call.max_bytes);
  if (!entries)
    return to_caf_error(entries.error());
  return LogEntries{call.stamp, std::move(*entries)};
}

caf::result<ClusterId> LogStoreState::adopt(const AdoptCluster& call) {
  const std::lock_guard turn(log->in_use);
  if (auto done = store().adopt_cluster(call.cluster, call.initial); !done)
    return to_caf_error(done.error());
  return call.cluster;
}

LogStoreFigures LogStoreState::figures() const {
  const std::lock_guard turn(log->in_use);
  const auto& s = store().stats();
  LogStoreFigures f;
  f.syncs = s.syncs;
  f.sync_last_us = s.last_sync_us;
  f.sync_max_us = s.sync_max_us;
  f.sync_total_us = s.sync_total_us;
  f.entries_written = s.entries_written;
  f.bytes_written = s.bytes_written;
  f.disk_bytes = store().disk_bytes();
  f.scrub = store().scrub_figures();
  return f;
}

DiskSpace LogStoreState::space() const {
  const std::lock_guard turn(log->in_use);
  const auto bytes = log->directory ? log->directory->free_bytes() : std::nullopt;
  return {bytes.has_value(), bytes.value_or(0), store().pending_bytes()};
}

void LogStoreState::scrub() {
  auto done = [this] {
    const std::lock_guard turn(log->in_use);
    return store().scrub(pace.slice_bytes());
  }();
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
  const StorageError stopping{StorageSubject::log, StorageVerb::write, StorageKind::unavailable,
                              "the log store stops", StorageOutcome::not_written};
  std::exchange(group, {}).fail(to_caf_error(stopping));
  self->quit(reason);
}

namespace {
LogStoreImpl::behavior_type log_store(LogStoreState::Self self, std::shared_ptr<OpenLog> log,
                                      std::uint64_t epoch, ScrubPace pace,
                                      std::shared_ptr<StageTimes> stages) {
  auto* state = &self->state;
  state->stages = std::move(stages);
  state->log = std::move(log);
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

LogStoreActor spawn_log_store(caf::actor_system& system, SpawnMode mode, std::shared_ptr<OpenLog> log,
                              std::uint64_t epoch, std::uint64_t scrub_bytes_per_second,
                              std::shared_ptr<StageTimes> stages) {
  const ScrubPace pace(scrub_bytes_per_second);
  if (mode == SpawnMode::own_thread)
    return system.spawn<caf::detached>(log_store, std::move(log), epoch, pace, std::move(stages));
  return system.spawn(log_store, std::move(log), epoch, pace, std::move(stages));
}

}  // namespace kiwi
