#include "tests/unit/lab/invariants/scene.hpp"

#include "lab/invariants/texts.hpp"

#include <utility>

namespace kiwi::lab::invariants::test {

Entry entry(std::uint64_t term, std::uint64_t index, std::string payload) {
  Entry e;
  e.id = {Term(term), Index(index)};
  e.kind = EntryKind::command;
  e.stamp_ms = 1000 + index;
  e.payload = Bytes(payload.empty() ? to_string(e.id) : std::move(payload));
  return e;
}

Scene::Scene() {
  membership = membership_of({{n1, {}}, {n2, {}}, {n3, {}}});
  clients.voters(membership);
  for (auto node : {n1, n2, n3}) {
    core(node).seen.node = node;
    core(node).seen.membership = &membership;
    restart(node);
    step(node);
  }
}

void Scene::vote(NodeId node, std::uint64_t term, NodeId whom) {
  LogWrite call;
  call.has_vote = true;
  call.vote = {Term(term), whom};
  give(node, call);
  sync(node);
}

void Scene::give(NodeId node, std::vector<Entry> entries, Index truncate_from) {
  LogWrite call;
  call.entries = std::move(entries);
  call.truncate_from = truncate_from;
  give(node, call);
}

void Scene::give(NodeId node, LogWrite call) {
  call.stamp = {lives_[node], ++sequences_[node]};
  call.write = ++writes_[node];
  logs.call(node, lives_[node], call);
}

void Scene::sync(NodeId node, LogStoreSeen seen) {
  auto& disk = ledger.disk(node);
  if (!seen.last.index) {
    // What an honest store says: the end of the last call with entries.
    seen.last = {disk.term_at(disk.last()).value_or(Term{}), disk.last()};
    for (const auto& step : disk.put_aside)
      if (!step.terms.empty())
        seen.last = {step.terms.back(), step.first + step.terms.size() - 1};
  }
  logs.flushed(node, seen);
}

raft::Restored Scene::found(NodeId node) {
  const auto& disk = ledger.disk(node);
  raft::Restored r;
  r.vote = disk.vote;
  for (Index i(1); i <= disk.last(); ++i) {
    const auto term = *disk.term_at(i);
    if (r.runs.empty() || r.runs.back().term != term)
      r.runs.push_back({term, i});
    r.last = {term, i};
  }
  r.memberships.emplace_back(LogId{}, membership);
  return r;
}

void Scene::restart(NodeId node, const raft::Restored& with, InstanceId instance) {
  sequences_[node] = writes_[node] = 0;
  const bool lost = ledger.disk(node).harmed;
  logs.started(node, ++lives_[node], with, instance);
  cores.started(node, with, lost);
  auto& c = core(node);
  c.log = terms_of(with);
  c.seen.role = raft::Role::follower;
  c.seen.vote = with.vote;
  c.seen.commit = c.seen.applied = with.applied.index;
  c.seen.last = with.last;
  c.seen.durable = with.last.index;
}

void Scene::step(NodeId node) {
  auto& c = core(node);
  c.seen.last = c.log.empty() ? LogId{} : LogId{c.log.back(), Index(c.log.size())};
  cores.stepped(c.seen, c);
}

void Scene::elect(NodeId node, std::uint64_t term, NodeId other) {
  auto& c = core(node);
  c.seen.role = raft::Role::candidate;
  c.seen.vote = {Term(term), node};
  step(node);
  vote(node, term, node);
  vote(other, term, node);
  core(other).seen.role = raft::Role::follower;
  core(other).seen.vote = {Term(term), node};
  step(other);
  c.seen.role = raft::Role::leader;
  c.others.clear();
  for (auto n : {n1, n2, n3})
    if (n != node)
      c.others.push_back({n, Index(0), 0, 0});
  step(node);
}

Entry Scene::replicate(NodeId leader, std::uint64_t term, const std::vector<NodeId>& others) {
  auto& c = core(leader);
  c.log.push_back(Term(term));
  const Index index(c.log.size());
  const auto made = entry(term, index.value);
  step(leader);
  write(leader, {made});
  c.seen.durable = index;
  step(leader);
  for (auto other : others) {
    auto& o = core(other);
    std::vector<Entry> missing;
    while (o.log.size() + 1 < index.value) {
      o.log.push_back(c.log[o.log.size()]);
      missing.push_back(entry(o.log.back().value, o.log.size()));
    }
    o.log.push_back(Term(term));
    missing.push_back(made);
    o.seen.role = raft::Role::follower;
    if (o.seen.vote.term != Term(term))
      o.seen.vote = {Term(term), NodeId{}};
    step(other);
    write(other, std::move(missing));
    o.seen.durable = index;
    step(other);
    ledger.note_ack(other, leader, Term(term), index);
    for (auto& f : c.others)
      if (f.node == other)
        f.match = index;
  }
  return made;
}

void Scene::commit(NodeId node, std::uint64_t index) {
  core(node).seen.commit = Index(index);
  step(node);
}

}  // namespace kiwi::lab::invariants::test
