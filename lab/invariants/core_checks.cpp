#include "lab/invariants/core_checks.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "lab/invariants/texts.hpp"

namespace kiwi::lab::invariants {

namespace {

bool majority_of(NodeSet nodes, const std::vector<NodeId>& voters) {
  std::size_t count = 0;
  for (auto voter : voters) count += (nodes & bit(voter)) != 0 ? 1 : 0;
  return count > voters.size() / 2;
}

/// How many voters of one are not in the other, both ways.
std::size_t difference(const std::vector<NodeId>& a, const std::vector<NodeId>& b) {
  std::vector<NodeId> differ;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(differ));
  return differ.size();
}

}  // namespace

bool is_majority(NodeSet nodes, const Membership& m) {
  return majority_of(nodes, m.voters) && (!m.joint() || majority_of(nodes, m.outgoing_voters));
}

bool is_one_change(const Membership& a, const Membership& b) {
  if (a.joint() || b.joint())  // into, within or out of a joint one: the halves must meet
    return a.voters == b.voters || a.voters == b.outgoing_voters || a.outgoing_voters == b.voters;
  return difference(a.voters, b.voters) <= 1;
}

void CoreChecks::started(NodeId node, const raft::Restored& found, bool lost) {
  auto& memory = nodes_[node];
  if (lost)
    memory = {};
  // Commit and applied may go back with a restart; what was promised may not.
  const auto durable = ledger_.disk(node).vote;
  if (!lost && found.vote.term < durable.term)
    findings_.add(Check::nothing_goes_back, name_of(node) + " restarts in term " +
                                                to_string(found.vote.term) + ", but term " +
                                                to_string(durable.term) + " was durable");
  if (!lost && found.applied.index < found.purged.index)
    findings_.add(Check::indexes_in_order, name_of(node) + " restarts with applied index " +
                                               to_string(found.applied.index) +
                                               " and a log that begins behind " + to_string(found.purged));
  memory.lost = lost;
  memory.seen = {};
  memory.seen.node = node;
  memory.seen.vote = found.vote;
  memory.seen.purged = found.purged.index;
  memory.seen.commit = memory.seen.applied = found.applied.index;
  memory.seen.last = found.last;
  memory.stepped = false;
  memory.log_begin = found.purged.index;
  memory.log = terms_of(found);
  // Of what was not synced nothing need be there: a fresh node may be without members again.
  for (const auto& [id, membership] : found.memberships) knows(membership);
  memory.membership = found.memberships.empty() ? Membership{} : found.memberships.back().second;
  memory.configuration = found.memberships.empty() ? LogId{} : found.memberships.back().first;
  highest_ = std::max(highest_, found.vote.term);
}

void CoreChecks::stepped(const CoreSeen& now, const CoreInside& inside) {
  auto& memory = nodes_[now.node];
  check_monotonic(memory, now);
  check_term(memory, now);
  check_membership(memory, now, inside);
  if (now.last != memory.seen.last)
    follow_log(memory, now, inside);
  check_configuration(memory, now, inside);
  if (now.role == raft::Role::leader)
    check_leader(memory, now);
  if (now.commit > memory.seen.commit)
    check_commit(memory, now, inside);
  if (now.durable != memory.seen.durable)
    check_durable(memory, now);
  memory.seen = now;
  memory.stepped = true;
}

void CoreChecks::check_monotonic(const NodeMemory& memory, const CoreSeen& now) {
  const auto& before = memory.seen;
  auto back = [&](const char* what, auto was, auto is) {
    if (is < was)
      findings_.add(Check::nothing_goes_back, name_of(now.node) + ": " + what + " goes back from " +
                                                  to_string(was) + " to " + to_string(is) + " in term " +
                                                  to_string(now.vote.term));
  };
  back("the term", before.vote.term, now.vote.term);
  back("the commit index", before.commit, now.commit);
  back("the applied index", before.applied, now.applied);
  back("the purge point", before.purged, now.purged);
  if (now.vote.term == before.vote.term && before.vote.voted_for && now.vote != before.vote)
    findings_.add(Check::one_vote, name_of(now.node) + " voted for " + name_of(before.vote.voted_for) +
                                       " in term " + to_string(now.vote.term) + " and now for " +
                                       name_of(now.vote.voted_for));
  auto ordered = [&](const char* low_name, Index low, const char* high_name, Index high) {
    if (low > high)
      findings_.add(Check::indexes_in_order, name_of(now.node) + " in term " + to_string(now.vote.term) +
                                                 ": " + low_name + " " + to_string(low) + " is above " +
                                                 high_name + " " + to_string(high));
  };
  // A node whose state was spoilt waits for a snapshot.
  if (!now.needs_snapshot || !memory.lost)
    ordered("purged", now.purged, "applied", now.applied);
  ordered("applied", now.applied, "committed", now.commit);
  ordered("committed", now.commit, "last", now.last.index);
}

void CoreChecks::check_term(const NodeMemory& memory, const CoreSeen& now) {
  using raft::Role;
  const auto& before = memory.seen;
  if (now.vote.term > highest_) {
    const bool stands =
        now.vote.voted_for == now.node && (now.role == Role::candidate || now.role == Role::leader);
    if (!stands)
      findings_.add(Check::term_is_campaigned,
                    name_of(now.node) + " enters term " + to_string(now.vote.term) + " as " +
                        raft::to_string(now.role) + " with a vote for " + name_of(now.vote.voted_for) +
                        ", but nobody had begun a term above " + to_string(highest_));
    highest_ = now.vote.term;
  }
  if (memory.stepped && now.role == Role::pre_candidate && before.role != Role::pre_candidate &&
      now.vote != before.vote)
    findings_.add(Check::pre_vote_changes_nothing,
                  name_of(now.node) + " asks for pre-votes and goes from term " +
                      to_string(before.vote.term) + " to " + to_string(now.vote.term));
}

void CoreChecks::check_membership(NodeMemory& memory, const CoreSeen& now, const CoreInside& inside) {
  if (now.membership == nullptr)
    return;
  const auto& next = *now.membership;
  const auto& known = memory.membership;
  if (next.voters == known.voters && next.outgoing_voters == known.outgoing_voters &&
      next.learners == known.learners && next.joining == known.joining)
    return;
  // The entry that made a fresh node a member, and told it who the others are, may be truncated.
  if (!known.voters.empty() && next.voters.empty() && memory.configuration.index <= memory.seen.commit)
    findings_.add(Check::one_change_at_a_time,
                  name_of(now.node) + " goes from voters " + list_of(known.voters) + " to no members at all");
  const auto number = inside.configuration();
  const bool leads_on = memory.stepped && memory.seen.role == raft::Role::leader &&
                        now.role == raft::Role::leader && memory.seen.vote.term == now.vote.term;
  if (leads_on && number > memory.seen.last.index)
    check_appended(memory, now, inside, number);
  memory.membership = next;
  memory.configuration = {inside.term_at(number).value_or(Term{}), number};
  const bool had = knows(next);
  if (!memory.configuration.term) {  // the initial one, or one that a snapshot brought
    if (memory.stepped && !had && !next.voters.empty())
      findings_.add(Check::one_change_at_a_time, name_of(now.node) + " installs voters " +
                                                     list_of(next.voters) + ", which no node ever had");
    return;
  }
  const auto [at, is_new] = memberships_.try_emplace(memory.configuration, now.node, next);
  if (!is_new &&
      (at->second.second.voters != next.voters || at->second.second.outgoing_voters != next.outgoing_voters ||
       at->second.second.learners != next.learners))
    findings_.add(Check::one_change_at_a_time, name_of(now.node) + " takes configuration " +
                                                   to_string(memory.configuration) + " for voters " +
                                                   list_of(next.voters) + ", " + name_of(at->second.first) +
                                                   " for " + list_of(at->second.second.voters));
}

/// Whether some node had these voters before. They are known from now on.
bool CoreChecks::knows(const Membership& membership) {
  return !voters_.emplace(membership.voters, membership.outgoing_voters).second;
}

/// A leader has appended a membership: to one that was committed, after it committed in its term.
void CoreChecks::check_appended(const NodeMemory& memory, const CoreSeen& now, const CoreInside& inside,
                                Index number) {
  const auto who = name_of(now.node) + " leads term " + to_string(now.vote.term) + " and makes " +
                   list_of(now.membership->voters) + " the voters with entry " + to_string(number);
  if (!is_one_change(memory.membership, *now.membership))
    findings_.add(Check::one_change_at_a_time, who + ", straight from " + list_of(memory.membership.voters));
  if (memory.configuration.index > now.commit)
    findings_.add(Check::one_change_at_a_time, who + " while the change before it, " +
                                                   to_string(memory.configuration) +
                                                   ", is not committed: that is " + to_string(now.commit));
  if (inside.term_at(now.commit) != now.vote.term && now.commit > now.purged)
    findings_.add(Check::one_change_at_a_time,
                  who + " before it has committed anything of its term; committed is " +
                      text_of(inside.term_at(now.commit), now.commit));
}

/// The membership that counts must be of an entry that this log has.
void CoreChecks::check_configuration(NodeMemory& memory, const CoreSeen& now, const CoreInside& inside) {
  auto& known = memory.configuration;
  if (!known.term || known.index <= memory.log_begin || memory.term_at(known.index) == known.term)
    return;
  // Another one with the same members may have come in the same step.
  const auto number = inside.configuration();
  const auto term = inside.term_at(number);
  const auto* entry = term ? ledger_.find(number, *term) : nullptr;
  if (number == known.index ? !term : number > now.last.index) {
    findings_.add(Check::one_change_at_a_time,
                  name_of(now.node) + " counts by voters " + list_of(memory.membership.voters) +
                      " of configuration " + to_string(known) + ", which its log does not have any more");
  } else if (entry != nullptr && entry->kind != EntryKind::membership) {
    findings_.add(Check::one_change_at_a_time,
                  name_of(now.node) + " counts by voters " + list_of(memory.membership.voters) +
                      " of configuration " + to_string(LogId{*term, number}) + ", which is no membership");
  } else if (entry != nullptr || !term) {
    known = {term.value_or(Term{}), number};
  }
}

void CoreChecks::follow_log(NodeMemory& memory, const CoreSeen& now, const CoreInside& inside) {
  if (now.purged > memory.log_begin) {
    const auto gone = std::min<std::uint64_t>(now.purged - memory.log_begin, memory.log.size());
    memory.log.erase(memory.log.begin(), memory.log.begin() + static_cast<std::ptrdiff_t>(gone));
    memory.log_begin = now.purged;
  }
  const auto old_last = memory.last();
  auto same = std::min(old_last, now.last.index);
  while (same > memory.log_begin && inside.term_at(same) != memory.term_at(same)) same = same - 1;
  const bool led = memory.stepped && memory.seen.role == raft::Role::leader &&
                   now.role == raft::Role::leader && memory.seen.vote.term == now.vote.term;
  if (led && same < old_last)
    findings_.add(Check::leader_appends, name_of(now.node) + " leads term " + to_string(now.vote.term) +
                                             " and its entry " +
                                             to_string(LogId{*memory.term_at(same + 1), same + 1}) +
                                             " is gone; its log ends with " + to_string(now.last));
  if (same < memory.seen.commit)
    findings_.add(Check::committed_stays,
                  name_of(now.node) + " in term " + to_string(now.vote.term) + " removes its log from " +
                      to_string(same + 1) + " on, but had committed up to " + to_string(memory.seen.commit));
  memory.log.resize(same - memory.log_begin);
  for (auto index = same + 1; index <= now.last.index; ++index)
    memory.log.push_back(inside.term_at(index).value_or(Term{}));
}

void CoreChecks::check_leader(const NodeMemory& memory, const CoreSeen& now) {
  const auto term = now.vote.term;
  const bool led = memory.stepped && memory.seen.role == raft::Role::leader && memory.seen.vote.term == term;
  if (led)
    return;
  const auto [at, is_new] = leaders_.try_emplace(term, now.node);
  if (at->second != now.node)
    findings_.add(Check::one_leader, name_of(now.node) + " leads in term " + to_string(term) +
                                         ", but so did " + name_of(at->second));
  // One that does not know its removal to be committed may be the only one that has that entry.
  if (memory.membership.was_removed(now.node) && memory.configuration.index <= memory.seen.commit)
    findings_.add(Check::removed_never_leads, name_of(now.node) + " leads in term " + to_string(term) +
                                                  " and was removed by configuration " +
                                                  to_string(memory.configuration) + ", which is committed");
  const auto votes = ledger_.votes_for(now.node, term);
  if (!is_majority(votes, memory.membership))
    findings_.add(Check::leader_is_elected,
                  name_of(now.node) + " leads in term " + to_string(term) + " with the votes of " +
                      list_of(votes) + " only, not of a majority of " + list_of(memory.membership.voters));
  // The last entry committed in an earlier term; those before it are the same by log matching.
  for (auto index = ledger_.committed(); index; index = index - 1) {
    const auto* committed = ledger_.committed_at(index);
    if (committed->in_term >= term)
      continue;
    if (index > memory.log_begin && memory.term_at(index) != committed->term)
      findings_.add(Check::leader_completeness,
                    name_of(now.node) + " leads term " + to_string(term) + " with a log that ends with " +
                        to_string(now.last) + ", but " + to_string(LogId{committed->term, index}) +
                        " was committed in term " + to_string(committed->in_term) + " by " +
                        name_of(committed->by) + "; it has " + text_of(memory.term_at(index), index));
    break;
  }
}

void CoreChecks::check_commit(const NodeMemory& memory, const CoreSeen& now, const CoreInside& inside) {
  const bool led = memory.stepped && memory.seen.role == raft::Role::leader &&
                   now.role == raft::Role::leader && memory.seen.vote.term == now.vote.term;
  for (auto index = memory.seen.commit + 1; index <= now.commit; ++index) {
    const auto* committed = ledger_.committed_at(index);
    if (committed == nullptr)
      committed_first(memory, now, index);
    else if (index > memory.log_begin && memory.term_at(index) != committed->term)
      findings_.add(Check::committed_stays,
                    name_of(now.node) + " in term " + to_string(now.vote.term) + " commits " +
                        text_of(memory.term_at(index), index) + ", but " +
                        to_string(LogId{committed->term, index}) + " was committed there in term " +
                        to_string(committed->in_term) + " by " + name_of(committed->by));
  }
  if (!led)
    return;
  if (memory.term_at(now.commit) != now.vote.term)
    findings_.add(Check::own_term_counts, name_of(now.node) + " leads term " + to_string(now.vote.term) +
                                              " and commits up to " +
                                              text_of(memory.term_at(now.commit), now.commit));
  check_counting(memory, now, inside);
}

void CoreChecks::committed_first(const NodeMemory& memory, const CoreSeen& now, Index index) {
  const auto term = memory.term_at(index).value_or(Term{});
  const auto holders = ledger_.holders(index, term);
  if (!is_majority(holders, memory.membership))
    findings_.add(Check::durable_majority,
                  name_of(now.node) + " in term " + to_string(now.vote.term) + " commits " +
                      to_string(LogId{term, index}) + ", which is durable on " + list_of(holders) +
                      " only, not on a majority of " + list_of(memory.membership.voters));
  ledger_.commit({term, now.vote.term, now.node});
  // Who leads a later term already must have it too.
  for (auto& [node, other] : nodes_) {
    if (other.stepped && other.seen.role == raft::Role::leader && other.seen.vote.term > now.vote.term &&
        index > other.log_begin && other.term_at(index) != term)
      findings_.add(Check::leader_completeness,
                    name_of(now.node) + " commits " + to_string(LogId{term, index}) + " in term " +
                        to_string(now.vote.term) + ", but " + name_of(node) + " leads term " +
                        to_string(other.seen.vote.term) + " and has " + text_of(other.term_at(index), index));
  }
}

void CoreChecks::check_counting(const NodeMemory& memory, const CoreSeen& now, const CoreInside& inside) {
  const auto durable_there = [&](NodeId node, Index index) {
    const auto term = memory.term_at(index);
    const auto* entry = term ? ledger_.find(index, *term) : nullptr;
    return entry != nullptr && (entry->ever & bit(node)) != 0;
  };
  NodeSet counted = 0;
  for (const auto& follower : inside.followers()) {
    if (follower.match >= now.commit)
      counted |= bit(follower.node);
    if (follower.match > memory.log_begin && !durable_there(follower.node, follower.match))
      findings_.add(Check::match_is_durable, name_of(now.node) + " leads term " + to_string(now.vote.term) +
                                                 " and believes that " + name_of(follower.node) + " holds " +
                                                 text_of(memory.term_at(follower.match), follower.match) +
                                                 ", which was never synced there; its synced log ends at " +
                                                 to_string(ledger_.disk(follower.node).last()));
    const auto acknowledged = ledger_.acknowledged(follower.node, now.node, now.vote.term);
    if (follower.match > acknowledged)
      findings_.add(Check::match_is_acknowledged,
                    name_of(now.node) + " leads term " + to_string(now.vote.term) + " and believes that " +
                        name_of(follower.node) + " holds " + to_string(follower.match) +
                        "; in this term that node has acknowledged " + to_string(acknowledged));
  }
  if (durable_there(now.node, now.commit))
    counted |= bit(now.node);
  if (!is_majority(counted, memory.membership))
    findings_.add(Check::own_log_is_synced,
                  name_of(now.node) + " leads term " + to_string(now.vote.term) + " and commits up to " +
                      to_string(now.commit) + " with the acknowledgements of " + list_of(counted) +
                      "; its own synced log ends at " + to_string(ledger_.disk(now.node).last()));
}

void CoreChecks::check_durable(const NodeMemory& memory, const CoreSeen& now) {
  if (now.durable <= memory.log_begin)
    return;
  const auto term = memory.term_at(now.durable);
  const auto* entry = term ? ledger_.find(now.durable, *term) : nullptr;
  if (entry == nullptr || (entry->durable & bit(now.node)) == 0)
    findings_.add(Check::own_log_is_synced, name_of(now.node) + " in term " + to_string(now.vote.term) +
                                                " takes " + text_of(term, now.durable) +
                                                " for durable, but its synced log ends at " +
                                                to_string(ledger_.disk(now.node).last()));
}

std::optional<Term> CoreChecks::term_at(NodeId node, Index index) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? std::nullopt : found->second.term_at(index);
}

Vote CoreChecks::vote(NodeId node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? Vote{} : found->second.seen.vote;
}

bool CoreChecks::leads(NodeId node, Term term) const {
  const auto found = nodes_.find(node);
  return found != nodes_.end() && found->second.stepped && found->second.seen.role == raft::Role::leader &&
         found->second.seen.vote.term == term;
}

}  // namespace kiwi::lab::invariants
