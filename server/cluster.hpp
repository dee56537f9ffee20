#pragma once

// CLUSTER as Redis Cluster's clients read it: one shard that owns all slots, its master the Raft leader, its
// replicas the other members. So a client that knows any node finds the leader, and again after a fail-over.
//
// States, and what clients make of them:
//   leader known     SLOTS and SHARDS name it; cluster_state:ok.
//   no leader known  SLOTS and SHARDS answer CLUSTERDOWN and cluster_state is fail: a client that looks for
//   the
//                    cluster goes on to the next node it knows (redis-py) or tries again later (ioredis). An
//                    empty list would be taken for an answer and leave the client without any node.
//   no cluster       as without a leader, with words of its own; NODES shows this node alone.

#include <string>
#include <string_view>

#include "messages/ids.hpp"
#include "messages/reply.hpp"

namespace kiwi {

struct NodeStatus;

/// `subcommand` is one of the table's that need a status: slots, shards, nodes, info, myid.
Reply cluster_reply(std::string_view subcommand, const NodeStatus& status);

/// A node's name in Redis Cluster's form, 40 hex digits: a hash of the cluster and the node's id, so all
/// nodes give the same, before and after a restart.
std::string cluster_node_name(ClusterId cluster, NodeId node);

}  // namespace kiwi
