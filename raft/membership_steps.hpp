#pragma once

// From one membership to the next: pure functions. All results are well_formed; majorities of a membership
// and of its successor overlap, since voters change by way of joint memberships only (Raft 6).

#include "messages/membership.hpp"

namespace kiwi::raft {

/// `joining`: it is to become a voter, in the place of `replaced` if that is not 0. `node` may be a learner
/// already.
Membership with_learner(Membership m, Member node, bool joining, NodeId replaced);
/// Requires a learner that is not joining.
Membership without_learner(Membership m, NodeId learner);
/// The change ends: who was joining stays a learner.
Membership without_change(Membership m);
/// Requires somebody joining.
Membership joint_with_joining(Membership m);
/// Requires two voters at least, and nobody joining.
Membership joint_without(Membership m, NodeId voter);
/// The new half alone. Requires a joint membership.
Membership left_joint(Membership m);
/// The new half of a joint membership, or the membership: what a majority is needed of in the end.
Membership target_of(Membership m);

}  // namespace kiwi::raft
