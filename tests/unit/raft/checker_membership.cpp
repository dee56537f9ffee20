// Invariants 14 to 16: changes of membership come one at a time, majorities of neighbours overlap, learners
// and removed nodes decide nothing.

#include <algorithm>

#include "tests/unit/raft/checker.hpp"

namespace kiwi::raft {

namespace {

/// What follows catching up (promotion.hpp): at most two rounds of the shortest election time-out, in units.
constexpr std::uint64_t kLevelUnits = 400;

/// Every majority of one meets every majority of the other.
bool majorities_overlap(const Membership& a, const Membership& b) {
  std::set<NodeId> both;
  for (const Membership* m : {&a, &b}) {
    both.insert(m->voters.begin(), m->voters.end());
    both.insert(m->outgoing_voters.begin(), m->outgoing_voters.end());
  }
  const std::vector<NodeId> ids(both.begin(), both.end());
  for (std::uint64_t chosen = 0; chosen < 1ull << ids.size(); ++chosen) {
    const auto in = [&](NodeId id) {
      const auto place = std::lower_bound(ids.begin(), ids.end(), id) - ids.begin();
      return ((chosen >> place) & 1) != 0;
    };
    if (majority_of(a, in) && majority_of(b, [&](NodeId id) { return !in(id); }))
      return false;
  }
  return true;
}

}  // namespace

Checker::Named Checker::membership_at(Index index) const {
  const auto after = memberships_.upper_bound(index);
  return after == memberships_.begin() ? Named{} : std::prev(after)->second;
}

void Checker::won(NodeId node, Term term, const Membership& members) const {
  const auto voted = [&](NodeId id) {
    const auto vote = votes_.find({id, term});
    return vote != votes_.end() && vote->second == node;
  };
  expect(majority_of(members, voted),
         "node " + to_string(node) + " leads term " + to_string(term) + " without a majority of its voters");
}

void Checker::votes_for(NodeId voter, NodeId candidate, Index commit) const {
  expect(!membership_at(commit).second.was_removed(candidate), "node " + to_string(voter) +
                                                                   " votes for node " + to_string(candidate) +
                                                                   ", which it knows to be removed");
}

void Checker::membership_appended(NodeId node, const Named& before, const Named& now, Index commit,
                                  Term commit_term) const {
  const std::string who = "node " + to_string(node) + " appends membership " + to_string(now.first);
  expect(before.first.index <= commit,
         who + " while " + to_string(before.first) + " is not committed (one change at a time)");
  expect(commit_term == now.first.term, who + " before anything is committed in its term");
  expect(well_formed(now.second), who + ", which breaks the rules of memberships");
  expect(majorities_overlap(before.second, now.second), who + ": majorities do not overlap");
  for (NodeId id : before.second.removed)
    expect(now.second.was_removed(id), who + ", which forgets that an id was used");
  // Level: what was committed a while ago is durable at every new voter.
  std::size_t old = committed_at_.size();
  while (old > 0 && committed_at_[old - 1] + kLevelUnits > now_) --old;
  for (NodeId id : now.second.voters)
    if (!before.second.is_voter(id))
      expect(disks_.at(id)->last().value >= old, who + ": voter " + to_string(id) + " has only " +
                                                     to_string(disks_.at(id)->last()) + " of " +
                                                     std::to_string(old) + " old entries");
}

}  // namespace kiwi::raft
