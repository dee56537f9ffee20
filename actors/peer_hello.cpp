#include "actors/peer_hello.hpp"

namespace kiwi {

std::uint8_t lane_of(const PeerMessage& message) {
  return std::holds_alternative<AppendRequest>(message) ||
                 std::holds_alternative<InstallSnapshotRequest>(message) ||
                 std::holds_alternative<InstallSnapshotResponse>(message) ||
                 std::holds_alternative<SnapshotPart>(message)
             ? kBulkLane
             : kControlLane;
}

std::string hello_mismatch(const Hello& theirs, const Hello& own) {
  if (theirs.protocol_version != own.protocol_version)
    return "protocol version " + std::to_string(theirs.protocol_version) + ", here is " +
           std::to_string(own.protocol_version);
  if (theirs.cluster != own.cluster)
    return "cluster " + to_string(theirs.cluster) + ", here is " + to_string(own.cluster);
  if (theirs.target != own.node)
    return "meant for node " + to_string(theirs.target) + ", here is " + to_string(own.node);
  if (theirs.node == own.node)
    return "node " + to_string(theirs.node) + " calls itself";
  return {};
}

std::string for_the_log(const std::string& foreign) {
  constexpr std::size_t kMost = 200;
  auto text = foreign.substr(0, kMost);
  for (auto& c : text)
    if (c < ' ' || c > '~' || c == '"')
      c = '?';
  return foreign.size() > kMost ? text + "..." : text;
}

}  // namespace kiwi
