// Snapshots as the driver sees them: the core decides who needs one, the snapshot builder has the bytes, the
// state machine installs (docs/snapshots.md).

#include <spdlog/spdlog.h>

#include <utility>

#include "actors/raft_actor.hpp"
#include "actors/storage_errors.hpp"
#include "messages/assert.hpp"
#include "messages/fault_points.hpp"

namespace kiwi {

namespace {

StorageError no_snapshots() {
  return {StorageSubject::snapshot, StorageVerb::open, StorageKind::unsupported,
          "this replica's state machine offers no snapshots", StorageOutcome::not_written};
}

/// The builder read the data database, and found it damaged.
bool is_own_damage(const StorageError& error) {
  return error.subject == StorageSubject::state_machine && error.kind == StorageKind::corruption;
}

bool is_traffic(const PeerMessage& message) {
  return std::holds_alternative<SnapshotFetch>(message) || std::holds_alternative<SnapshotPart>(message);
}

}  // namespace

void RaftState::snapshot_wanted(const raft::SnapshotWanted& wanted) {
  if (!snapshots) {
    core->no_snapshot(wanted.peer);
    return;
  }
  if (!snapshot_questions.insert(wanted.peer).second)
    return;  // the first build may take long
  self->request(snapshots, caf::infinite, BuildSnapshot{wanted.at_least})
      .then(
          [this, peer = wanted.peer](SnapshotManifest& manifest) {
            snapshot_questions.erase(peer);
            options.log->info("event=snapshot_offered node={} to={} id={} index={} bytes={} files={}",
                              options.id.value, peer.value, manifest.meta.snapshot_id,
                              manifest.meta.last_log_id.index.value, manifest.bytes(), manifest.files.size());
            core->offer_snapshot(peer, std::make_shared<const SnapshotManifest>(std::move(manifest)));
            schedule_drive();
          },
          [this, peer = wanted.peer](const caf::error& e) {
            snapshot_questions.erase(peer);
            auto error = storage_error_of(e, StorageSubject::snapshot, StorageVerb::write);
            if (is_own_damage(error))
              return fail(e, StorageSubject::state_machine, StorageVerb::read);
            options.log->warn("event=snapshot_not_built node={} for={} cause=\"{}\"", options.id.value,
                              peer.value, error.cause);
            core->no_snapshot(peer);
          });
}

void RaftState::snapshot_offered(raft::SnapshotOffered& offered) {
  const auto& id = offered.manifest.meta.snapshot_id;
  // One at a time: the one under way goes on as long as it comes forward, whoever leads meanwhile. The
  // snapshot builder ends it when it does not.
  if (!snapshots || receiving_snapshot)
    return;
  receiving_snapshot = true;
  core->snapshot_progress(id, 0);
  self->request(snapshots, caf::infinite, ReceiveSnapshot{offered.from, std::move(offered.manifest)})
      .then([this](SnapshotReceived& m) { snapshot_received(m); },
            [this](const caf::error& e) {
              auto error = storage_error_of(e, StorageSubject::snapshot, StorageVerb::write);
              options.log->warn("event=snapshot_not_received node={} cause=\"{}\"", options.id.value,
                                error.cause);
              receiving_snapshot = false;
              core->snapshot_progress("", 0);
              schedule_drive();
            });
}

void RaftState::snapshot_received(SnapshotReceived& m) {
  if (stopping)
    return;
  if (!core->begin_install(m.meta)) {
    options.log->info("event=snapshot_outdated node={} id={}", options.id.value, m.meta.snapshot_id);
    receive_ended(m.meta.snapshot_id);
    schedule_drive();
    return;
  }
  options.log->info("event=snapshot_installing node={} id={} index={}", options.id.value, m.meta.snapshot_id,
                    m.meta.last_log_id.index.value);
  // Behind everything handed out before, before anything handed out later: the mailbox keeps the order.
  self->request(storage, caf::infinite, InstallSnapshot{{}, m.meta, std::move(m.folder)})
      .then(
          [this, meta = m.meta](const SnapshotInstalled& done) {
            KIWI_ASSERT(done.state.applied == meta.last_log_id, "the installed state is the snapshot's");
            KIWI_ASSERT(applying.empty(), "calls of the state machine are answered in order");
            applied_stamp_ms = done.state.stamp_ms;
            installing_id = meta.snapshot_id;
            installed_membership = {meta.membership_id, meta.membership};
            core->installed(meta);
            schedule_drive();
          },
          [this](const caf::error& e) { fail(e, StorageSubject::snapshot, StorageVerb::write); });
}

void RaftState::install_finished() {
  options.log->info("event=snapshot_installed node={} id={} applied={} last={}", options.id.value,
                    installing_id, core->applied().value, to_string(core->last_log_id()));
  // What was proposed here and lies below is decided, but its reply is not known.
  while (!waiting.empty() && waiting.front().index <= core->applied()) {
    refuse(waiting.front().origin, AnswerKind::unknown);
    waiting.pop_front();
  }
  release_held(applied_stamp_ms);
  self->request(storage, caf::infinite, FinishInstall{})
      .then([this](Index) { receive_ended(installing_id); },
            [this](const caf::error& e) { fail(e, StorageSubject::snapshot, StorageVerb::write); });
}

void RaftState::receive_ended(const std::string& snapshot_id) {
  receiving_snapshot = false;
  core->snapshot_progress("", 0);
  self->send(snapshots, ReceiveEnded{snapshot_id});
}

void RaftState::flush_state() {
  if (std::exchange(flushing, true))
    return;
  self->request(storage, caf::infinite, FlushState{})
      .then(
          [this](const StateFlushing& m) {
            flushing = KIWI_MUTANT(flush_trigger_lost);
            core->data_durable(m.durable);
          },
          [this](const caf::error& e) { fail(e, StorageSubject::state_machine, StorageVerb::write); });
}

void RaftState::snapshot_traffic_out(SnapshotTraffic& m) {
  if (auto peer = peers.find(m.peer); peer != peers.end())
    self->send(peer->second, ToPeer{std::move(m.messages)});
}

void RaftState::snapshot_progress(const SnapshotProgress& m) {
  if (!receiving_snapshot)
    return;  // it ended meanwhile
  core->snapshot_progress(m.snapshot_id, m.received);
  schedule_drive();
}

bool RaftState::take_snapshot_traffic(NodeId from, PeerMessage& message) {
  if (!is_traffic(message))
    return false;
  if (snapshots) {
    SnapshotTraffic traffic;
    traffic.peer = from;
    traffic.messages.push_back(std::move(message));
    self->send(snapshots, std::move(traffic));
  }
  return true;
}

caf::result<SnapshotManifest> RaftState::build_snapshot(BuildSnapshot& m) {
  if (!snapshots)
    return to_caf_error(no_snapshots());
  if (!m.at_least)
    m.at_least = core->applied();
  auto promise = self->make_response_promise<SnapshotManifest>();
  self->request(snapshots, caf::infinite, std::move(m))
      .then([promise](SnapshotManifest& manifest) mutable { promise.deliver(std::move(manifest)); },
            [this, promise](const caf::error& e) mutable {
              promise.deliver(e);
              if (is_own_damage(storage_error_of(e, StorageSubject::snapshot, StorageVerb::write)))
                fail(e, StorageSubject::state_machine, StorageVerb::read);
            });
  return promise;
}

caf::result<SnapshotFigures> RaftState::snapshot_figures() {
  if (!snapshots)
    return SnapshotFigures{};
  return self->delegate(snapshots, SnapshotFiguresRequest{});
}

}  // namespace kiwi
