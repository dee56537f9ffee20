#include "actors/adaptor.hpp"

#include <utility>

#include "actors/io_thread.hpp"
#include "actors/storage_errors.hpp"
#include "messages/assert.hpp"
#include "messages/fault_points.hpp"

namespace kiwi {

namespace {

template <class T>
concept Stamped = requires(T& x) {
  x.stamp;
};

StorageError gone(StorageSubject subject, StorageVerb verb, const caf::error& reason) {
  // A target that stopped for a storage failure of its own says which.
  auto error = storage_error_of(reason, subject, verb);
  if (error.kind == StorageKind::unavailable)
    error.cause = "the storage actor is gone: " + error.cause;
  error.outcome = StorageOutcome::unknown;
  return error;
}

}  // namespace

template <class Deliver>
void AdaptorState::settle(Route& route, std::uint64_t number, Deliver deliver) {
  auto waiting = route.outstanding.extract(number);
  if (!waiting.empty())
    deliver(waiting.mapped().promise);
  else
    KIWI_MARK("storage.late_answer");
}

template <class Reply, class Target, class Call>
caf::result<Reply> AdaptorState::route(Route& route, const Target& target, Call& call, StorageVerb verb) {
  if (route.down)
    return to_caf_error(gone(route.subject, verb, route.reason));
  auto number = ++sequence;
  const CallStamp stamp{route.epoch, number};
  if constexpr (Stamped<Call>)
    call.stamp = stamp;
  auto promise = self->make_response_promise<Reply>();
  route.outstanding.emplace(number, Route::Waiting{promise, verb});
  self->request(target, caf::infinite, std::move(call))
      .then(
          [&route, stamp](Reply& reply) {
            if constexpr (Stamped<Reply>)
              KIWI_ASSERT(reply.stamp == stamp, "an answer names the call it completes");
            settle(route, stamp.sequence, [&](caf::response_promise& p) { p.deliver(std::move(reply)); });
          },
          [&route, stamp, verb](const caf::error& e) {
            settle(route, stamp.sequence, [&](caf::response_promise& p) {
              p.deliver(to_caf_error(storage_error_of(e, route.subject, verb)));
            });
          });
  return promise;
}

caf::result<LogWritten> AdaptorState::write(LogWrite& call) {
  if (log_route.down)
    return to_caf_error(gone(log_route.subject, StorageVerb::write, log_route.reason));
  call.stamp = CallStamp{log_route.epoch, ++sequence};
  auto promise = self->make_response_promise<LogWritten>();
  log_route.outstanding.emplace(call.stamp.sequence, Route::Waiting{promise, StorageVerb::write});
  if (log_writes.empty())
    self->send(self, caf::flush_atom_v);
  log_writes.push_back(std::move(call));
  return promise;
}

void AdaptorState::flush() {
  auto writes = std::exchange(log_writes, {});
  if (log_route.down)
    return;  // their callers have heard it
  std::vector<CallStamp> stamps;
  stamps.reserve(writes.size());
  for (const auto& write : writes) stamps.push_back(write.stamp);
  self->request(log, caf::infinite, LogWriteGroup{std::move(writes)})
      .then(
          [this, stamps](LogWrittenGroup& m) {
            KIWI_ASSERT(m.written.size() == stamps.size(), "a group is answered whole");
            for (std::size_t i = 0; i < stamps.size(); ++i) {
              KIWI_ASSERT(m.written[i].stamp == stamps[i], "an answer names the call it completes");
              settle(log_route, stamps[i].sequence,
                     [&](caf::response_promise& p) { p.deliver(std::move(m.written[i])); });
            }
          },
          [this, stamps](const caf::error& e) {
            for (const auto& stamp : stamps)
              settle(log_route, stamp.sequence, [&](caf::response_promise& p) {
                p.deliver(to_caf_error(storage_error_of(e, log_route.subject, StorageVerb::write)));
              });
          });
}

void AdaptorState::fail_all(Route& route, const caf::error& reason) {
  for (auto& [number, waiting] : std::exchange(route.outstanding, {}))
    waiting.promise.deliver(to_caf_error(gone(route.subject, waiting.verb, reason)));
}

void AdaptorState::target_down(const caf::down_msg& m) {
  for (auto* route : {&log_route, &machine_route}) {
    if (route->address == m.source) {
      route->down = true;
      if (!route->outstanding.empty())
        KIWI_MARK("storage.target_down");
      route->reason = m.reason;
      fail_all(*route, m.reason);
    }
  }
}

void AdaptorState::stop(const caf::error& reason) {
  fail_all(log_route, reason);
  fail_all(machine_route, reason);
  self->quit(reason);
}

namespace {
AdaptorImpl::behavior_type adaptor(AdaptorState::Self self, LogStoreActor log, StateMachineActor machine,
                                   std::uint64_t epoch) {
  auto* s = &self->state;
  s->log = std::move(log);
  s->machine = std::move(machine);
  s->log_route.address = s->log.address();
  s->log_route.subject = StorageSubject::log;
  s->log_route.epoch = epoch;
  s->machine_route.address = s->machine.address();
  s->machine_route.subject = StorageSubject::state_machine;
  s->machine_route.epoch = epoch;
  self->monitor(s->log);
  self->monitor(s->machine);
  self->set_down_handler([s](const caf::down_msg& m) { s->target_down(m); });
  self->set_exit_handler([s](const caf::exit_msg& m) { s->stop(m.reason); });
  return {
      [s](LogWrite& m) { return s->write(m); },
      [s](LogRead& m) { return s->route<LogEntries>(s->log_route, s->log, m, StorageVerb::read); },
      [s](LogStatsRequest& m) {
        return s->route<LogStoreFigures>(s->log_route, s->log, m, StorageVerb::read);
      },
      [s](DiskSpaceRequest& m) { return s->route<DiskSpace>(s->log_route, s->log, m, StorageVerb::read); },
      [s](AdoptCluster& m) { return s->route<ClusterId>(s->log_route, s->log, m, StorageVerb::write); },
      [s](ApplyBatch& m) { return s->route<Applied>(s->machine_route, s->machine, m, StorageVerb::write); },
      [s](StateQueryBatch& m) {
        return s->route<StateAnswers>(s->machine_route, s->machine, m, StorageVerb::read);
      },
      [s](FlushState& m) {
        return s->route<StateFlushing>(s->machine_route, s->machine, m, StorageVerb::write);
      },
      [s](InstallSnapshot& m) {
        return s->route<SnapshotInstalled>(s->machine_route, s->machine, m, StorageVerb::write);
      },
      [s](FinishInstall& m) { return s->route<Index>(s->machine_route, s->machine, m, StorageVerb::write); },
      [s](DigestRequest& m) {
        return s->route<DigestAnswer>(s->machine_route, s->machine, m, StorageVerb::read);
      },
      [s](StatsRequest& m) {
        return s->route<StateStats>(s->machine_route, s->machine, m, StorageVerb::read);
      },
      // itself
      [s](caf::flush_atom) { s->flush(); },
  };
}
}  // namespace

StorageActor spawn_adaptor(caf::actor_system& system, LogStoreActor log, StateMachineActor machine,
                           std::uint64_t epoch, CorePlace place) {
  return spawn_at(system, place, adaptor, std::move(log), std::move(machine), epoch);
}

}  // namespace kiwi
