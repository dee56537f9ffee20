#include "raft_world.hpp"

#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

namespace kiwi::test {

Member member(std::uint64_t id) {
  auto port = static_cast<std::uint16_t>(7000 + id);
  return {NodeId(id), {"10.0.0." + std::to_string(id), port, static_cast<std::uint16_t>(port + 10000)}};
}

RaftWorld::RaftWorld(RaftSetup setup) {
  ReplicaStart start;
  auto& options = start.options;
  options.id = NodeId(1);
  options.instance = kInstance;
  options.address = member(1).address;
  options.cluster_token = "token";
  options.raft = setup.raft;
  options.raft.id = NodeId(1);
  options.tick_ms = kTickMs;
  options.request_timeout_ms = setup.request_timeout_ms;
  options.unix_clock_ms = [this] { return world.now_ms(); };
  options.log = std::make_shared<spdlog::logger>("raft", std::make_shared<spdlog::sinks::null_sink_mt>());
  options.make_peer = [this](const Member& peer, const Hello& own, const ReplicaActor&) {
    auto& stub = world.stub();
    peers_[peer.id.value] = &stub;
    hellos_[peer.id.value] = own;
    return stub.as<PeerActor>();
  };
  start.restored = std::move(setup.restored);
  if (setup.nodes > 0) {
    options.cluster = kCluster;
    std::vector<Member> members;
    for (std::uint64_t id = 1; id <= setup.nodes; ++id) members.push_back(member(id));
    start.restored.memberships.emplace_back(LogId{}, membership_of(members));
  }
  applied = start.restored.applied;
  log = std::move(setup.log);
  start.bindings = std::move(setup.bindings);
  start.storage = storage.as<StorageActor>();
  raft = world.watch(spawn_raft(world.system(), std::move(start)));
  run();
}

// --- Storage

void RaftWorld::answer_write(Call& call) {
  const auto& write = call.as<LogWrite>();
  if (write.truncate_from)
    std::erase_if(log, [&](const Entry& e) { return e.id.index >= write.truncate_from; });
  log.insert(log.end(), write.entries.begin(), write.entries.end());
  storage.reply(call, LogWritten{write.stamp, write.write, log.empty() ? LogId{} : log.back().id});
}

void RaftWorld::answer_apply(Call& call) {
  const auto& batch = call.as<ApplyBatch>();
  Applied answer;
  answer.stamp = batch.stamp;
  for (const auto& entry : batch.entries) {
    if (entry.id.index != applied.index + 1)
      throw std::logic_error("entries are applied out of order");
    applied = entry.id;
    applied_stamp_ms_ = std::max(applied_stamp_ms_, entry.stamp_ms);
    answer.replies.push_back(entry.kind == EntryKind::command ? did(entry.payload.str()) : Reply::nil());
  }
  answer.applied = applied;
  answer.stamp_ms = applied_stamp_ms_;
  answer.next_deadline_ms = next_deadline_ms;
  storage.reply(call, std::move(answer));
}

void RaftWorld::answer_query(Call& call) {
  const auto& batch = call.as<StateQueryBatch>();
  StateAnswers answer;
  answer.stamp = batch.stamp;
  answer.applied = applied.index;
  for (const auto& query : batch.queries)
    answer.answers.push_back({query.token, needs_tick(query), saw(query.payload.str(), applied.index.value)});
  storage.reply(call, std::move(answer));
}

void RaftWorld::write_one() {
  answer_write(storage.next<LogWrite>());
  run();
}
void RaftWorld::apply_one() {
  answer_apply(storage.next<ApplyBatch>());
  run();
}
void RaftWorld::query_one() {
  answer_query(storage.next<StateQueryBatch>());
  run();
}

void RaftWorld::note_machine_calls() {
  for (; noted_ < storage.calls().size(); ++noted_) {
    auto& call = storage.calls()[noted_];
    if (call.is<ApplyBatch>())
      for (const auto& entry : call.as<ApplyBatch>().entries) {
        auto line = "apply " + to_string(entry.id.index);
        if (!entry.payload.empty())
          line += " " + entry.payload.str();
        machine_calls.push_back(std::move(line));
      }
    else if (call.is<StateQueryBatch>())
      for (const auto& query : call.as<StateQueryBatch>().queries)
        machine_calls.push_back("query " + query.payload.str());
  }
}

void RaftWorld::serve_storage() {
  note_machine_calls();
  // The machine answers in order, so the first held call holds back what is behind it.
  bool machine_held = false;
  for (auto& call : storage.calls()) {
    bool of_machine = call.is<ApplyBatch>() || call.is<StateQueryBatch>();
    if (call.answered || (of_machine && machine_held))
      continue;
    if (call.is<LogWrite>() && !hold_writes)
      answer_write(call);
    else if (call.is<ApplyBatch>() && !hold_applies)
      answer_apply(call);
    else if (call.is<StateQueryBatch>() && !hold_queries)
      answer_query(call);
    else if (of_machine)
      machine_held = true;
  }
}

// --- Time

void RaftWorld::run() {
  auto unanswered = [&] {
    return std::count_if(storage.calls().begin(), storage.calls().end(),
                         [](const Call& c) { return !c.answered; });
  };
  world.run();
  while (!storage.dead()) {
    auto before = unanswered();
    serve_storage();
    bool nothing_done = unanswered() == before;
    world.run();
    if (nothing_done && unanswered() == before)
      break;
  }
  note_machine_calls();
}

void RaftWorld::ticks(int n) {
  for (int i = 0; i < n; ++i) {
    world.advance(kTickMs);
    run();
  }
}

void RaftWorld::lead() {
  for (int i = 0; i < 200 && !status().leader_ready; ++i) {
    ticks(1);
    for (int round = 0; round < 4; ++round) serve_all();
  }
  if (!status().leader_ready)
    throw std::logic_error("this node does not become leader");
  for (auto& [id, unused] : peers_) {
    serve(id);
    collect(id);
    inbox_[id].clear();
  }
  machine_calls.clear();
}

// --- Peers

void RaftWorld::collect(std::uint64_t id) {
  for (auto& batch : peers_.at(id)->take<ToPeer>())
    for (auto& message : batch.messages) inbox_[id].push_back(std::move(message));
}

void RaftWorld::from(std::uint64_t id, PeerMessage message) {
  FromPeer batch;
  batch.from = NodeId(id);
  batch.messages.push_back(std::move(message));
  world.tell(raft, std::move(batch));
}

void RaftWorld::serve(std::uint64_t id) {
  collect(id);
  auto clock = peer_clock_ms.contains(id) ? peer_clock_ms[id] : world.now_ms();
  for (auto& message : std::exchange(inbox_[id], {})) {
    if (auto* vote = std::get_if<VoteRequest>(&message)) {
      from(id, VoteResponse{vote->term, vote->pre_vote, true, vote->round});
    } else if (auto* append = std::get_if<AppendRequest>(&message)) {
      AppendResponse answer;
      answer.term = append->term;
      answer.success = true;
      answer.match = append->previous.index + append->entries.size();
      answer.round = append->round;
      answer.sequence = append->sequence;
      answer.clock_ms = clock;
      from(id, answer);
    } else if (auto* beat = std::get_if<HeartbeatRequest>(&message)) {
      HeartbeatResponse answer{beat->term, beat->round, clock};
      answer.formats = kKnownFormats;
      from(id, answer);
    }
  }
  run();
}

void RaftWorld::serve_all() {
  for (auto& [id, unused] : peers_) serve(id);
}

// --- Clients

void RaftWorld::submit(std::uint64_t client, std::vector<Command> commands) {
  if (!clients_.contains(client))
    clients_[client] = &world.stub();
  Submit batch;
  batch.client = client;
  batch.port = clients_[client]->as<ClientPort>();
  for (auto& command : commands)
    batch.commands.push_back({next_slot_[client]++, command.mode, text(command.payload)});
  world.tell(raft, std::move(batch));
  run();
}

std::vector<Answer> RaftWorld::answers(std::uint64_t client) {
  std::vector<Answer> all;
  for (auto* call : clients_.at(client)->calls_of<Answers>())
    for (const auto& answer : call->as<Answers>().answers) all.push_back(answer);
  return all;
}

std::map<std::uint64_t, AnswerKind> RaftWorld::kinds(std::uint64_t client) {
  std::map<std::uint64_t, AnswerKind> by_slot;
  for (const auto& answer : answers(client))
    if (!by_slot.emplace(answer.slot, answer.kind).second)
      throw std::logic_error("slot " + std::to_string(answer.slot) + " was answered twice");
  return by_slot;
}

Question<ClientResponse> RaftWorld::propose(const std::string& payload) {
  auto question = world.ask<ClientResponse>(raft, Propose{text(payload)});
  run();
  return question;
}

Question<ClientResponse> RaftWorld::query(const std::string& payload, bool stale) {
  auto question = world.ask<ClientResponse>(raft, Query{text(payload), stale});
  run();
  return question;
}

NodeStatus RaftWorld::status() {
  auto question = world.ask<StatusPtr>(raft, StatusRequest{false});
  world.run();
  return *question.reply();
}

}  // namespace kiwi::test
