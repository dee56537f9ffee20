#include <algorithm>
#include <cstdio>

#include "server/info.hpp"
#include "server/node_status.hpp"

namespace kiwi {

namespace {

std::string hex(std::uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

std::string ids(const std::vector<NodeId>& nodes) {
  std::string out;
  for (const auto node : nodes) out += (out.empty() ? "" : " ") + to_string(node);
  return out;
}

/// "id=2,address=127.0.0.1:7002@17002,match=9,lag=1,..." in the way of Redis' "slave0" lines.
std::string follower_line(const NodeStatus& status, const raft::FollowerStatus& follower) {
  std::string out = "id=" + to_string(follower.id);
  if (const auto* member = status.membership.find(follower.id))
    out += ",address=" + to_string(member->address);
  auto add = [&out](std::string_view name, std::uint64_t value) {
    out += ',';
    out += name;
    out += '=' + std::to_string(value);
  };
  const auto last = status.last_log.index;
  add("voter", follower.voter ? 1 : 0);
  out += std::string(",state=") + raft::to_string(follower.state);
  add("match", follower.match.value);
  add("next", follower.next.value);
  add("lag", last > follower.match ? last - follower.match : 0);
  add("inflight_appends", follower.inflight_appends);
  add("inflight_bytes", follower.inflight_bytes);
  add("active", follower.recently_active ? 1 : 0);
  out += std::string(",disk_room=") + to_string(follower.room);
  if (follower.state == raft::ProgressState::snapshot) {
    add("snapshot_bytes", follower.snapshot_bytes);
    add("snapshot_received", follower.snapshot_received);
  }
  return out;
}

void add_membership(const NodeStatus& status, InfoText& out) {
  const auto& change = status.change;
  const auto& members = status.membership;
  out.add("raft_configuration", change.configuration.value);
  out.add("raft_configuration_committed", change.committed ? 1 : 0);
  out.add("raft_voters", ids(members.voters));
  out.add("raft_learners", ids(members.learners));
  out.add("raft_joint", change.joint ? 1 : 0);
  if (change.joint)
    out.add("raft_outgoing_voters", ids(members.outgoing_voters));
  out.add("raft_change", raft::to_string(change.phase));
  if (change.node) {
    out.add("raft_change_node", change.node.value);
    if (change.replaced)
      out.add("raft_change_replaces", change.replaced.value);
    if (status.role == raft::Role::leader) {
      out.add("raft_change_match", change.match.value);
      out.add("raft_change_lag", change.last > change.match ? change.last - change.match : 0);
      out.add("raft_change_rounds", change.rounds);
      out.add("raft_change_rounds_needed", change.rounds_needed);
    }
  }
  if (status.role == raft::Role::leader)
    out.add("raft_missing_nodes", ids(change.silent));
  out.add("raft_removed_nodes", ids(change.removed));
  out.add("raft_removed", status.removed ? 1 : 0);
}

/// INFO is read line by line.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  return text;
}

void add_counters(const raft::Counters& counters, InfoText& out) {
  out.add("raft_elections_started", counters.elections_started);
  out.add("raft_elections_won", counters.elections_won);
  out.add("raft_pre_votes_started", counters.pre_votes_started);
  out.add("raft_early_pre_votes", counters.early_pre_votes);
  out.add("raft_votes_granted", counters.votes_granted);
  out.add("raft_step_downs", counters.step_downs);
  out.add("raft_check_quorum_failures", counters.check_quorum_failures);
  out.add("raft_step_downs_own_disk", counters.step_downs_own_disk);
  out.add("raft_step_downs_no_commit", counters.step_downs_no_commit);
  out.add("raft_handovers", counters.handovers);
  out.add("raft_proposals", counters.proposals);
  out.add("raft_proposals_refused", counters.proposals_refused);
  out.add("raft_reads", counters.reads);
  out.add("raft_read_rounds", counters.read_rounds);
  out.add("raft_lease_reads", counters.lease_reads);
  out.add("raft_append_mismatches", counters.append_mismatches);
  out.add("raft_log_purges", counters.purges);
  out.add("raft_snapshots_installed", counters.snapshots_installed);
  out.add("raft_membership_changes", counters.membership_changes);
  out.add("raft_transfers", counters.transfers);
  out.add("raft_transfers_aborted", counters.transfers_aborted);
}

void add_scrub(const std::string& name, const ScrubFigures& scrub, InfoText& out) {
  out.add(name + "rounds", scrub.rounds);
  out.add(name + "bytes", scrub.bytes);
  out.add(name + "tables", scrub.tables);
  out.add(name + "unverified", scrub.unverified);
  out.add(name + "errors", scrub.errors);
  out.add(name + "position", scrub.position);
}

void add_log_store(const LogStoreFigures& log, InfoText& out) {
  out.add("raft_log_fsyncs", log.syncs);
  out.add("raft_log_fsync_last_us", log.sync_last_us);
  out.add("raft_log_fsync_max_us", log.sync_max_us);
  out.add("raft_log_fsync_avg_us", log.syncs == 0 ? 0 : log.sync_total_us / log.syncs);
  out.add("raft_log_entries_written", log.entries_written);
  out.add("raft_log_bytes_written", log.bytes_written);
  out.add("raft_log_disk_bytes", log.disk_bytes);
}

void add_snapshots(const SnapshotFigures& snapshots, InfoText& out) {
  out.add("raft_snapshots_built", snapshots.builds);
  out.add("raft_snapshot_build_failures", snapshots.build_failures);
  out.add("raft_snapshot_last_build_ms", snapshots.last_build_ms);
  out.add("raft_snapshot_sent_bytes", snapshots.sent_bytes);
  out.add("raft_snapshot_received_bytes", snapshots.received_bytes);
  out.add("raft_snapshot_reused_bytes", snapshots.reused_bytes);
  if (snapshots.receiving.snapshot_id.empty())
    return;
  out.add("raft_snapshot_receiving", snapshots.receiving.snapshot_id);
  out.add("raft_snapshot_receiving_bytes", snapshots.receiving.received);
  out.add("raft_snapshot_receiving_of", snapshots.receiving.bytes);
}

}  // namespace

// For clients that know Redis' replication only. What it calls an offset is the index in the log.
void info_replication(const InfoSources& from, InfoText& out) {
  const auto& status = from.status;
  const bool leads = status.role == raft::Role::leader;
  out.section("Replication");
  out.add("role", leads ? "master" : "slave");
  if (!leads) {
    const auto* leader = status.leader ? status.membership.find(status.leader) : nullptr;
    if (leader != nullptr) {
      out.add("master_host", leader->address.host);
      out.add("master_port", leader->address.redis_port);
    }
    out.add("master_link_status", leader != nullptr ? "up" : "down");
    out.add("slave_repl_offset", status.applied.value);
    out.add("slave_read_only", 1);
  }
  out.add("connected_slaves", [&] {
    std::uint64_t active = 0;
    for (const auto& follower : status.followers) active += follower.recently_active ? 1 : 0;
    return active;
  }());
  std::size_t number = 0;
  for (const auto& follower : status.followers) {
    const auto* member = status.membership.find(follower.id);
    if (member == nullptr || !follower.recently_active)
      continue;
    out.add("slave" + std::to_string(number++), "ip=" + member->address.host +
                                                    ",port=" + std::to_string(member->address.redis_port) +
                                                    ",state=online,offset=" + to_string(follower.match));
  }
  if (leads)
    out.add("master_repl_offset", status.last_log.index.value);
}

void info_raft(const InfoSources& from, InfoText& out) {
  const auto& status = from.status;
  out.section("Raft");
  out.add("raft_node_id", status.id.value);
  out.add("raft_instance_id", hex(status.instance.value));
  out.add("raft_has_cluster", status.has_cluster ? 1 : 0);
  if (status.has_cluster)
    out.add("raft_cluster_id", hex(status.cluster.value));
  out.add("raft_role", raft::to_string(status.role));
  out.add("raft_term", status.term.value);
  out.add("raft_leader", status.leader.value);
  out.add("raft_leader_ready", status.leader_ready ? 1 : 0);
  out.add("raft_caught_up", status.caught_up ? 1 : 0);
  out.add("raft_commit_index", status.commit.value);
  out.add("raft_applied_index", status.applied.value);
  out.add("raft_durable_index", status.durable.value);
  out.add("raft_last_log_index", status.last_log.index.value);
  out.add("raft_last_log_term", status.last_log.term.value);
  out.add("raft_uncommitted_bytes", status.uncommitted_bytes);
  out.add("raft_log_memory_bytes", status.log_memory_bytes);
  out.add("raft_log_bytes", status.log_bytes);
  out.add("raft_log_purged_index", status.log_purged.index.value);
  out.add("raft_needs_snapshot", status.needs_snapshot ? 1 : 0);
  out.add("raft_pending_proposals", status.pending_proposals);
  out.add("raft_agreed_time_ms", status.agreed_time_ms);
  add_membership(status, out);
  out.add("raft_connected_peers", ids(status.connected_peers));
  if (status.disk_reserve_bytes != 0) {
    out.add("raft_disk_room", to_string(status.disk_room));
    out.add("raft_disk_free_bytes", status.disk_free_bytes);
    out.add("raft_disk_reserve_bytes", status.disk_reserve_bytes);
  }
  out.add("raft_takes_writes", status.takes_writes ? 1 : 0);
  out.add("raft_out_of_service", status.out_of_service.empty() ? 0 : 1);
  if (!status.out_of_service.empty()) {
    out.add("raft_out_of_service_reason", one_line(status.out_of_service));
    out.add("raft_out_of_service_attempts", status.reopen_attempts);
  }
  out.add("raft_reopened", status.reopened);
  out.add("raft_data_damaged", status.data_damaged);
  add_counters(status.counters, out);
  if (status.with_stats) {
    add_log_store(status.log_store, out);
    add_scrub("raft_log_scrub_", status.log_store.scrub, out);
    add_scrub("raft_data_scrub_", status.state.scrub, out);
    add_snapshots(status.snapshots, out);
  }
  std::size_t number = 0;
  for (const auto& follower : status.followers)
    out.add("raft_follower" + std::to_string(number++), follower_line(status, follower));
}

// Where commands spend their time: messages/stage_times.hpp says what each stage is.
void info_stages(const InfoSources& from, InfoText& out) {
  out.section("Stages");
  const auto& stages = from.status.stages;
  for (std::size_t i = 0; stages && i < kStages; ++i) {
    const auto stage = static_cast<Stage>(i);
    const auto f = stages->figures(stage);
    out.add(std::string("stage_") + to_string(stage) + "_us",
            "count=" + std::to_string(f.count) + ",p50=" + std::to_string(f.p50) + ",p99=" +
                std::to_string(f.p99) + ",p99.9=" + std::to_string(f.p999) + ",max=" + std::to_string(f.max));
  }
}

}  // namespace kiwi
