#pragma once

// Majorities, in one place: commit (Raft 5.3, 5.4), votes (5.2), read confirmation (thesis 6.4), check-quorum
// (thesis 6.2) and the agreed time (rule 8) all ask the same question. Joint memberships need a majority in
// both halves (Raft 6); learners never count.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "messages/membership.hpp"

namespace kiwi::raft {

/// The largest v such that a majority of the `count` values is at least v. Reorders `values`.
/// 0 for an empty list: nobody is no majority.
std::uint64_t majority_value(std::uint64_t* values, std::size_t count);

template <class ValueOf>
std::uint64_t majority_value(const std::vector<NodeId>& ids, ValueOf value_of) {
  constexpr std::size_t kUsual = 9;
  if (ids.size() <= kUsual) {
    std::array<std::uint64_t, kUsual> values{};
    for (std::size_t i = 0; i < ids.size(); ++i) values[i] = value_of(ids[i]);
    return majority_value(values.data(), ids.size());
  }
  std::vector<std::uint64_t> values;
  for (NodeId id : ids) values.push_back(value_of(id));
  return majority_value(values.data(), values.size());
}

/// The lists in which a majority is needed; the second is null unless the membership is joint.
struct CountedVoters {
  const std::vector<NodeId>* incoming = nullptr;
  const std::vector<NodeId>* outgoing = nullptr;
};
CountedVoters counted_voters(const Membership& membership);

/// The largest v that a quorum has reached: the lower of the two halves of a joint membership.
/// `value_of(NodeId) -> std::uint64_t`.
template <class ValueOf>
std::uint64_t quorum_value(const Membership& membership, ValueOf value_of) {
  const CountedVoters counted = counted_voters(membership);
  const std::uint64_t incoming = majority_value(*counted.incoming, value_of);
  if (counted.outgoing == nullptr)
    return incoming;
  const std::uint64_t outgoing = majority_value(*counted.outgoing, value_of);
  return incoming < outgoing ? incoming : outgoing;
}

/// `agrees(NodeId) -> bool`.
template <class Agrees>
bool has_quorum(const Membership& membership, Agrees agrees) {
  return quorum_value(membership, [&](NodeId id) { return agrees(id) ? 1u : 0u; }) == 1;
}

}  // namespace kiwi::raft
