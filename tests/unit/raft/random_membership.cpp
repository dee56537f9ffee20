// The operator in the storm: changes of membership and transfers at any moment, at any node that believes to
// lead.

#include <algorithm>

#include "messages/codec.hpp"
#include "tests/unit/raft/random_world.hpp"

namespace kiwi::raft {

/// The newest committed one.
Membership RandomWorld::members() const {
  Membership m = checker_.membership_at(Index(checker_.history().size())).second;
  return m.members.empty() ? first_ : m;
}

/// A node that may be added: it is started, and may be half-way in already.
std::optional<NodeId> RandomWorld::spare(const SimNode& leader) {
  const Membership& now = leader.core().membership();
  for (std::size_t i = initial_; i < nodes_.size(); ++i) {
    const NodeId id(i + 1);
    if (now.is_voter(id) || now.was_removed(id) || members().was_removed(id))
      continue;
    if (!nodes_[i]->up())
      start(i);
    return id;
  }
  return std::nullopt;
}

void RandomWorld::admin() {
  using Kind = MembershipChange::Kind;
  std::vector<std::size_t> leaders;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i]->up() && nodes_[i]->core().role() == Role::leader)
      leaders.push_back(i);
  if (leaders.empty())
    return;
  const std::size_t at = leaders[random(leaders.size())];
  SimNode& n = *nodes_[at];
  const Membership now = n.core().membership();
  const auto any = [&](const std::vector<NodeId>& ids) { return ids[random(ids.size())]; };
  MembershipChange change;
  const std::uint64_t what = random(10);
  if (what >= 8) {
    const bool ok = [&] {
      bool accepted = false;
      n.turn([&](Core& core) {
        accepted = core.transfer_leadership(random(3) == 0 ? NodeId(0) : any(now.voters)).has_value();
      });
      return accepted;
    }();
    figures_.transfers += ok ? 1 : 0;
    after_input(at);
    return;
  }
  if (what == 7) {
    n.turn([&](Core& core) { (void)core.cancel_change(); });
    after_input(at);
    return;
  }
  if (what <= 4) {
    const auto id = spare(n);
    if (!id)
      return;
    change.node = *id;
    change.kind = what <= 1 || now.voters.size() == 1 ? Kind::add_voter
                  : what == 2                         ? Kind::add_learner
                                                      : Kind::replace;
    if (change.kind == Kind::replace)
      change.replaced = any(now.voters);
  } else {
    change.kind = Kind::remove;
    change.node = now.members[random(now.members.size())].id;
    if (now.voters.size() <= 2 && random(3) != 0)
      return;
  }
  if (random(4) == 0)
    change.if_configuration = Index(random(2) == 0 ? n.core().change_status().configuration.value : 1);
  tl::expected<Index, ChangeRefusal> answer = tl::make_unexpected(ChangeRefusal{});
  n.turn([&](Core& core) { answer = core.change_membership(change); });
  if (answer) {
    ++figures_.changes;
    begun_.push_back(*answer);
  } else {
    ++figures_.refused_changes;
    checker_.expect(!answer.error().text.empty(), "a refusal says nothing");
  }
  after_input(at);
}

/// No change is half-way: it ends by itself where everybody lives.
bool RandomWorld::settled() const {
  const Membership m = members();
  for (const auto& n : nodes_)
    if (m.contains(n->id()) && !(n->core().membership() == m))
      return false;
  return !m.joint() && !m.joining;
}

/// For a message about a cluster that does not converge.
std::string RandomWorld::describe() const {
  const auto list = [](const std::vector<NodeId>& ids) {
    std::string text;
    for (NodeId id : ids) text += (text.empty() ? "" : ",") + to_string(id);
    return "{" + text + "}";
  };
  const auto text_of = [&](const Membership& m) {
    return list(m.voters) + (m.joint() ? " from " + list(m.outgoing_voters) : "") + " learners " +
           list(m.learners) + (m.joining ? " joining " + to_string(m.joining) : "");
  };
  std::string text = "; committed " + text_of(members());
  for (const auto& n : nodes_) {
    const Core& c = n->core();
    text += "\n  n" + to_string(n->id()) + " " + to_string(c.role()) + " term " + to_string(c.term()) +
            " last " + to_string(c.last_log_id()) + " commit " + to_string(c.commit()) + " applied " +
            to_string(c.applied()) + " purged " + to_string(c.log().purged()) +
            (c.needs_snapshot() ? " no state" : "") + (c.removed() ? " removed" : "") + " " +
            text_of(c.membership());
    for (const FollowerStatus& f : c.followers())
      text += " [" + to_string(f.id) + " " + to_string(f.state) + " match " + to_string(f.match) + "]";
  }
  return text;
}

/// A voter without which every membership that is in any log still has its majorities.
std::size_t RandomWorld::one_to_spare() {
  const std::size_t first = random(nodes_.size());
  std::vector<Membership> known;
  for (const auto& n : nodes_) {
    if (n->up() ? n->core().needs_snapshot() : n->disk().applied < n->disk().purged.index)
      return kNobody;  // it may be the one with the longest log, and of no use alone (docs/snapshots.md)
    known.insert(known.end(),
                 {n->disk().initial, n->disk().kept.second, n->disk().applied_membership.second});
    for (const Entry& e : n->disk().log)
      if (e.kind == EntryKind::membership)
        known.push_back(*decode_membership(e.payload.view()));
    if (n->up())
      known.push_back(n->core().membership());
  }
  for (std::size_t k = 0; k < nodes_.size(); ++k) {
    const std::size_t i = (first + k) % nodes_.size();
    const NodeId id = nodes_[i]->id();
    if (members().is_voter(id) && std::all_of(known.begin(), known.end(), [&](const Membership& m) {
          return !members().contains(id) || !m.is_voter(id) ||
                 majority_of(m, [&](NodeId x) { return x != id; });
        }))
      return i;
  }
  return kNobody;
}

/// Where both majorities live nothing stays joint, even if a voter never comes back.
void RandomWorld::settle_without(std::size_t dead) {
  if (dead == kNobody)
    return;
  if (nodes_[dead]->up()) {
    tally(nodes_[dead]->core().counters());
    nodes_[dead]->crash(random(3));
    ++lives_[dead];
  }
  heal(dead);
  quiet_ = true;
  ++figures_.settled_without_one;
  figures_.out_of_joint += std::any_of(
      nodes_.begin(), nodes_.end(), [](const auto& n) { return n->up() && n->core().membership().joint(); });
  const auto done = [&] {
    return std::any_of(nodes_.begin(), nodes_.end(), [](const auto& n) {
      return n->up() && n->core().leader_ready() && !n->core().membership().joint() &&
             n->core().change_status().committed && n->core().membership().is_voter(n->id());
    });
  };
  const std::uint64_t end = now_ + 20'000;
  while (now_ < end && !done()) until(now_ + 50);
  if (!done()) {
    start(dead);  // for describe() only
    checker_.fail("the cluster is stuck without node " + to_string(nodes_[dead]->id()) + describe());
  }
  quiet_ = false;
}

void RandomWorld::expect_removed_know() {
  const Membership m = members();
  const auto could_hear = [&](const SimNode& n) {
    // Who was away until all that it knew were removed, too, asks in vain: nobody there has heard of its end.
    return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& v) {
      return n.core().membership().is_voter(v->id()) && v->id() != n.id() &&
             checker_.membership_at(v->core().commit()).second.was_removed(n.id());
    });
  };
  for (const auto& n : nodes_)
    // One that lost its data and has an empty log asks for no votes, so nobody tells it.
    if (n->up() && m.was_removed(n->id()) && could_hear(*n) &&
        !(n->core().needs_snapshot() && n->core().last_log_id() == n->core().log().purged()))
      checker_.expect(n->core().removed() || n->core().role() == Role::learner,
                      "removed node " + to_string(n->id()) + " does not know it: " +
                          to_string(n->core().role()) + ", term " + to_string(n->core().term()) + ", last " +
                          to_string(n->core().last_log_id()) + ", leader " + to_string(n->core().leader()) +
                          ", needs a snapshot: " + std::to_string(n->core().needs_snapshot()));
}

void RandomWorld::tally_membership() {
  const Membership m = members();
  figures_.removed_nodes += m.removed.size();
  Membership before = first_;
  for (const Entry& e : checker_.history()) {
    if (e.kind != EntryKind::membership)
      continue;
    const Membership now = checker_.membership_at(e.id.index).second;
    figures_.grown += before.joint() && !now.joint() ? 1 : 0;
    before = now;
  }
  for (Index i : begun_) figures_.rolled_back += checker_.membership_at(i).first.index == i ? 0 : 1;
  for (const auto& n : nodes_)
    for (const TransferEnd& end : n->transfers_ended) {
      figures_.transfers_done += end.outcome == TransferEnd::Outcome::done ? 1 : 0;
      figures_.transfers_aborted += end.outcome == TransferEnd::Outcome::aborted ? 1 : 0;
    }
}

}  // namespace kiwi::raft
