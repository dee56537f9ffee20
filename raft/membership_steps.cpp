#include "raft/membership_steps.hpp"

#include <utility>

#include "messages/assert.hpp"

namespace kiwi::raft {

namespace {

void insert(std::vector<NodeId>& ids, NodeId id) {
  const auto at = std::lower_bound(ids.begin(), ids.end(), id);
  if (at == ids.end() || *at != id)
    ids.insert(at, id);
}

void erase(std::vector<NodeId>& ids, NodeId id) { std::erase(ids, id); }

void dismiss(Membership& m, NodeId id) {
  std::erase_if(m.members, [&](const Member& x) { return x.id == id; });
  insert(m.removed, id);
}

Membership checked(Membership m) {
  KIWI_ASSERT(well_formed(m), "a step between memberships leads to one");
  return m;
}

}  // namespace

Membership with_learner(Membership m, Member node, bool joining, NodeId replaced) {
  const NodeId id = node.id;
  if (!m.contains(id)) {
    const auto at = std::lower_bound(m.members.begin(), m.members.end(), id,
                                     [](const Member& x, NodeId y) { return x.id < y; });
    m.members.insert(at, std::move(node));
    insert(m.learners, id);
  }
  if (joining) {
    m.joining = id;
    m.replaced = replaced;
  }
  return checked(std::move(m));
}

Membership without_learner(Membership m, NodeId learner) {
  KIWI_ASSERT(m.is_learner(learner) && m.joining != learner, "only a mere learner goes in one step");
  erase(m.learners, learner);
  dismiss(m, learner);
  return checked(std::move(m));
}

Membership without_change(Membership m) {
  m.joining = m.replaced = NodeId(0);
  return checked(std::move(m));
}

Membership joint_with_joining(Membership m) {
  KIWI_ASSERT(m.joining && !m.joint(), "who becomes a voter was a learner");
  m.outgoing_voters = m.voters;
  insert(m.voters, m.joining);
  erase(m.learners, m.joining);
  if (m.replaced)
    erase(m.voters, m.replaced);
  m.joining = m.replaced = NodeId(0);
  return checked(std::move(m));
}

Membership joint_without(Membership m, NodeId voter) {
  KIWI_ASSERT(!m.joint() && !m.joining && m.voters.size() > 1, "one change at a time");
  m.outgoing_voters = m.voters;
  erase(m.voters, voter);
  return checked(std::move(m));
}

Membership left_joint(Membership m) {
  KIWI_ASSERT(m.joint(), "only a joint membership is left");
  const std::vector<NodeId> before = std::exchange(m.outgoing_voters, {});
  for (NodeId id : before)
    if (!m.is_voter(id))
      dismiss(m, id);
  return checked(std::move(m));
}

Membership target_of(Membership m) {
  if (m.joint())
    return left_joint(std::move(m));
  return m.joining ? left_joint(joint_with_joining(std::move(m))) : m;
}

}  // namespace kiwi::raft
