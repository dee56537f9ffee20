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
/// Invariants: id lists are sorted and without doubles; every listed id has a Member; a learner is no voter.
struct Membership {
  static constexpr const char* name = "Membership";
  std::vector<NodeId> voters;
  std::vector<NodeId> outgoing_voters;
  std::vector<NodeId> learners;
  std::vector<Member> members;  // sorted by id
  auto fields() { return std::tie(voters, outgoing_voters, learners, members); }
  friend bool operator==(const Membership&, const Membership&) = default;

  bool joint() const { return !outgoing_voters.empty(); }
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

/// A cluster of voters only, as --initial-cluster gives it.
inline Membership membership_of(std::vector<Member> members) {
  Membership m;
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.id < b.id; });
  for (const auto& x : members) m.voters.push_back(x.id);
  m.members = std::move(members);
  return m;
}

}  // namespace kiwi
