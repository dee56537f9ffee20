#include "server/cluster.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/key_slot.hpp"
#include "server/node_status.hpp"

namespace kiwi {

namespace {

constexpr std::int64_t kFirstSlot = 0;
constexpr std::int64_t kLastSlot = kSlots - 1;

Reply text(std::string_view words) { return Reply::bulk(std::string(words)); }
Reply number(std::uint64_t n) { return Reply::of(static_cast<std::int64_t>(n)); }

const Member* leader_of(const NodeStatus& status) {
  if (!status.has_cluster || !status.leader || status.removed)
    return nullptr;
  const auto* member = status.membership.find(status.leader);
  // It leads until its own removal is committed, or by a membership that this log does not hold yet.
  const bool outside = member == nullptr && status.leader_outside.id == status.leader;
  return outside ? &status.leader_outside : member;
}

bool learns(const NodeStatus& status, NodeId node) {
  const auto& learners = status.membership.learners;
  return std::binary_search(learners.begin(), learners.end(), node);
}

/// Leader first, then the others by id.
std::vector<const Member*> members_of(const NodeStatus& status, const Member* leader) {
  std::vector<const Member*> out;
  if (leader != nullptr)
    out.push_back(leader);
  for (const auto& member : status.membership.members)
    if (&member != leader)
      out.push_back(&member);
  return out;
}

/// As far as this node can tell: the leader by what it hears, another node by its link.
bool reachable(const NodeStatus& status, NodeId node) {
  if (node == status.id)
    return true;
  for (const auto& follower : status.followers)
    if (follower.id == node)
      return follower.recently_active;
  const auto& peers = status.connected_peers;
  return std::find(peers.begin(), peers.end(), node) != peers.end();
}

/// redis-py takes the code off an error and then looks for the word in the rest, to know that it may ask the
/// next node: so it is there twice.
Reply cluster_down(const NodeStatus& status) {
  if (!status.has_cluster)
    return Reply::error(
        "CLUSTERDOWN this node belongs to no cluster yet; use RAFT.CLUSTER INIT or RAFT.CLUSTER JOIN "
        "(CLUSTERDOWN)");
  return Reply::error("CLUSTERDOWN The cluster is down: no leader is known (CLUSTERDOWN)");
}

Reply slots(const NodeStatus& status) {
  const auto* leader = leader_of(status);
  if (leader == nullptr)
    return cluster_down(status);
  std::vector<Reply> range{Reply::of(kFirstSlot), Reply::of(kLastSlot)};
  for (const auto* member : members_of(status, leader)) {
    // As in Redis, a replica that is down is left out; the leader never is. A learner has not caught up.
    if (member != leader && (!reachable(status, member->id) || learns(status, member->id)))
      continue;
    range.push_back(
        Reply::array({text(member->address.host), number(member->address.redis_port),
                      Reply::bulk(cluster_node_name(status.cluster, member->id)), Reply::map({})}));
  }
  return Reply::array({Reply::array(std::move(range))});
}

Reply shard_node(const NodeStatus& status, const Member& member, const Member* leader) {
  std::vector<Reply> out;
  auto add = [&out](std::string_view name, Reply value) {
    out.push_back(text(name));
    out.push_back(std::move(value));
  };
  add("id", Reply::bulk(cluster_node_name(status.cluster, member.id)));
  add("port", number(member.address.redis_port));
  add("ip", text(member.address.host));
  add("endpoint", text(member.address.host));
  add("role", text(&member == leader ? "master" : "replica"));
  // Only what this node knows: its own position, and that of its followers if it leads.
  if (member.id == status.id)
    add("replication-offset", number(status.applied.value));
  for (const auto& follower : status.followers)
    if (follower.id == member.id)
      add("replication-offset", number(follower.match.value));
  const bool behind = learns(status, member.id) || (member.id == status.id && !status.caught_up);
  const bool catching_up = &member != leader && behind;
  add("health", text(!reachable(status, member.id) ? "fail" : catching_up ? "loading" : "online"));
  return Reply::map(std::move(out));
}

Reply shards(const NodeStatus& status) {
  const auto* leader = leader_of(status);
  if (leader == nullptr)
    return cluster_down(status);
  std::vector<Reply> nodes;
  for (const auto* member : members_of(status, leader)) nodes.push_back(shard_node(status, *member, leader));
  return Reply::array({Reply::map({text("slots"), Reply::array({Reply::of(kFirstSlot), Reply::of(kLastSlot)}),
                                   text("nodes"), Reply::array(std::move(nodes))})});
}

/// One line of CLUSTER NODES:
///   name host:port@raftport flags master-name ping-sent pong-received epoch link-state slots
/// Pings are not counted here, so they show as 0, which is Redis' way to say "none".
std::string node_line(const NodeStatus& status, const Member& member, const Member* leader) {
  const bool is_leader = &member == leader;
  std::string flags = member.id == status.id ? "myself," : "";
  flags += is_leader ? "master" : "slave";
  const bool up = reachable(status, member.id);
  // "fail?" is Redis' word for: this node cannot reach it; what the others see is not known.
  if (!up)
    flags += ",fail?";
  std::string line =
      cluster_node_name(status.cluster, member.id) + " " + to_string(member.address) + " " + flags + " ";
  line += is_leader || leader == nullptr ? "-" : cluster_node_name(status.cluster, leader->id);
  line += " 0 0 " + to_string(status.term) + (up ? " connected" : " disconnected");
  if (is_leader)
    line += " " + std::to_string(kFirstSlot) + "-" + std::to_string(kLastSlot);
  return line + "\n";
}

Reply nodes(const NodeStatus& status) {
  const auto* leader = leader_of(status);
  std::string lines;
  for (const auto* member : members_of(status, leader)) lines += node_line(status, *member, leader);
  if (!status.membership.contains(status.id))
    lines += cluster_node_name(status.cluster, status.id) + " " + to_string(status.address) +
             " myself,noflags - 0 0 0 connected\n";
  return Reply::verbatim(std::move(lines));
}

Reply info(const NodeStatus& status) {
  const bool ok = leader_of(status) != nullptr;
  std::string out;
  auto add = [&out](std::string_view name, const std::string& value) {
    out += name;
    out += ':' + value + "\r\n";
  };
  const auto served = std::to_string(ok ? kSlots : 0);
  add("cluster_state", ok ? "ok" : "fail");
  add("cluster_slots_assigned", served);
  add("cluster_slots_ok", served);
  add("cluster_slots_pfail", "0");
  add("cluster_slots_fail", "0");
  add("cluster_known_nodes", std::to_string(std::max<std::size_t>(1, status.membership.members.size())));
  add("cluster_size", ok ? "1" : "0");
  add("cluster_current_epoch", to_string(status.term));
  add("cluster_my_epoch", to_string(status.term));
  return Reply::verbatim(std::move(out));
}

}  // namespace

Reply cluster_reply(std::string_view subcommand, const NodeStatus& status) {
  if (subcommand == "slots")
    return slots(status);
  if (subcommand == "shards")
    return shards(status);
  if (subcommand == "nodes")
    return nodes(status);
  if (subcommand == "info")
    return info(status);
  KIWI_ASSERT(subcommand == "myid", "every subcommand of CLUSTER in the table is answered");
  return Reply::bulk(cluster_node_name(status.cluster, status.id));
}

std::string cluster_node_name(ClusterId cluster, NodeId node) {
  constexpr std::size_t kDigits = 40;
  std::string name;
  for (int part = 0; name.size() < kDigits; ++part) {
    const auto hash =
        checksum64("kiwi node " + to_string(cluster) + "/" + to_string(node) + "/" + std::to_string(part));
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
    name += digits;
  }
  name.resize(kDigits);
  return name;
}

}  // namespace kiwi
