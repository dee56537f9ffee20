#include "actors/raft_actor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/io_thread.hpp"
#include "actors/replica_errors.hpp"
#include "actors/storage_errors.hpp"
#include "messages/assert.hpp"
#include "messages/fault_points.hpp"

namespace kiwi {

void RaftState::start() {
  applied_stamp_ms = core->agreed_time_ms();
  if (snapshots)
    self->send(snapshots, ConnectOutlet{caf::actor_cast<SnapshotOutlet>(self)});
  follow_membership();
  tick();
}

void RaftState::tick() {
  if (stopping)
    return;
  self->delayed_send(self, std::chrono::milliseconds(options.tick_ms), caf::tick_atom_v);
  ++now_ticks;
  ask_for_room();
  read_clocks();
  core->tick();
  give_up_old();
  end_unused_links();
  // Rule 8: deadlines are due and nothing else carries the time into the log.
  if (next_deadline_ms != 0 && waiting.empty() && core->leader_ready() &&
      core->agreed_time_ms() >= next_deadline_ms)
    propose_tick();
  drive();
}

void RaftState::read_clocks() {
  if (options.raft.lease)
    core->set_clock(options.unix_clock_ms(), options.steady_clock_us());
  else
    core->set_clock(options.unix_clock_ms());
}

void RaftState::schedule_drive() {
  // Behind everything that is in the mailbox by now: what came together goes out together, without a timer.
  if (!std::exchange(drive_scheduled, true))
    self->send(self, caf::flush_atom_v);
}

void RaftState::drive() {
  drive_scheduled = false;
  if (!stale_reads.empty())
    core->apply_promptly();
  for (auto out = core->take_output(); !out.empty() && !stopping; out = core->take_output()) {
    if (out.lost_leadership) {
      options.log->warn("event=leadership_lost node={} term={} reason={}", options.id.value,
                        core->term().value, raft::to_string(out.step_down));
      lost_leadership();
    }
    if (out.write != 0)
      write_log(out);  // promises leave the core only when this is durable (rule 2)
    if (!out.messages.empty())
      send_messages(std::move(out.messages));
    for (const auto& x : out.fetches) fetch(x);
    for (const auto& x : out.snapshots_wanted) snapshot_wanted(x);
    for (auto& x : out.snapshots_offered) snapshot_offered(x);
    if (out.flush_wanted)
      flush_state();
    if (out.install_finished)
      install_finished();
    hand_out(std::move(out.apply), out.reads);
    for (auto token : out.failed_reads) {
      if (auto read = reading.extract(token); !read.empty())
        refuse(read.mapped().origin, not_serving());
    }
    if (out.state_changed)
      role_changed();
    if (out.membership_changed)
      membership_changed();
    if (out.transfer_ended)
      transfer_ended(*out.transfer_ended);
  }
  if (!core->holds_back())
    taken_us = 0;  // reads only, or refused
  note_commits();
  release_stale_reads();
  deliver_answers();
}

void RaftState::note_commits() {
  if (core->role() != raft::Role::leader)
    replicating.clear();
  for (; !replicating.empty() && replicating.front().last <= core->commit(); replicating.pop_front())
    note_stage(Stage::network, replicating.front().handed_us);
}

void RaftState::write_log(raft::Output& out) {
  LogWrite call;
  call.write = out.write;
  call.has_vote = out.vote.has_value();
  if (out.vote)
    call.vote = *out.vote;
  call.truncate_from = out.truncate_from;
  call.purge_to = out.purge_to;
  call.reset_to = out.reset_to;
  if (out.reset_to != LogId{}) {
    call.reset_membership_id = installed_membership.first;
    call.reset_membership = installed_membership.second;
  }
  call.entries = std::move(out.entries);
  call.at_once = may_write_at_once();
  const auto handed_us = now_us();
  if (options.stages && core->role() == raft::Role::leader && !call.entries.empty()) {
    if (taken_us != 0)
      note_stage(Stage::core, std::exchange(taken_us, 0));
    replicating.push_back({call.entries.back().id.index, handed_us});
  }
  self->request(storage, caf::infinite, std::move(call))
      .then(
          [this, handed_us](const LogWritten& m) {
            note_stage(Stage::log_write, handed_us);
            core->persisted(m.write, m.last);
            schedule_drive();
          },
          [this](const caf::error& e) { fail(e, StorageSubject::log, StorageVerb::write); });
}

bool RaftState::may_write_at_once() {
  // A follower's disk is what its leader waits for; a leader has answers to send meanwhile, unless it is
  // alone and this is the only thing to do.
  constexpr std::uint64_t kFewCommands = 4;
  const auto commands = std::exchange(commands_since_write, 0);
  if (core->role() != raft::Role::leader)
    return commands <= kFewCommands;
  return commands <= 1 && core->membership().voters.size() == 1 && !core->membership().joint();
}

void RaftState::send_messages(std::vector<raft::Outgoing> messages) {
  std::map<NodeId, ToPeer> batches;
  for (auto& m : messages) {
    if (std::holds_alternative<VoteRequest>(m.message) &&
        !std::binary_search(connected.begin(), connected.end(), m.to))
      unasked.insert(m.to);
    batches[m.to].messages.push_back(std::move(m.message));
  }
  for (auto& [to, batch] : batches) {
    if (auto peer = peers.find(to); peer != peers.end())
      self->send(peer->second, std::move(batch));
  }
}

void RaftState::fetch(const raft::Fetch& fetch) {
  LogRead call{{}, fetch.first, fetch.last, fetch.max_bytes};
  self->request(storage, caf::infinite, std::move(call))
      .then(
          [this, number = fetch.number](LogEntries& m) {
            core->entries_read(number, std::move(m.entries));
            schedule_drive();
          },
          [this, number = fetch.number](const caf::error& e) {
            auto error = storage_error_of(e, StorageSubject::log, StorageVerb::read);
            if (error.kind != StorageKind::invalid_request) {
              fail(e, StorageSubject::log, StorageVerb::read);
              return;
            }
            core->read_failed(number);  // truncated or purged meanwhile
            schedule_drive();
          });
}

void RaftState::hand_out(std::vector<Entry> entries, const std::vector<raft::ReadyRead>& reads) {
  // Reads go between two entries: after `at`, before at + 1 (raft/read_queue.hpp).
  std::vector<StateQuery> queries;
  std::size_t next = 0;
  auto run = [&] {
    if (!queries.empty())
      run_queries(std::exchange(queries, {}), QueryKind::linearizable);
  };
  for (const auto& read : reads) {
    std::vector<Entry> before;
    while (next < entries.size() && entries[next].id.index <= read.at)
      before.push_back(std::move(entries[next++]));
    if (!before.empty()) {
      run();
      apply(std::move(before));
    }
    if (auto found = reading.find(read.token); found != reading.end())
      queries.push_back(StateQuery{read.token, read.now_ms, found->second.payload});
  }
  run();
  if (next > 0)
    entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(next));
  if (!entries.empty())
    apply(std::move(entries));
}

void RaftState::apply(std::vector<Entry> entries) {
  Applying batch;
  batch.last = entries.back().id.index;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    while (!waiting.empty() && waiting.front().index <= entries[i].id.index) {
      auto who = std::move(waiting.front());
      waiting.pop_front();
      if (who.index == entries[i].id.index &&
          (who.term == entries[i].id.term || KIWI_MUTANT(answer_by_index))) {
        batch.waiting.emplace_back(i, std::move(who));
      } else {
        KIWI_MARK("write.replaced");
        refuse(who.origin, not_serving());  // another entry was committed in its place: surely not done
      }
    }
  }
  batch.handed_us = now_us();
  applying.push_back(std::move(batch));
  self->request(storage, caf::infinite, ApplyBatch{{}, std::move(entries)})
      .then([this](Applied& m) { applied(m); },
            [this](const caf::error& e) { fail(e, StorageSubject::state_machine, StorageVerb::write); });
}

void RaftState::applied(Applied& m) {
  KIWI_ASSERT(!applying.empty() && applying.front().last == m.applied.index, "batches are applied in order");
  auto batch = std::move(applying.front());
  applying.pop_front();
  note_stage(Stage::apply, batch.handed_us);
  auto first = Index(m.applied.index.value + 1 - m.replies.size());
  for (auto& [i, who] : batch.waiting) answer(who.origin, ClientResponse{first + i, std::move(m.replies[i])});
  applied_stamp_ms = m.stamp_ms;
  next_deadline_ms = m.next_deadline_ms;
  core->applied(m.applied.index);
  core->data_durable(m.durable);
  release_held(m.stamp_ms);
  schedule_drive();
}

void RaftState::role_changed() {
  if (core->role() != last_role || core->term() != last_term || core->leader() != last_leader)
    options.log->info("event=raft_state node={} role={} term={} leader={} commit={} last={}",
                      options.id.value, raft::to_string(core->role()), core->term().value,
                      core->leader().value, core->commit().value, to_string(core->last_log_id()));
  if (last_role == raft::Role::leader && core->role() != raft::Role::leader)
    led_until_tick = std::max<std::uint64_t>(now_ticks, 1);
  last_role = core->role();
  last_term = core->term();
  last_leader = core->leader();
  follow_membership();
}

void RaftState::membership_changed() {
  const auto& m = core->membership();
  const auto ids = [](const std::vector<NodeId>& nodes) {
    std::string text;
    for (auto id : nodes) text += (text.empty() ? "" : " ") + to_string(id);
    return text;
  };
  const auto change = core->change_status();
  options.log->info(
      "event=membership node={} configuration={} committed={} voters=\"{}\" outgoing=\"{}\" "
      "learners=\"{}\" change={}",
      options.id.value, change.configuration.value, change.committed, ids(m.voters), ids(m.outgoing_voters),
      ids(m.learners), raft::to_string(change.phase));
  follow_membership();
}

void RaftState::fail(const caf::error& reason, StorageSubject subject, StorageVerb verb) {
  if (stopping)
    return;
  auto error = storage_error_of(reason, subject, verb);
  options.log->error("event=storage_failure node={} subject={} verb={} kind={} outcome={} cause=\"{}\"",
                     options.id.value, to_string(error.subject), to_string(error.verb), to_string(error.kind),
                     to_string(error.outcome), error.cause);
  stop(to_caf_error(error));
}

void RaftState::stop(const caf::error& reason) {
  if (std::exchange(stopping, true))
    return;
  give_up_all(AnswerKind::unknown, AnswerKind::stopping);
  for (auto& [debt, o] : std::exchange(owed, {}))
    o.promise.deliver(to_caf_error(o.at_the_end, NodeAddress{}));
  deliver_answers();
  for (auto& [id, peer] : std::exchange(peers, {})) self->send_exit(peer, caf::exit_reason::user_shutdown);
  self->quit(reason);
}

std::uint64_t RaftState::owe(caf::response_promise promise, AnswerKind at_the_end) {
  auto debt = next_token++;
  owed.emplace(debt, Owed{std::move(promise), at_the_end});
  return debt;
}

caf::response_promise RaftState::settle(std::uint64_t debt) {
  auto found = owed.extract(debt);
  KIWI_ASSERT(!found.empty(), "an answer of storage is for somebody who waits");
  return std::move(found.mapped().promise);
}

namespace {
ReplicaImpl::behavior_type raft_behavior(RaftState::Self self, std::shared_ptr<ReplicaStart> start) {
  auto* s = &self->state;
  s->options = std::move(start->options);
  s->storage = std::move(start->storage);
  s->snapshots = std::move(start->snapshots);
  s->options.raft.installs_snapshots = static_cast<bool>(s->snapshots);
  s->options.raft.tick_us = std::uint64_t{s->options.tick_ms} * 1000;
  KIWI_ASSERT(!s->options.raft.lease || s->options.steady_clock_us, "leases need a steady clock");
  s->room = RoomWatch(s->options.disk_reserve_bytes);
  for (const auto& b : start->bindings) s->bindings[b.node] = b.instance;
  s->core = std::make_unique<raft::Core>(s->options.raft, std::move(start->restored));
  s->read_clocks();
  self->set_exit_handler([s](const caf::exit_msg& m) { s->stop(m.reason); });
  s->start();
  return {
      // clients
      [s](Submit& m) { s->submit(m); },
      [s](Propose& m) { return s->propose(m); },
      [s](Query& m) { return s->query(m); },
      // network
      [s](FromPeer& m) { s->from_peer(m); },
      [s](const PeerUnreachable& m) { s->peer_down(m.peer); },
      [s](const PeerGone& m) { s->peer_gone(m.peer); },
      [s](const PeerUp& m) { s->peer_up(m.peer); },
      [s](const ToldRemoved& m) { s->told_removed(m.by); },
      [s](const HelloQuestion& m) { return s->hello(m); },
      // the snapshot builder
      [s](SnapshotTraffic& m) { s->snapshot_traffic_out(m); },
      [s](const SnapshotProgress& m) { s->snapshot_progress(m); },
      [s](BuildSnapshot& m) { return s->build_snapshot(m); },
      [s](const SnapshotFiguresRequest&) { return s->snapshot_figures(); },
      // administration
      [s](const StatusRequest& m) { return s->status(m); },
      [s](const DigestMarker&) { return s->digest_marker(); },
      [s](DigestRequest& m) { return s->self->delegate(s->storage, std::move(m)); },
      [s](const Bootstrap&) { return s->bootstrap(); },
      [s](AdminCall& m) { return s->admin(m); },
      // itself
      [s](caf::tick_atom) { s->tick(); },
      [s](caf::flush_atom) { s->drive(); },
  };
}
}  // namespace

ReplicaActor spawn_raft(caf::actor_system& system, ReplicaStart start) {
  auto place = start.options.place;
  return spawn_at(system, place, raft_behavior, std::make_shared<ReplicaStart>(std::move(start)));
}

}  // namespace kiwi
