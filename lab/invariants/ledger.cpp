#include "lab/invariants/ledger.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "lab/chance.hpp"
#include "lab/world/trace.hpp"
#include "messages/assert.hpp"

namespace kiwi::lab::invariants {

NodeSet bit(NodeId node) {
  KIWI_ASSERT(node.value >= 1 && node.value <= 64, "the nodes of a world are 1 to 64");
  return NodeSet{1} << (node.value - 1);
}

std::string name_of(NodeId node) { return "n" + to_string(node); }

std::uint64_t hash_of(std::string_view bytes) { return Trace::hash_bytes(bytes); }

std::uint64_t hash_of(const Entry& entry) {
  return mix(hash_of(entry.payload.view()) ^ mix(entry.stamp_ms)) ^ static_cast<std::uint64_t>(entry.kind);
}

/// Equal for a reply and for what a RESP2 client reads of it.
std::uint64_t hash_of(const Reply& reply) {
  using Type = Reply::Type;
  auto seen = reply.type;
  auto integer = reply.integer;
  if (seen == Type::nil_array)
    seen = Type::nil;
  if (seen == Type::number || seen == Type::verbatim)
    seen = Type::bulk;
  if (seen == Type::map || seen == Type::set)
    seen = Type::array;
  if (seen == Type::boolean)
    seen = Type::integer, integer = integer != 0 ? 1 : 0;
  auto hash = mix(static_cast<std::uint64_t>(seen));
  if (seen == Type::integer)
    hash = mix(hash ^ static_cast<std::uint64_t>(integer));
  hash = mix(hash ^ hash_of(reply.text.view()));
  for (const auto& element : reply.elements) hash = mix(hash ^ hash_of(element));
  return hash;
}

EntryRecord& Ledger::record(const Entry& entry, Term previous, bool& is_new) {
  KIWI_ASSERT(entry.id.index.value > 0, "there is no entry 0");
  while (slots_.size() < entry.id.index.value) slots_.emplace_back();
  if (auto* known = find(entry.id.index, entry.id.term)) {
    is_new = false;
    return *known;
  }
  is_new = true;
  EntryRecord made;
  made.term = entry.id.term;
  made.previous = previous;
  made.kind = entry.kind;
  made.stamp_ms = entry.stamp_ms;
  made.hash = hash_of(entry);
  made.payload = hash_of(entry.payload.view());
  auto& slot = slots_[entry.id.index.value - 1];
  if (!slot.first)
    return slot.first.emplace(made);
  slot.more.push_back(made);
  return slot.more.back();
}

EntryRecord* Ledger::find(Index index, Term term) {
  return const_cast<EntryRecord*>(std::as_const(*this).find(index, term));
}

const EntryRecord* Ledger::find(Index index, Term term) const {
  if (!index || index.value > slots_.size())
    return nullptr;
  const auto& slot = slots_[index.value - 1];
  if (slot.first && slot.first->term == term)
    return &*slot.first;
  for (const auto& other : slot.more)
    if (other.term == term)
      return &other;
  return nullptr;
}

void Ledger::settle(NodeId node, const LogStep& step) {
  auto& disk = disks_[node];
  auto cut = [&](Index from) {
    while (!disk.terms.empty() && disk.last() >= from) {
      if (auto* gone = find(disk.last(), disk.terms.back()))
        gone->durable &= ~bit(node);
      disk.terms.pop_back();
    }
  };
  if (step.reset_to.index) {
    cut(disk.purged + 1);
    hold_committed(node, disk.purged + 1, step.reset_to.index);
    disk.purged = step.reset_to.index;
    disk.purged_term = step.reset_to.term;
  }
  if (step.truncate_from)
    cut(step.truncate_from);
  auto index = step.first;
  for (auto term : step.terms) {
    cut(index);
    disk.terms.push_back(term);
    if (auto* entry = find(index, term)) {
      entry->durable |= bit(node);
      entry->ever |= bit(node);
    }
    ++index;
  }
  if (step.has_vote)
    disk.vote = step.vote;
  if (step.purge_to > disk.purged) {
    // Their effects are in the data database: they count as held.
    const auto to = std::min(step.purge_to, disk.last());
    disk.purged_term = disk.term_at(to).value_or(Term{});
    disk.terms.erase(disk.terms.begin(), disk.terms.begin() + static_cast<std::ptrdiff_t>(to - disk.purged));
    disk.purged = to;
  }
}

void Ledger::hold_committed(NodeId node, Index from, Index to) {
  for (auto index = from; index <= to && index <= committed(); ++index) {
    if (auto* entry = find(index, committed_at(index)->term)) {
      entry->durable |= bit(node);
      entry->ever |= bit(node);
    }
  }
}

NodeSet Ledger::votes_for(NodeId candidate, Term term) const {
  const auto found = grants_.find({candidate, term});
  auto voters = found == grants_.end() ? NodeSet{0} : found->second;
  for (const auto& [node, disk] : disks_)
    if (vote_of(node, term) == candidate)
      voters |= bit(node);
  return voters;
}

void Ledger::note_ack(NodeId follower, NodeId leader, Term term, Index match) {
  auto& [latest, highest] = acks_[{follower, leader}];
  if (term > latest)
    highest = Index(0);
  if (term >= latest) {
    latest = term;
    highest = std::max(highest, match);
  }
}

Index Ledger::acknowledged(NodeId follower, NodeId leader, Term term) const {
  const auto found = acks_.find({follower, leader});
  return found == acks_.end() || found->second.first != term ? Index(0) : found->second.second;
}

void Ledger::clear_disk(NodeId node) {
  auto& disk = disks_[node];
  LogStep all;
  all.truncate_from = disk.purged + 1;
  settle(node, all);
  disk = {};
  std::erase_if(votes_, [&](const auto& vote) { return vote.first.first == node; });
}

void Ledger::reset_disk(NodeId node, Vote vote, LogId purged, std::vector<Term> terms) {
  auto& disk = disks_[node];
  LogStep front;
  if (purged.index > disk.purged && disk.term_at(purged.index) == purged.term) {
    front.purge_to = purged.index;
    settle(node, front);
  } else if (purged.index != disk.purged) {
    front.truncate_from = disk.purged + 1;
    settle(node, front);
    hold_committed(node, Index(1), purged.index);
    disk.purged = purged.index;
  }
  disk.purged_term = purged.term;
  Index same = disk.purged;
  while (same < disk.last() && same - purged.index < terms.size() &&
         disk.terms[same - purged.index] == terms[same - purged.index])
    ++same;
  LogStep change;
  change.truncate_from = same + 1;
  change.first = same + 1;
  change.terms.assign(terms.begin() + static_cast<std::ptrdiff_t>(same - purged.index), terms.end());
  change.has_vote = true;
  change.vote = vote;
  settle(node, change);
  disk.put_aside.clear();
  disk.uncertain.clear();
}

NodeSet Ledger::holders(Index index, Term term) const {
  const auto* entry = find(index, term);
  if (entry == nullptr)
    return 0;
  auto nodes = entry->durable;
  for (const auto& [node, disk] : disks_)
    if (disk.harmed)
      nodes |= entry->ever & bit(node);
  return nodes;
}

NodeId Ledger::vote_of(NodeId node, Term term) const {
  const auto found = votes_.find({node, term});
  return found == votes_.end() ? NodeId{} : found->second;
}

bool Ledger::note_vote(NodeId node, Vote vote) {
  if (!vote.voted_for)
    return true;
  const auto [at, is_new] = votes_.try_emplace({node, vote.term}, vote.voted_for);
  return is_new || at->second == vote.voted_for;
}

const CommittedRecord* Ledger::committed_at(Index index) const {
  return index && index <= committed() ? &committed_[index.value - 1] : nullptr;
}

}  // namespace kiwi::lab::invariants
