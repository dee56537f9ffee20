#include "lab/invariants/client_checks.hpp"

#include <algorithm>
#include <string>

#include "lab/invariants/core_checks.hpp"
#include "lab/invariants/texts.hpp"

namespace kiwi::lab::invariants {

namespace {
/// What an answer may take beyond the node's own limit: its actors may be starved for seconds.
constexpr std::uint64_t kPatienceTicks = 400;

std::string place_of(ConnectionId connection, std::uint64_t slot) {
  return "connection " + std::to_string(connection) + ", command " + std::to_string(slot);
}

bool is_refusal(AnswerKind kind) { return kind != AnswerKind::done && kind != AnswerKind::unknown; }
}  // namespace

void ClientChecks::node_gone(NodeId node) { nodes_.erase(node); }

void ClientChecks::asked(ConnectionId connection, NodeId node) {
  auto& c = connections_[connection];
  c.node = node;
  ++c.asked;
}

ClientChecks::Slot* ClientChecks::slot_of(ConnectionId connection, std::uint64_t slot) {
  const auto found = connections_.find(connection);
  if (found == connections_.end() || slot < found->second.first)
    return nullptr;
  auto& c = found->second;
  if (slot - c.first >= c.asked - c.first)
    return nullptr;
  if (slot - c.first >= c.slots.size())
    c.slots.resize(slot - c.first + 1);
  return &c.slots[slot - c.first];
}

void ClientChecks::submitted(ConnectionId connection, NodeId node, const ClientCommand& command) {
  auto* slot = slot_of(connection, command.slot);
  if (slot == nullptr || slot->submitted) {
    if (connections_.contains(connection))
      findings_.add(Check::one_reply_in_order,
                    place_of(connection, command.slot) + " is submitted at " + name_of(node) +
                        (slot == nullptr ? ", but was never sent or has its reply" : " a second time"));
    return;
  }
  slot->submitted = true;
  slot->mode = command.mode;
  slot->payload = hash_of(command.payload.view());
  slot->floor = ledger_.committed();
  auto& n = nodes_[node];
  if (command.mode == CommandMode::stale_read)
    return;
  ++(command.mode == CommandMode::write ? n.writes : n.reads)[slot->payload].waiting;
  if (command.mode == CommandMode::write)
    ++submitted_[slot->payload].times;
  n.waiting.push_back({connection, command.slot, n.ticks});
}

void ClientChecks::settle(Node& node, const Slot& slot) {
  if (slot.mode == CommandMode::stale_read)
    return;
  auto& pool = slot.mode == CommandMode::write ? node.writes : node.reads;
  const auto found = pool.find(slot.payload);
  if (found != pool.end() && --found->second.waiting == 0)
    pool.erase(found);
}

void ClientChecks::answered(ConnectionId connection, NodeId node, const Answer& answer) {
  auto* slot = slot_of(connection, answer.slot);
  if (!connections_.contains(connection))
    return;
  if (slot == nullptr || !slot->submitted || slot->answered) {
    findings_.add(
        Check::one_reply_in_order,
        place_of(connection, answer.slot) + " is answered by " + name_of(node) +
            (slot != nullptr && slot->answered ? " a second time" : ", but nothing was asked there"));
    return;
  }
  slot->answered = true;
  slot->kind = answer.kind;
  slot->reply = hash_of(answer.reply);
  if (answer.kind == AnswerKind::done)
    done(connection, node, answer.slot, *slot);
  else if (is_refusal(answer.kind))
    refused(*slot);
  settle(nodes_[node], *slot);
}

void ClientChecks::done(ConnectionId connection, NodeId node, std::uint64_t number, const Slot& slot) {
  if (slot.mode == CommandMode::stale_read)
    return;
  auto& n = nodes_[node];
  const bool write = slot.mode == CommandMode::write;
  auto& effects = (write ? n.writes : n.reads)[slot.payload].effects;
  // Equal commands with equal replies cannot be told apart. Equal writes are exchangeable. Of equal reads
  // each takes the oldest state that was new enough for it: if any assignment is right, this one is.
  const auto floor = write ? Index(0) : slot.floor;
  auto best = effects.end();
  for (auto e = effects.begin(); e != effects.end(); ++e) {
    if (e->reply != slot.reply)
      continue;
    const bool fits = best != effects.end() && best->index >= floor;
    if (best == effects.end() ||
        (e->index >= floor ? !fits || e->index < best->index : !fits && e->index > best->index))
      best = e;
  }
  if (best == effects.end()) {
    findings_.add(
        Check::reply_after_apply,
        place_of(connection, number) + " is told by " + name_of(node) + " that its " +
            (write ? "write" : "read") + " is done, but " +
            (effects.empty() ? "nothing like it was " : "what was applied gave another reply: nothing was ") +
            (write ? "applied there" : "read there"));
    return;
  }
  const auto index = best->index;
  effects.erase(best);
  if (!write) {
    if (index < slot.floor)
      findings_.add(Check::read_after_commit, place_of(connection, number) + " reads at " + name_of(node) +
                                                  " the state of index " + to_string(index) + ", but " +
                                                  to_string(slot.floor) +
                                                  " was committed before it was asked");
    return;
  }
  const auto* committed = ledger_.committed_at(index);
  const auto holders = committed == nullptr ? NodeSet{0} : ledger_.holders(index, committed->term);
  if (!is_enough(holders, index))
    findings_.add(Check::acknowledged_is_durable,
                  place_of(connection, number) + " is told by " + name_of(node) +
                      " that its write at index " + to_string(index) +
                      " is done, but that is on the synced logs of " + list_of(holders) + " only");
}

/// By the membership that was counted by when the index was committed: the one before it or the one after, as
/// a leader commits several at once. What was committed when a membership came was counted by the one before
/// it.
bool ClientChecks::is_enough(NodeSet holders, Index index) const {
  const auto enough = [&](const auto& known) {
    return known.second.voters.empty() || is_majority(holders, known.second);
  };
  const auto after = std::find_if(memberships_.begin(), memberships_.end(),
                                  [&](const auto& known) { return known.first >= index; });
  if (after != memberships_.begin() && enough(*(after - 1)))
    return true;
  return memberships_.empty() || (after != memberships_.end() && enough(*after));
}

void ClientChecks::leads(const Membership& membership, Index commit) {
  if (!memberships_.empty() &&
      (commit <= memberships_.back().first || memberships_.back().second == membership))
    return;
  memberships_.emplace_back(commit, membership);
}

void ClientChecks::refused(const Slot& slot) {
  if (slot.mode != CommandMode::write)
    return;
  auto& all = submitted_[slot.payload];
  ++all.refused;
  if (all.times == all.refused && all.applied > 0)
    findings_.add(Check::every_operation_ends,
                  "a write is refused, but was applied as entry " + to_string(all.last));
}

void ClientChecks::replied(ConnectionId connection, const Reply& reply) {
  const auto found = connections_.find(connection);
  if (found == connections_.end())
    return;
  auto& c = found->second;
  const auto number = c.replied++;
  if (number >= c.asked) {
    findings_.add(Check::one_reply_in_order,
                  "connection " + std::to_string(connection) + " to " + name_of(c.node) + " gets reply " +
                      std::to_string(number + 1) + ", but asked " + std::to_string(c.asked) + " times");
    return;
  }
  if (!c.slots.empty()) {
    const auto slot = c.slots.front();
    c.slots.pop_front();
    if (slot.submitted && !slot.answered)
      findings_.add(Check::one_reply_in_order,
                    place_of(connection, number) + " has its reply, but its answer is not there yet");
    else if (slot.submitted &&
             (slot.kind == AnswerKind::done ? hash_of(reply) != slot.reply : !reply.is_error()))
      findings_.add(Check::one_reply_in_order, place_of(connection, number) + " gets the reply '" +
                                                   reply.text.str() + "' (" + std::to_string(reply.integer) +
                                                   "), which is not the one that " + name_of(c.node) +
                                                   " gave to this command");
  }
  ++c.first;
}

void ClientChecks::gone(ConnectionId connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end())
    return;
  for (const auto& slot : found->second.slots)
    if (slot.submitted && !slot.answered)
      if (auto node = nodes_.find(found->second.node); node != nodes_.end())
        settle(node->second, slot);
  connections_.erase(found);
}

void ClientChecks::applied(NodeId node, const std::vector<Entry>& entries,
                           const std::vector<Reply>& replies) {
  auto& n = nodes_[node];
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& entry = entries[i];
    if (entry.kind != EntryKind::command)
      continue;
    const auto* record = ledger_.find(entry.id.index, entry.id.term);
    const auto payload = record != nullptr ? record->payload : hash_of(entry.payload.view());
    if (const auto known = submitted_.find(payload); known != submitted_.end()) {
      auto& all = known->second;
      all.applied += all.last < entry.id.index ? 1 : 0;
      all.last = std::max(all.last, entry.id.index);
      if (all.times == all.refused)
        findings_.add(Check::every_operation_ends, name_of(node) + " applies " + to_string(entry.id) +
                                                       ", a write that its only client was refused");
    }
    const auto expected = n.writes.find(payload);
    if (expected != n.writes.end() && i < replies.size())
      expected->second.effects.push_back({entry.id.index, hash_of(replies[i])});
  }
}

void ClientChecks::queried(NodeId node, Index applied, const StateQuery& query, const StateAnswer& answer) {
  auto& reads = nodes_[node].reads;
  const auto expected = reads.find(hash_of(query.payload.view()));
  if (expected != reads.end() && !answer.overloaded)
    expected->second.effects.push_back({applied, hash_of(answer.reply)});
}

void ClientChecks::ticked(NodeId node, std::uint64_t ticks, std::uint64_t give_up) {
  auto& n = nodes_[node];
  n.ticks = ticks;
  while (!n.waiting.empty()) {
    const auto& oldest = n.waiting.front();
    const auto connection = connections_.find(oldest.connection);
    const auto* slot = connection == connections_.end() ? nullptr : slot_of(oldest.connection, oldest.slot);
    if (slot != nullptr && !slot->answered) {
      if (oldest.since + give_up + kPatienceTicks >= ticks)
        return;
      findings_.add(Check::every_operation_ends, place_of(oldest.connection, oldest.slot) +
                                                     " has no answer of " + name_of(node) + " after " +
                                                     std::to_string(ticks - oldest.since) +
                                                     " ticks; it gives up after " + std::to_string(give_up));
    }
    n.waiting.pop_front();
  }
}

}  // namespace kiwi::lab::invariants
