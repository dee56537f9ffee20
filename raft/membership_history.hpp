#pragma once

#include <utility>
#include <vector>

#include "messages/ids.hpp"
#include "messages/membership.hpp"

namespace kiwi::raft {

/// The memberships of the log, oldest first. The newest one counts from the moment it is appended, committed
/// or not (Raft 6); truncation brings the one before it back, so those that could return are kept.
class MembershipHistory {
 public:
  MembershipHistory() = default;
  explicit MembershipHistory(std::vector<std::pair<LogId, Membership>> restored);

  const Membership& current() const;
  LogId current_id() const;
  /// The one that returns when the current one is truncated; empty when there is none.
  const Membership& before_current() const;
  /// The newest one that is committed when everything up to `commit` is; empty when none is known.
  const Membership& at(Index commit) const;
  /// The newest committed one, and all behind it.
  const std::vector<std::pair<LogId, Membership>>& all() const { return history_; }
  /// Requires `id` to be above every id held.
  void append(LogId id, Membership membership);
  /// Forgets those at or above `from`. True when the current one changed. At least one that was there before
  /// stays, as nothing committed is ever truncated.
  bool truncate_from(Index from);
  /// Those below the newest one at or below `commit` can never return.
  void committed(Index commit);
  /// A snapshot is the state now: its membership, and those above `applied` when the log goes on behind it.
  /// Empty with id 0/0: the initial one.
  void reset(LogId id, Membership membership, Index applied, bool keep_later);
  std::size_t size() const { return history_.size(); }

 private:
  std::vector<std::pair<LogId, Membership>> history_;  // by index, ascending
  Membership none_;
};

}  // namespace kiwi::raft
