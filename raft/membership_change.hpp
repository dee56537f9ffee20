#pragma once

// Changes of membership (Raft 6, thesis 4) and transfers of leadership (thesis 3.10), as a driver sees them.
//
//   add_learner   one entry; the node gets the log and counts for nothing
//   add_voter     the same entry says that it will be a voter. The leader (any leader) watches it catch up;
//                 once it is level (promotion.hpp) it appends the joint entry, and once that is committed the
//                 entry of the new membership alone. A learner that is there already is promoted like this.
//   replace       as add_voter, but the joint entry takes `replaced` out as well
//   remove        of a learner one entry; of a voter a joint entry at once, then the new membership alone
//
// One change at a time. Nothing is changed before the leader has committed in its own term and the newest
// membership is committed. A joint entry is appended only when a majority of the new voters answers. A change
// that waits for its node can be cancelled: the node stays a learner, so that its id, which could never come
// back, is not wasted; `remove` takes it out. From the joint entry on a change ends by itself as soon as both
// majorities live, whoever leads.
//
// A leader that is no voter any more leads until that is committed, counts itself for nothing meanwhile, and
// then hands over. Ids are never used twice (rule 11); at most kMaxRemovedMembers members can ever leave.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/ids.hpp"
#include "messages/membership.hpp"

namespace kiwi::raft {

struct MembershipChange {
  enum class Kind : std::uint8_t { add_learner, add_voter, remove, replace };
  Kind kind = Kind::add_voter;
  NodeId node;          // whom it is about; with replace the new one
  NodeAddress address;  // of a new node; for a learner that is there the address it has, or none
  NodeId replaced;      // replace: the voter that goes
  /// Refused unless the newest membership is that of this entry (0: the initial one).
  std::optional<Index> if_configuration;

  bool takes_away(NodeId id) const {
    return kind == Kind::remove ? id == node : kind == Kind::replace && id == replaced;
  }
};
const char* to_string(MembershipChange::Kind);

/// Surely nothing was done. `text` is for people: one sentence without a full stop.
struct ChangeRefusal {
  enum class Kind : std::uint8_t {
    not_leader,          // see Core::leader()
    not_ready,           // nothing of the own term is committed yet, or this node's state is lost; soon
    change_in_progress,  // see Core::change_status()
    handing_over,        // a transfer of leadership is under way
    stale_condition,     // if_configuration
    unknown_node,        // it is no member, or for this change no voter
    already_member,
    id_was_used,  // by a member that was removed (rule 11)
    last_voter,
    not_enough_voters,  // a majority of the new membership does not answer, or lacks the log
    not_known_to_all,   // a member that answers does not know such an entry (rolling upgrade)
    too_many,           // kMaxMembers or kMaxRemovedMembers
    no_change,          // nothing to cancel; the target leads already
    cannot_cancel,      // the joint entry is in the log: it ends by itself
    no_target,          // no other voter answers
    invalid,            // id 0, or a node that replaces itself
  };
  Kind kind = Kind::invalid;
  std::string text;
};
const char* to_string(ChangeRefusal::Kind);

struct ChangeStatus {
  enum class Phase : std::uint8_t {
    none,                // no change is under way
    waiting_for_commit,  // of an entry that changes no voter
    catching_up,         // `node` becomes a voter once it is level; can be cancelled
    waiting_for_joint,   // the joint entry is not committed; needs both majorities
    waiting_for_final,   // the entry of the new voters alone is not committed
    leaving,             // this leader is no voter any more and hands over
  };
  /// Index of the newest membership entry; 0: the initial membership.
  Index configuration;
  bool committed = false;  // as far as this node knows
  bool joint = false;
  Phase phase = Phase::none;
  NodeId node;      // the joining one; 0: none
  NodeId replaced;  // 0: none
  // Of `node`, on a leader only
  Index match;
  Index last;                // of the leader's log
  std::uint32_t rounds = 0;  // of catching up (thesis 4.2.1) that were short enough, in a row
  std::uint32_t rounds_needed = 0;
  /// Leader: members that were not heard for the longest election time-out.
  std::vector<NodeId> silent;
  /// Ids that never come back, ascending.
  std::vector<NodeId> removed;
};
const char* to_string(ChangeStatus::Phase);

/// What became of a requested transfer.
struct TransferEnd {
  enum class Outcome : std::uint8_t {
    done,     // the target leads
    other,    // another node leads
    aborted,  // it took longer than an election time-out: this node leads on
    unknown,  // this node does not lead any more, and has heard no leader for as long
  };
  NodeId target;
  Outcome outcome = Outcome::unknown;
};
const char* to_string(TransferEnd::Outcome);

}  // namespace kiwi::raft
