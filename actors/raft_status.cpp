#include <utility>

#include "actors/raft_actor.hpp"

namespace kiwi {

NodeStatus RaftState::status_without_figures() const {
  NodeStatus s;
  s.id = options.id;
  s.cluster = options.cluster;
  s.instance = options.instance;
  s.address = options.address;
  s.role = core->role();
  s.term = core->term();
  s.leader = core->leader();
  s.leader_ready = core->leader_ready();
  s.has_cluster = core->has_cluster();
  s.caught_up = core->caught_up_once();
  s.membership = core->membership();
  s.change = core->change_status();
  s.removed = core->removed() && core->role() != raft::Role::leader;
  if (s.leader && !s.membership.contains(s.leader)) {
    s.leader_outside.address = s.leader == options.id ? options.address : leader_address();
    s.leader_outside.id = s.leader_outside.address.redis_port != 0 ? s.leader : NodeId();
  }
  s.commit = core->commit();
  s.applied = core->applied();
  s.durable = core->durable();
  s.last_log = core->last_log_id();
  s.uncommitted_bytes = core->uncommitted_bytes();
  s.log_memory_bytes = core->log_bytes_in_memory();
  s.log_purged = core->log().purged();
  s.log_bytes = core->log_bytes();
  s.needs_snapshot = core->needs_snapshot();
  s.pending_proposals = waiting.size();
  for (const auto& batch : applying) s.pending_proposals += batch.waiting.size();
  s.agreed_time_ms = core->agreed_time_ms();
  s.disk_room = core->room();
  s.disk_free_bytes = disk_free_bytes;
  s.disk_reserve_bytes = options.disk_reserve_bytes;
  s.reopened = options.reopened;
  s.data_damaged = options.data_damaged;
  s.takes_writes = core->role() == raft::Role::leader && core->takes_commands();
  s.followers = core->followers();
  s.connected_peers = connected;
  s.counters = core->counters();
  return s;
}

caf::result<StatusPtr> RaftState::status(const StatusRequest& m) {
  auto status = std::make_shared<NodeStatus>(status_without_figures());
  if (!m.with_stats)
    return StatusPtr{status};
  status->with_stats = true;
  status->stages = options.stages;
  auto promise = self->make_response_promise<StatusPtr>();
  auto debt = owe(promise, AnswerKind::stopping);
  auto failed = [this, debt](const caf::error& e) { settle(debt).deliver(e); };
  self->request(storage, caf::infinite, LogStatsRequest{})
      .then(
          [this, debt, status, failed](const LogStoreFigures& figures) {
            status->log_store = figures;
            self->request(storage, caf::infinite, StatsRequest{})
                .then(
                    [this, debt, status, failed](const StateStats& state) {
                      status->state = state;
                      if (!snapshots) {
                        settle(debt).deliver(StatusPtr{status});
                        return;
                      }
                      self->request(snapshots, caf::infinite, SnapshotFiguresRequest{})
                          .then(
                              [this, debt, status](SnapshotFigures& built) {
                                status->snapshots = std::move(built);
                                settle(debt).deliver(StatusPtr{status});
                              },
                              failed);
                    },
                    failed);
          },
          failed);
  return promise;
}

}  // namespace kiwi
