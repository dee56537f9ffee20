#include "messages/membership.hpp"

namespace kiwi {

namespace {
bool ascending(const std::vector<NodeId>& ids) {
  return std::adjacent_find(ids.begin(), ids.end(), [](NodeId a, NodeId b) { return !(a < b); }) == ids.end();
}
}  // namespace

bool well_formed(const Membership& m) {
  const auto by_id = [](const Member& a, const Member& b) { return !(a.id < b.id); };
  if (!ascending(m.voters) || !ascending(m.outgoing_voters) || !ascending(m.learners) ||
      !ascending(m.removed) || m.voters.empty() ||
      std::adjacent_find(m.members.begin(), m.members.end(), by_id) != m.members.end())
    return false;
  const auto known = [&](NodeId id) { return id.value != 0 && m.contains(id); };
  if (!std::all_of(m.voters.begin(), m.voters.end(), known) ||
      !std::all_of(m.outgoing_voters.begin(), m.outgoing_voters.end(), known) ||
      !std::all_of(m.learners.begin(), m.learners.end(), known))
    return false;
  for (const Member& x : m.members)
    if (m.is_voter(x.id) == m.is_learner(x.id) || m.was_removed(x.id))
      return false;
  if ((m.joining || m.replaced) && m.joint())
    return false;
  return (!m.joining || m.is_learner(m.joining)) && (!m.replaced || (m.joining && m.is_voter(m.replaced)));
}

}  // namespace kiwi
