#include <algorithm>
#include <utility>

#include "actors/raft_actor.hpp"
#include "actors/replica_errors.hpp"
#include "messages/assert.hpp"
#include "messages/fault_points.hpp"

namespace kiwi {

void RaftState::submit(Submit& m) {
  read_clocks();
  if (m.sent_us != 0) {
    note_stage(Stage::queue, m.sent_us);
    if (taken_us == 0)
      taken_us = now_us();
  }
  commands_since_write += m.commands.size();
  for (auto& command : m.commands) {
    Origin origin = ClientSlot{m.port, m.client, command.slot, command.mode == CommandMode::write};
    switch (command.mode) {
      case CommandMode::write:
        propose_for(std::move(origin), EntryKind::command, std::move(command.payload));
        break;
      case CommandMode::read:
        if (KIWI_MUTANT(follower_serves_reads) && core->role() != raft::Role::leader)
          stale_read_for(std::move(origin), std::move(command.payload));
        else
          read_for(std::move(origin), std::move(command.payload));
        break;
      case CommandMode::stale_read:
        if (core->role() == raft::Role::leader)  // as a Redis master does; keeps rule 13 with its own writes
          read_for(std::move(origin), std::move(command.payload));
        else if (writers.contains(m.client))  // its writes of when this node led are still under way
          refuse(origin, not_serving());
        else
          stale_read_for(std::move(origin), std::move(command.payload));
        break;
    }
  }
  deliver_answers();
  schedule_drive();
}

caf::result<ClientResponse> RaftState::propose(Propose& m) {
  auto promise = self->make_response_promise<ClientResponse>();
  read_clocks();
  propose_for(promise, EntryKind::command, std::move(m.payload));
  schedule_drive();
  return promise;
}

caf::result<ClientResponse> RaftState::query(Query& m) {
  auto promise = self->make_response_promise<ClientResponse>();
  read_clocks();
  if (m.stale)
    stale_read_for(promise, std::move(m.payload));
  else
    read_for(promise, std::move(m.payload));
  schedule_drive();
  return promise;
}

caf::result<Index> RaftState::digest_marker() {
  auto promise = self->make_response_promise<Index>();
  read_clocks();
  propose_for(promise, EntryKind::digest, {});
  schedule_drive();
  return promise;
}

void RaftState::propose_for(Origin origin, EntryKind kind, Bytes payload) {
  auto index = core->propose(kind, std::move(payload));
  if (auto* slot = std::get_if<ClientSlot>(&origin)) {
    auto& writes = writers[slot->client];
    ++writes.in_flight;
    if (index)
      writes.last = *index;
  }
  if (!index) {
    if (index.error() == raft::Refusal::overloaded)
      KIWI_MARK("write.refused_overloaded");
    if (index.error() == raft::Refusal::no_space)
      KIWI_MARK("write.refused_no_space");
    refuse(origin, refusal_of(index.error()));
    return;
  }
  wait_for(*index, std::move(origin));
}

void RaftState::wait_for(Index index, Origin origin) {
  // What an earlier leadership of this node left at or above it was cut from this log. Another node may still
  // have it, lead, and commit it: only a committed entry in its place would say that it was not done.
  while (!waiting.empty() && waiting.back().index >= index) {
    refuse(waiting.back().origin, AnswerKind::unknown);
    waiting.pop_back();
  }
  waiting.push_back(Waiting{index, core->term(), now_ticks, std::move(origin)});
}

void RaftState::write_ended(const ClientSlot& slot) {
  if (!slot.write)
    return;
  auto writes = writers.find(slot.client);
  KIWI_ASSERT(writes != writers.end() && writes->second.in_flight > 0, "a write ends once");
  if (--writes->second.in_flight == 0)
    writers.erase(writes);
}

void RaftState::read_for(Origin origin, Bytes payload) {
  if (reading.size() >= core->options().max_pending_reads) {
    refuse(origin, AnswerKind::overloaded);
    return;
  }
  Index own_last;  // rule 13: a read waits for its connection's earlier writes
  if (auto* slot = std::get_if<ClientSlot>(&origin)) {
    if (auto writes = writers.find(slot->client); writes != writers.end())
      own_last = writes->second.last;
  }
  auto token = next_token++;
  if (auto accepted = core->read(token, own_last); !accepted) {
    refuse(origin, refusal_of(accepted.error()));
    return;
  }
  reading.emplace_hint(reading.end(), token, Reading{now_ticks, std::move(origin), std::move(payload)});
}

void RaftState::stale_read_for(Origin origin, Bytes payload) {
  if (core->removed() && core->role() != raft::Role::leader) {
    refuse(origin, AnswerKind::removed);
    return;
  }
  if (!core->has_cluster() || !core->caught_up_once()) {
    refuse(origin, options.cluster ? AnswerKind::loading : AnswerKind::no_cluster);
    return;
  }
  if (reading.size() >= core->options().max_pending_reads) {
    refuse(origin, AnswerKind::overloaded);
    return;
  }
  auto token = next_token++;
  const bool follows = core->role() != raft::Role::leader;
  stale_reads.push_back({token, now_ticks, follows ? core->last_log_id().index : Index()});
  reading.emplace_hint(reading.end(), token, Reading{now_ticks, std::move(origin), std::move(payload)});
}

void RaftState::release_stale_reads() {
  constexpr std::uint64_t kMostTicks = 2;  // a leader that is idle tells of its last commit at its next tick
  std::vector<StateQuery> queries;
  for (; !stale_reads.empty(); stale_reads.pop_front()) {
    const auto& next = stale_reads.front();
    if (core->handed_out() < next.at && core->leader() && now_ticks <= next.since_tick + kMostTicks)
      break;
    if (auto found = reading.find(next.token); found != reading.end())
      queries.push_back(StateQuery{next.token, 0, found->second.payload});
  }
  if (!queries.empty())
    run_queries(std::move(queries), QueryKind::stale);
}

void RaftState::propose_tick() {
  if (tick_in_flight)
    return;
  if (auto index = core->propose(EntryKind::tick, {})) {
    KIWI_MARK("key.tick_proposed");
    tick_in_flight = true;
    wait_for(*index, OwnTick{});
    schedule_drive();
  }
}

void RaftState::run_queries(std::vector<StateQuery> queries, QueryKind kind) {
  // Stale ones ask for no round: they may come without end and must not hold up those that do.
  const bool counted = kind == QueryKind::linearizable;
  queries_out += counted ? 1 : 0;
  core->serving_reads(queries_out > 0);
  self->request(storage, caf::infinite, StateQueryBatch{{}, std::move(queries)})
      .then(
          [this, counted](StateAnswers& m) {
            KIWI_ASSERT(queries_out > 0 || !counted, "each batch of queries is answered once");
            queries_out -= counted ? 1 : 0;
            const bool round_may_begin = queries_out == 0 && core->round_waits();
            core->serving_reads(queries_out > 0);
            queries_answered(m);
            deliver_answers();
            if (round_may_begin)
              schedule_drive();
          },
          [this](const caf::error& e) { fail(e, StorageSubject::state_machine, StorageVerb::read); });
}

void RaftState::queries_answered(StateAnswers& m) {
  for (auto& a : m.answers) {
    auto read = reading.extract(a.token);
    if (read.empty())
      continue;  // given up meanwhile
    if (a.overloaded) {
      refuse(read.mapped().origin, AnswerKind::overloaded);
      continue;
    }
    ClientResponse response{m.applied, std::move(a.reply)};
    if (a.needs_tick_ms > applied_stamp_ms) {
      if (core->role() != raft::Role::leader) {
        refuse(read.mapped().origin, not_serving());
        continue;
      }
      KIWI_MARK("read.held");
      held.push_back(Held{a.needs_tick_ms, read.mapped().since_tick, std::move(read.mapped().origin),
                          std::move(response)});
      propose_tick();
    } else {
      answer(read.mapped().origin, std::move(response));
    }
  }
}

void RaftState::release_held(std::uint64_t stamp_ms) {
  auto due =
      std::stable_partition(held.begin(), held.end(), [&](const Held& h) { return h.stamp_ms > stamp_ms; });
  if (due != held.end())
    KIWI_MARK("read.released");
  for (auto h = due; h != held.end(); ++h) answer(h->origin, std::move(h->response));
  held.erase(due, held.end());
  if (!held.empty())
    propose_tick();
}

RaftState::Outbox& RaftState::outbox_for(const ClientSlot& slot) {
  auto [position, is_new] = outbox_of.try_emplace(slot.client, outbox.size());
  if (is_new)
    outbox.push_back(Outbox{slot.port, {}});
  return outbox[position->second];
}

void RaftState::answer(Origin& origin, ClientResponse response) {
  if (auto* slot = std::get_if<ClientSlot>(&origin)) {
    write_ended(*slot);
    outbox_for(*slot).answers.push_back(Answer{slot->slot, AnswerKind::done, std::move(response.reply), {}});
  } else if (auto* promise = std::get_if<caf::typed_response_promise<ClientResponse>>(&origin)) {
    promise->deliver(std::move(response));
  } else if (auto* marker = std::get_if<caf::typed_response_promise<Index>>(&origin)) {
    marker->deliver(response.index);
  } else if (auto* admin_call = std::get_if<caf::typed_response_promise<AdminAnswer>>(&origin)) {
    AdminAnswer done;
    done.index = response.index;
    admin_call->deliver(std::move(done));
  } else if (std::holds_alternative<OwnTick>(origin)) {
    tick_in_flight = false;
  }
}

void RaftState::refuse(Origin& origin, AnswerKind kind) {
  if (auto* slot = std::get_if<ClientSlot>(&origin)) {
    if (kind == AnswerKind::unknown)
      KIWI_MARK("write.unknown");
    write_ended(*slot);
    auto leader = kind == AnswerKind::not_leader ? leader_address() : NodeAddress{};
    outbox_for(*slot).answers.push_back(Answer{slot->slot, kind, {}, std::move(leader)});
  } else if (auto* promise = std::get_if<caf::typed_response_promise<ClientResponse>>(&origin)) {
    promise->deliver(to_caf_error(kind, leader_address()));
  } else if (auto* marker = std::get_if<caf::typed_response_promise<Index>>(&origin)) {
    marker->deliver(to_caf_error(kind, leader_address()));
  } else if (auto* admin_call = std::get_if<caf::typed_response_promise<AdminAnswer>>(&origin)) {
    AdminAnswer no;
    no.kind = kind;
    no.leader = kind == AnswerKind::not_leader ? leader_address() : NodeAddress{};
    admin_call->deliver(std::move(no));
  } else if (std::holds_alternative<OwnTick>(origin)) {
    tick_in_flight = false;
  }
}

AnswerKind RaftState::not_serving() const {
  if (stopping)
    return AnswerKind::stopping;
  if (!core->has_cluster() && !options.cluster)
    return AnswerKind::no_cluster;
  if (core->removed())
    return AnswerKind::removed;
  auto leader = core->leader();
  const bool known = leader && leader != options.id && leader_address().redis_port != 0;
  return known ? AnswerKind::not_leader : AnswerKind::no_leader;
}

AnswerKind RaftState::refusal_of(raft::Refusal refusal) const {
  switch (refusal) {
    case raft::Refusal::overloaded:
      return AnswerKind::overloaded;
    case raft::Refusal::too_large:
      return AnswerKind::too_large;
    case raft::Refusal::handing_over:
      return AnswerKind::handing_over;
    case raft::Refusal::no_space:
      return AnswerKind::no_space;
    case raft::Refusal::not_leader:
    case raft::Refusal::not_known_to_all:
      break;
  }
  return not_serving();
}

NodeAddress RaftState::leader_address() const {
  if (const auto* member = core->membership().find(core->leader()))
    return member->address;
  // It leads by a membership that this log does not hold yet.
  auto link = links.find(core->leader());
  return link != links.end() ? link->second.address : NodeAddress{};
}

void RaftState::give_up_old() {
  const std::uint64_t limit = options.request_timeout_ms / options.tick_ms + 1;
  auto old = [&](std::uint64_t since) { return since + limit < now_ticks; };
  auto forget = [&](Waiting& w) {
    auto origin = std::exchange(w.origin, std::monostate{});
    KIWI_MARK("write.timed_out");
    refuse(origin, KIWI_MUTANT(timeout_called_refusal) ? AnswerKind::overloaded : AnswerKind::unknown);
  };
  for (auto& batch : applying)
    for (auto& [i, w] : batch.waiting)
      if (old(w.since_tick))
        forget(w);
  for (auto& w : waiting) {
    if (!old(w.since_tick))
      break;
    forget(w);
  }
  while (!reading.empty() && old(reading.begin()->second.since_tick)) {
    refuse(reading.begin()->second.origin, AnswerKind::no_leader);  // reads have no effect: surely not done
    reading.erase(reading.begin());
  }
  auto late =
      std::stable_partition(held.begin(), held.end(), [&](const Held& h) { return !old(h.since_tick); });
  for (auto h = late; h != held.end(); ++h) refuse(h->origin, AnswerKind::no_leader);
  held.erase(late, held.end());
}

void RaftState::lost_leadership() {
  // What is committed will be applied here, and its reply is true; apply() compares terms. The rest is
  // unknown.
  // After a transfer the successor has all of it, and commits it within an election: then it is known here.
  // So too when this node was removed and hands over by itself; its successor goes on replicating to it.
  const bool handed_over = !transfers.empty() || !core->membership().is_voter(options.id);
  while (!waiting.empty() && waiting.back().index > core->commit() && !handed_over) {
    if (KIWI_MUTANT(answer_by_index))
      break;
    if (!KIWI_MUTANT(waiters_dropped))
      refuse(waiting.back().origin,
             KIWI_MUTANT(lost_leadership_as_refusal) ? not_serving() : AnswerKind::unknown);
    waiting.pop_back();
  }
  for (auto& h : std::exchange(held, {})) refuse(h.origin, not_serving());
}

void RaftState::give_up_all(AnswerKind writes, AnswerKind reads) {
  for (auto& batch : std::exchange(applying, {}))
    for (auto& [i, w] : batch.waiting) refuse(w.origin, writes);
  for (auto& w : std::exchange(waiting, {})) refuse(w.origin, writes);
  for (auto& [token, r] : std::exchange(reading, {})) refuse(r.origin, reads);
  stale_reads.clear();
  for (auto& h : std::exchange(held, {})) refuse(h.origin, reads);
}

void RaftState::deliver_answers() {
  const auto sent_us = outbox.empty() ? 0 : now_us();
  for (auto& box : outbox) self->send(box.port, Answers{std::move(box.answers), sent_us});
  outbox.clear();
  outbox_of.clear();
}

}  // namespace kiwi
