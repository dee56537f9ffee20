#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "messages/ids.hpp"

namespace kiwi {

/// HOST:REDISPORT@RAFTPORT, Redis Cluster's own notation.
struct NodeAddress {
  static constexpr const char* name = "NodeAddress";
  std::string host;
  std::uint16_t redis_port = 0;
  std::uint16_t raft_port = 0;
  auto fields() { return std::tie(host, redis_port, raft_port); }
  friend bool operator==(const NodeAddress&, const NodeAddress&) = default;
};

inline std::string to_string(const NodeAddress& a) {
  return a.host + ":" + std::to_string(a.redis_port) + "@" + std::to_string(a.raft_port);
}

struct Member {
  static constexpr const char* name = "Member";
  NodeId id;
  NodeAddress address;
  auto fields() { return std::tie(id, address); }
  friend bool operator==(const Member&, const Member&) = default;
};

/// Who belongs to the cluster. Joint-capable (Raft 6): while outgoing_voters is not empty, every majority
/// must be reached in voters and in outgoing_voters. Learners receive the log and never count.
///
/// A change under way is data, too, so that every leader goes on with it: `joining` is a learner that becomes
/// a voter by itself once it has caught up, in the place of the voter `replaced` if that is not 0.
///
/// Invariants (well_formed): id lists are sorted and without doubles; every id in voters, outgoing_voters and
/// learners has a Member, and nobody else has; a learner is no voter; nobody who is in `removed` is a member;
/// `joining` is a learner, `replaced` a voter; neither is set while it is joint.
struct Membership {
  static constexpr const char* name = "Membership";
  std::vector<NodeId> voters;
  std::vector<NodeId> outgoing_voters;
  std::vector<NodeId> learners;
  std::vector<Member> members;  // sorted by id
  NodeId joining;               // 0: nobody
  NodeId replaced;              // 0: nobody
  /// Ids that were members once. They never come back (rule 11).
  std::vector<NodeId> removed;
  auto fields() { return std::tie(voters, outgoing_voters, learners, members, joining, replaced, removed); }
  friend bool operator==(const Membership&, const Membership&) = default;

  bool joint() const { return !outgoing_voters.empty(); }
  bool is_learner(NodeId id) const { return std::binary_search(learners.begin(), learners.end(), id); }
  bool was_removed(NodeId id) const { return std::binary_search(removed.begin(), removed.end(), id); }
  bool is_voter(NodeId id) const {
    return std::binary_search(voters.begin(), voters.end(), id) ||
           std::binary_search(outgoing_voters.begin(), outgoing_voters.end(), id);
  }
  bool contains(NodeId id) const { return find(id) != nullptr; }
  const Member* find(NodeId id) const {
    for (const auto& m : members)
      if (m.id == id)
        return &m;
    return nullptr;
  }
};

/// The invariants above, for what comes from a disk or from another node.
bool well_formed(const Membership& membership);

/// A cluster of voters only, as --initial-cluster gives it.
inline Membership membership_of(std::vector<Member> members) {
  Membership m;
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.id < b.id; });
  for (const auto& x : members) m.voters.push_back(x.id);
  m.members = std::move(members);
  return m;
}

}  // namespace kiwi
