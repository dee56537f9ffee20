#include "raft/membership_history.hpp"

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"

namespace kiwi::raft {

MembershipHistory::MembershipHistory(std::vector<std::pair<LogId, Membership>> restored)
    : history_(std::move(restored)) {
  for (std::size_t i = 1; i < history_.size(); ++i)
    KIWI_ASSERT(history_[i - 1].first.index < history_[i].first.index, "memberships are restored in order");
}

const Membership& MembershipHistory::current() const {
  return history_.empty() ? none_ : history_.back().second;
}

const Membership& MembershipHistory::before_current() const {
  return history_.size() < 2 ? none_ : history_[history_.size() - 2].second;
}

const Membership& MembershipHistory::at(Index commit) const {
  for (auto i = history_.rbegin(); i != history_.rend(); ++i)
    if (i->first.index <= commit)
      return i->second;
  return none_;
}

LogId MembershipHistory::current_id() const { return history_.empty() ? LogId{} : history_.back().first; }

void MembershipHistory::append(LogId id, Membership membership) {
  if (KIWI_MUTANT(truncated_membership_kept))
    while (!history_.empty() && history_.back().first.index >= id.index) history_.pop_back();
  KIWI_ASSERT(history_.empty() || history_.back().first.index < id.index,
              "memberships are appended in log order");
  history_.emplace_back(id, std::move(membership));
}

bool MembershipHistory::truncate_from(Index from) {
  bool changed = false;
  if (KIWI_MUTANT(truncated_membership_kept))
    return false;
  while (!history_.empty() && history_.back().first.index >= from) {
    history_.pop_back();
    changed = true;
  }
  return changed;
}

void MembershipHistory::committed(Index commit) {
  std::size_t keep = 0;
  for (std::size_t i = 1; i < history_.size(); ++i)
    if (history_[i].first.index <= commit)
      keep = i;
  if (keep > 0)
    history_.erase(history_.begin(), history_.begin() + static_cast<std::ptrdiff_t>(keep));
}

void MembershipHistory::reset(LogId id, Membership membership, Index applied, bool keep_later) {
  std::vector<std::pair<LogId, Membership>> history;
  // A state without any membership entry does not know the initial one: that is the same on every member.
  const bool initial = id == LogId{} && membership.members.empty();
  if (initial && !history_.empty() && history_.front().first == LogId{})
    membership = history_.front().second;
  if (KIWI_MUTANT(snapshot_forgets_members))
    membership = {};
  history.emplace_back(id, std::move(membership));
  for (auto& known : history_)
    if (keep_later && known.first.index > applied)
      history.push_back(std::move(known));
  history_ = std::move(history);
}

}  // namespace kiwi::raft
