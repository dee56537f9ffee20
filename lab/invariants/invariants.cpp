#include "lab/invariants/invariants.hpp"

#include <algorithm>
#include <utility>

#include "lab/invariants/resource_checks.hpp"

namespace kiwi::lab::invariants {

namespace {

/// Windows and memory are looked at once in this many steps: they need a walk over the followers.
constexpr std::uint64_t kMemoryEvery = 16;

/// A follower has no reason to keep more of the log than twice its limit and this, for so long: faults that
/// hold up its data database are shorter.
constexpr std::uint64_t kPurgeSlack = 64;
constexpr std::uint64_t kPurgeTicks = 400;

class Inside final : public CoreInside {
 public:
  explicit Inside(const raft::Core& core) : core_(core) {}
  std::optional<Term> term_at(Index index) const override { return core_.log().term_at(index); }
  std::vector<FollowerSeen> followers() const override {
    std::vector<FollowerSeen> all;
    for (const auto& f : core_.followers())
      all.push_back({f.id, f.match, f.inflight_appends, f.inflight_bytes});
    return all;
  }
  Index configuration() const override { return core_.change_status().configuration; }

 private:
  const raft::Core& core_;
};

bool heard_by_majority(const raft::Core& core) {
  NodeSet heard = bit(core.options().id);
  for (const auto& f : core.followers())
    if (f.recently_active)
      heard |= bit(f.id);
  return is_majority(heard, core.membership());
}

}  // namespace

Invariants::Invariants(std::set<Group> groups)
    : findings_(std::move(groups)),
      cores_(ledger_, findings_),
      logs_(ledger_, findings_, cores_),
      states_(ledger_, findings_),
      clients_(ledger_, findings_) {}

void Invariants::started(NodeId node, std::uint64_t life, const raft::Restored& found, InstanceId instance,
                         const std::string& digest) {
  const bool lost = ledger_.disk(node).harmed;
  // The log's checks first: they know what was durable, and then what is.
  unpurged_.erase(node);
  logs_.started(node, life, found, instance);
  ledger_.disk(node).data_durable = found.applied.index;
  cores_.started(node, found, lost);
  states_.started(node, found.applied.index, digest);
  if (!found.memberships.empty())
    clients_.voters(found.memberships.back().second);
}

void Invariants::ended(NodeId node) { clients_.node_gone(node); }

void Invariants::harmed(NodeId node, std::string_view verb) {
  logs_.harmed(node, verb);
  states_.harmed(node, verb);
}

void Invariants::core_stepped(NodeId node, const raft::Core& core, const NodeQueues& queues) {
  CoreSeen seen;
  seen.node = node;
  seen.role = core.role();
  seen.vote = core.vote();
  seen.purged = core.log().purged().index;
  seen.applied = core.applied();
  seen.commit = core.commit();
  seen.durable = core.durable();
  seen.last = core.last_log_id();
  seen.membership = &core.membership();
  seen.needs_snapshot = core.needs_snapshot();
  cores_.stepped(seen, Inside(core));
  if (seen.role == raft::Role::leader)
    clients_.leads(core.membership(), seen.commit);
  clients_.ticked(node, queues.ticks, queues.give_up);
  check_purged(core, queues.ticks);
  if (++steps_ % kMemoryEvery != 0)
    return;
  check_memory({node, core.role() == raft::Role::leader, core.log_bytes_in_memory(), core.uncommitted_bytes(),
                queues.reads, queues.log_calls, queues.state_calls},
               core.options(), findings_);
  if (core.role() == raft::Role::leader && !heard_by_majority(core))
    findings_.add(Check::leader_is_heard, name_of(node) + " leads in term " + to_string(core.term()) +
                                              " and has heard no majority for " +
                                              std::to_string(core.options().election_ticks_max) + " ticks");
  for (const auto& follower : Inside(core).followers())
    check_window(node, follower, core.options(), findings_);
}

void Invariants::check_purged(const raft::Core& core, std::uint64_t ticks) {
  const auto node = core.options().id;
  const auto kept =
      core.applied() > core.log().purged().index ? core.applied() - core.log().purged().index : 0;
  const auto most = 2 * core.options().compaction.keep_entries + kPurgeSlack;
  if (core.role() == raft::Role::leader || kept <= most) {
    unpurged_.erase(node);
    return;
  }
  const auto since = unpurged_.try_emplace(node, ticks).first->second;
  if (ticks > since + kPurgeTicks)
    findings_.add(Check::limits, name_of(node) + " has applied " + std::to_string(kept) +
                                     " entries that it has not purged, for " + std::to_string(ticks - since) +
                                     " ticks; it is to keep " +
                                     std::to_string(core.options().compaction.keep_entries));
}

void Invariants::leaving(NodeId from, NodeId to, const PeerMessage& message) {
  logs_.leaving(from, to, message);
}

void Invariants::log_call(NodeId node, std::uint64_t epoch, const LogWrite& call) {
  logs_.call(node, epoch, call);
}

void Invariants::log_waits(NodeId node, const LogStoreSeen& seen) {
  check_owners(node, seen.group, seen.promises, seen.calls, findings_);
}

void Invariants::log_flushed(NodeId node, const LogStoreSeen& seen) { logs_.flushed(node, seen); }

void Invariants::applied(NodeId node, const std::vector<Entry>& entries, const std::vector<Reply>& replies) {
  states_.applied(node, entries);
  clients_.applied(node, entries, replies);
}

void Invariants::queried(NodeId node, Index applied, const StateQuery& query, const StateAnswer& answer) {
  clients_.queried(node, applied, query, answer);
}

bool Invariants::wants_digest(NodeId, Index applied) { return StateChecks::wants_digest(applied); }

void Invariants::digest(NodeId node, const StateDigest& digest, bool flushing) {
  states_.digest(node, digest, flushing);
}

void Invariants::flushed(NodeId node, Index durable) {
  auto& known = ledger_.disk(node).data_durable;
  known = std::max(known, durable);
}

void Invariants::installing(NodeId node, LogId snapshot) { states_.installing(node, snapshot); }

void Invariants::installed(NodeId node, LogId snapshot) {
  ledger_.disk(node).data_durable = snapshot.index;
  states_.installed(node, snapshot);
}

void Invariants::asked(ConnectionId connection, NodeId node) { clients_.asked(connection, node); }

void Invariants::submitted(ConnectionId connection, NodeId node, const ClientCommand& command) {
  clients_.submitted(connection, node, command);
}

void Invariants::answered(ConnectionId connection, NodeId node, const Answer& answer) {
  clients_.answered(connection, node, answer);
}

void Invariants::replied(ConnectionId connection, const Reply& reply) { clients_.replied(connection, reply); }

void Invariants::gone(ConnectionId connection) { clients_.gone(connection); }

}  // namespace kiwi::lab::invariants
