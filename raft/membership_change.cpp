// Changes of membership: Raft 6, thesis 4. Entries that change it are made here only; that they count from
// the moment they are appended is in append_entry().

#include "raft/membership_change.hpp"

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/fault_points.hpp"
#include "messages/limits.hpp"
#include "raft/core.hpp"
#include "raft/membership_steps.hpp"
#include "raft/quorum.hpp"

namespace kiwi::raft {

namespace {

using Kind = ChangeRefusal::Kind;

tl::unexpected<ChangeRefusal> refuse(Kind kind, std::string text) {
  return tl::make_unexpected(ChangeRefusal{kind, std::move(text)});
}

std::string node_text(NodeId id) { return "node " + to_string(id); }

std::string list_text(const std::vector<NodeId>& ids) {
  std::string text;
  for (NodeId id : ids) text += (text.empty() ? "" : ", ") + to_string(id);
  return text;
}

}  // namespace

// --- What may be asked

/// Why no membership entry may be appended now. Requires nothing.
std::optional<ChangeRefusal> Core::not_now() const {
  if (role_ != Role::leader)
    return ChangeRefusal{Kind::not_leader, "this node does not lead"};
  if (needs_snapshot())
    return ChangeRefusal{Kind::not_ready, "this node's data is lost, and leadership is about to move"};
  // Before an entry of its own term is committed a leader does not know which memberships are: two leaders
  // could each go on from one that the other never committed (thesis 4.1 and its erratum).
  if (commit_ < noop_ && !KIWI_MUTANT(change_before_own_commit))
    return ChangeRefusal{Kind::not_ready, "this leader has not committed anything in its term yet"};
  if (transfer_)
    return ChangeRefusal{Kind::handing_over, "leadership is being handed over"};
  return std::nullopt;
}

tl::expected<Index, ChangeRefusal> Core::change_membership(const MembershipChange& change) {
  if (auto refusal = not_now())
    return tl::make_unexpected(std::move(*refusal));
  const Index number = memberships_.current_id().index;
  if (change.if_configuration && *change.if_configuration != number)
    return refuse(Kind::stale_condition, "the configuration is number " + to_string(number) + ", not " +
                                             to_string(*change.if_configuration));
  if (membership().joint() || membership().joining)
    return refuse(Kind::change_in_progress, "a change is under way since configuration " + to_string(number));
  if (number > commit_ && !KIWI_MUTANT(change_before_own_commit))
    return refuse(Kind::change_in_progress, "configuration " + to_string(number) + " is not committed yet");
  auto next = planned(change);
  if (!next)
    return tl::make_unexpected(std::move(next.error()));
  // Members that do not answer cannot say what they know; a change must be able to replace them. One that is
  // there, or may be, and has not said it yet is waited for. Not the one that goes: it is lost either way.
  // Nor the one that comes: it counts once it has caught up, and then it has said it.
  if (options_.formats < format_of(EntryKind::membership))
    return refuse(Kind::not_known_to_all, "this node must be upgraded first");
  for (const Progress& p : progress_)
    if (p.formats() < format_of(EntryKind::membership)) {
      if (p.formats() != 0)
        return refuse(Kind::not_known_to_all, node_text(p.node()) + " must be upgraded first");
      const bool about_it = p.node() == change.node || change.takes_away(p.node());
      if (!about_it && p.active(now_ticks_, options_.election_ticks_max))
        return refuse(Kind::not_known_to_all,
                      node_text(p.node()) + " has not said yet which formats it knows");
    }
  ++counters_.membership_changes;
  return append_membership(std::move(*next));
}

/// The next membership, if this change makes sense.
tl::expected<Membership, ChangeRefusal> Core::planned(const MembershipChange& change) const {
  using Change = MembershipChange::Kind;
  const Membership& now = membership();
  const NodeId node = change.node;
  if (!node)
    return refuse(Kind::invalid, "0 is no node id");
  if (change.kind == Change::remove) {
    if (!now.contains(node))
      return refuse(Kind::unknown_node,
                    node_text(node) + (now.was_removed(node) ? " was removed already" : " is not a member"));
    if (now.removed.size() >= kMaxRemovedMembers)
      return refuse(Kind::too_many, "too many members have left this cluster");
    if (now.is_learner(node))
      return without_learner(now, node);
    if (now.voters.size() == 1)
      return refuse(Kind::last_voter, node_text(node) + " is the only voter");
    Membership joint = joint_without(now, node);
    if (auto refusal = lacks_quorum(target_of(joint)))
      return tl::make_unexpected(std::move(*refusal));
    return joint;
  }
  if (change.kind == Change::replace) {
    if (node == change.replaced)
      return refuse(Kind::invalid, "a node cannot take its own place: a node id is never used twice");
    if (!now.is_voter(change.replaced))
      return refuse(Kind::unknown_node, node_text(change.replaced) + " is not a voter");
    if (now.removed.size() >= kMaxRemovedMembers)
      return refuse(Kind::too_many, "too many members have left this cluster");
  }
  if (now.was_removed(node))
    return refuse(Kind::id_was_used, "id " + to_string(node) + " belonged to a removed node; a node id is " +
                                         "never used twice");
  if (const Member* known = now.find(node)) {
    if (change.kind == Change::add_learner || now.is_voter(node))
      return refuse(Kind::already_member, node_text(node) + " is a member already");
    if (!(change.address == NodeAddress{}) && !(change.address == known->address))
      return refuse(Kind::already_member,
                    node_text(node) + " is a member already, at " + to_string(known->address));
  } else if (now.members.size() >= kMaxMembers) {
    return refuse(Kind::too_many, "a cluster has at most " + std::to_string(kMaxMembers) + " members");
  }
  return with_learner(now, {node, change.address}, change.kind != Change::add_learner,
                      change.kind == Change::replace ? change.replaced : NodeId(0));
}

/// Would a majority of `next` commit at once? From a joint entry on there is no way back.
std::optional<ChangeRefusal> Core::lacks_quorum(const Membership& next) const {
  std::vector<NodeId> missing;
  const auto there = [&](NodeId id) {
    if (id == options_.id)
      return !needs_snapshot();
    const Progress* p = progress_of(id);
    return p != nullptr && p->answered() && p->active(now_ticks_, options_.election_ticks_max) &&
           !p->takes_snapshot();
  };
  for (NodeId id : next.voters)
    if (!there(id))
      missing.push_back(id);
  if (has_quorum(next, there))
    return std::nullopt;
  return ChangeRefusal{
      Kind::not_enough_voters,
      "no majority of the new voters answers and has the log; missing: " + list_text(missing)};
}

tl::expected<Index, ChangeRefusal> Core::cancel_change() {
  if (auto refusal = not_now())
    return tl::make_unexpected(std::move(*refusal));
  if (membership().joint())
    return refuse(Kind::cannot_cancel, "the joint configuration is in the log: the change ends by itself " +
                                           std::string("once both majorities answer"));
  if (!membership().joining)
    return refuse(Kind::no_change, "no node is joining");
  if (memberships_.current_id().index > commit_)
    return refuse(Kind::change_in_progress, "its first entry is not committed yet");
  KIWI_MARK("membership.cancelled");
  return append_membership(without_change(membership()));
}

Index Core::append_membership(Membership next) {
  KIWI_ASSERT(role_ == Role::leader, "only a leader appends");
  if (next.joint())
    KIWI_MARK("membership.joint");
  Entry entry;
  entry.id = {vote_.term, log_.last().index + 1};
  entry.kind = EntryKind::membership;
  entry.stamp_ms = agreed_time_ms();
  entry.payload = Bytes(encode_membership(next));
  append_entry(std::move(entry));
  return log_.last().index;
}

// --- How a change goes on, under any leader

/// Leader, before anything leaves.
void Core::advance_membership() {
  const bool committed = memberships_.current_id().index <= commit_ && commit_ >= noop_;
  if (membership().joint() && (committed || KIWI_MUTANT(joint_left_at_once)) && !transfer_) {
    KIWI_MARK("membership.left_joint");
    append_membership(left_joint(membership()));
    advance_commit();  // the new voters may have it already: a cluster of one has
    return;
  }
  if (!committed || transfer_ || membership().joint())
    return;
  if (membership().is_voter(options_.id)) {
    if (membership().joining)
      promote();
    return;
  }
  // Raft 6: a leader without a vote leads until that is committed. While no voter could serve (its data is
  // lost, say) leading on does no harm; where none answers check-quorum ends it.
  if (const NodeId successor = best_successor()) {
    KIWI_MARK("leader.no_voter");
    hand_over(successor, false);
  }
}

void Core::promote() {
  if (promotion_.node() != membership().joining)
    return;
  const bool level = promotion_.level() || KIWI_MUTANT(promoted_unlevel);
  if (!level || lacks_quorum(target_of(membership())))
    return;
  append_membership(joint_with_joining(membership()));
}

/// Leader, once per tick.
void Core::tick_membership() {
  const NodeId joining = membership().joining;
  if (promotion_.node() != joining)
    promotion_ = Promotion(joining, options_.election_ticks_min);
  if (const Progress* p = progress_of(joining))
    promotion_.look(
        now_ticks_, p->match(), log_.last().index,
        p->active(now_ticks_, options_.election_ticks_min) && !p->takes_snapshot() && p->has_state());
  // Who left is told: it has the entry, and was sent that it is committed, several times. One that does not
  // answer hears it when it asks for votes.
  const auto told = [&](Leaving& l) {
    if (commit_ < l.left_at)
      return false;
    if (l.since_ticks == 0)
      l.since_ticks = now_ticks_;
    const Progress* p = progress_of(l.member.id);
    if (l.told_ticks == 0 && p != nullptr && p->match() >= l.left_at && p->sent_commit() >= l.left_at)
      l.told_ticks = now_ticks_;
    return (l.told_ticks != 0 && now_ticks_ - l.told_ticks >= options_.election_ticks_min) ||
           now_ticks_ - l.since_ticks >= 4 * std::uint64_t{options_.election_ticks_max};
  };
  if (std::erase_if(leaving_, told) > 0) {
    rebuild_progress();
    out_.membership_changed = true;
  }
}

/// Leader: those who were members in a membership that may still be the newest one that some node knows.
void Core::note_leaving() {
  for (const auto& [id, earlier] : memberships_.all())
    for (const Member& m : earlier.members) {
      const bool known = m.id == options_.id || membership().contains(m.id) ||
                         std::any_of(leaving_.begin(), leaving_.end(),
                                     [&](const Leaving& l) { return l.member.id == m.id; });
      if (!known)
        leaving_.push_back({m, memberships_.current_id().index});
    }
  std::erase_if(leaving_, [&](const Leaving& l) { return membership().contains(l.member.id); });
}

// --- Removed

bool Core::removed() const { return told_removed_ || memberships_.at(commit_).was_removed(options_.id); }

void Core::told_removed() {
  if (told_removed_ || role_ == Role::leader)
    return;
  KIWI_MARK("membership.told_removed");
  told_removed_ = true;
  if (role_ == Role::candidate || role_ == Role::pre_candidate)
    follow(vote_.term, NodeId(0));
  out_.state_changed = true;
}

/// Somebody's newest membership has this node as a voter, although its own does not; it had to refuse, since
/// its log is newer, and nobody leads. Then only this node can win: without it a cluster could be stuck in a
/// joint membership although both majorities live.
bool Core::asked_as_voter() const { return now_ticks_ < asked_as_voter_until_ticks_ && !removed(); }

// --- Reading the state

bool Core::everyone_knows(std::uint32_t formats) const {
  if (role_ != Role::leader || options_.formats < formats)
    return false;
  return std::all_of(membership().members.begin(), membership().members.end(), [&](const Member& m) {
    const Progress* p = progress_of(m.id);
    return m.id == options_.id || (p != nullptr && p->formats() >= formats);
  });
}

std::vector<Member> Core::peers() const {
  std::vector<Member> all = membership().members;
  if (role_ == Role::leader)
    for (const Leaving& l : leaving_) all.push_back(l.member);
  std::erase_if(all, [&](const Member& m) { return m.id == options_.id; });
  std::sort(all.begin(), all.end(), [](const Member& a, const Member& b) { return a.id < b.id; });
  return all;
}

ChangeStatus Core::change_status() const {
  using Phase = ChangeStatus::Phase;
  const Membership& now = membership();
  ChangeStatus s;
  s.configuration = memberships_.current_id().index;
  s.committed = s.configuration <= commit_;
  s.joint = now.joint();
  s.node = now.joining;
  s.replaced = now.replaced;
  s.removed = now.removed;
  if (now.joint())
    s.phase = Phase::waiting_for_joint;
  else if (now.joining)
    s.phase = Phase::catching_up;
  else if (!s.committed)
    s.phase = memberships_.before_current().joint() ? Phase::waiting_for_final : Phase::waiting_for_commit;
  else if (role_ == Role::leader && !now.is_voter(options_.id))
    s.phase = Phase::leaving;
  if (role_ != Role::leader)
    return s;
  s.last = log_.last().index;
  s.rounds_needed = Promotion::kRounds;
  if (now.joining && promotion_.node() == now.joining)
    s.rounds = promotion_.rounds();
  if (const Progress* p = progress_of(now.joining))
    s.match = p->match();
  for (const Member& m : now.members) {
    const Progress* p = progress_of(m.id);
    if (p != nullptr && !(p->answered() && p->active(now_ticks_, options_.election_ticks_max)))
      s.silent.push_back(m.id);
  }
  return s;
}

}  // namespace kiwi::raft
