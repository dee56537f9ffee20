// Standing early. A process that ends closes its connections at once, and then nobody listens at its address:
// those who see that of their leader need not wait for the election time-out. It is a reason to ask, not to
// win: the pre-vote stays, and whoever hears this leader still refuses (thesis 4.2.3, 9.6). So a mistake of
// the transport costs a leader that a majority reaches nothing.
//
// Not with leases: there a voter's promise lasts whatever became of the leader (thesis 6.4.1; docs/reads.md).

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "raft/core.hpp"

namespace kiwi::raft {

/// A leader that is there after all is heard before this node stands: a heartbeat comes every
/// heartbeat_ticks. And by then the others know, too, so that they do not refuse. After that it is drawn who
/// asks first.
bool Core::gone(NodeId peer) {
  if (options_.lease || !peer || peer != leader_ || role_ != Role::follower ||
      !membership().is_voter(options_.id))
    return false;
  lost_leader_ = peer;
  early_ticks_ = now_ticks_ + options_.heartbeat_ticks + 1 + random() % (2 * options_.heartbeat_ticks);
  return true;
}

/// Not so a node that others should go before: it has no haste.
bool Core::hurries() const {
  return early_ticks_ != 0 && now_ticks_ >= early_ticks_ && lost_leader_ == leader_ &&
         role_ == Role::follower && room_ == DiskRoom::enough && !needs_snapshot() &&
         now_ticks_ >= stand_back_until_ticks_;
}

void Core::forget_loss() {
  if (KIWI_MUTANT(lost_link_deposes))
    return;
  lost_leader_ = NodeId(0);
  early_ticks_ = 0;
}

void Core::reachable(NodeId peer, bool unasked) {
  if (peer == lost_leader_)
    forget_loss();
  const bool asks = role_ == Role::pre_candidate || (role_ == Role::candidate && !vote_requests_held_);
  const auto& granted = role_ == Role::pre_candidate ? pre_grants_ : grants_;
  if (!unasked || !asks || !membership().is_voter(peer) ||
      std::find(granted.begin(), granted.end(), peer) != granted.end())
    return;
  KIWI_MARK("vote.asked_again");
  send(peer, vote_request());
}

}  // namespace kiwi::raft
