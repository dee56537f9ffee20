// CLUSTER in the three states of a node: leader known, no leader known, no cluster.

#include "server/cluster.hpp"

#include "tests/unit/server/server_fixture.hpp"

namespace kiwi::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

std::string name_of(std::uint64_t id) { return cluster_node_name(ClusterId(77), NodeId(id)); }

std::string node_on_wire(std::uint64_t id) {
  return "*4\r\n$8\r\n10.0.0." + std::to_string(id) + "\r\n:700" + std::to_string(id) + "\r\n$40\r\n" +
         name_of(id) + "\r\n*0\r\n";
}

TEST(Cluster, NodeNamesAreStableAndDistinct) {
  EXPECT_THAT(name_of(1), MatchesRegex("[0-9a-f]{40}"));
  EXPECT_EQ(name_of(1), name_of(1));
  EXPECT_NE(name_of(1), name_of(2));
  EXPECT_NE(name_of(1), cluster_node_name(ClusterId(78), NodeId(1)));
  // Clients keep these names: they may not change from one version to the next.
  EXPECT_EQ(name_of(1), "ed031d0a5d438bd753e1b410293044fe02fe2baf");
}

TEST(Cluster, SlotsOfAFollowerNameTheLeaderFirst) {
  Server s;
  s.status = follower_status();
  EXPECT_EQ(s.says("CLUSTER SLOTS"),
            "*1\r\n*5\r\n:0\r\n:16383\r\n" + node_on_wire(2) + node_on_wire(1) + node_on_wire(3));
}

TEST(Cluster, SlotsOfTheLeaderLeaveOutAReplicaThatIsDown) {
  Server s;
  s.status = leader_status();
  EXPECT_EQ(s.says("CLUSTER SLOTS"), "*1\r\n*4\r\n:0\r\n:16383\r\n" + node_on_wire(1) + node_on_wire(2));
}

TEST(Cluster, ALeaderIsNamedEvenIfItsLinkIsDown) {
  Server s;
  s.status = follower_status();
  s.status.connected_peers = {};
  EXPECT_EQ(s.says("CLUSTER SLOTS"), "*1\r\n*4\r\n:0\r\n:16383\r\n" + node_on_wire(2) + node_on_wire(1));
}

TEST(Cluster, ALearnerIsNoReplicaToReadFromYet) {
  Server s;
  s.status = leader_status();
  s.status.membership.learners = {NodeId(2)};
  s.status.membership.voters = {NodeId(1), NodeId(3)};
  EXPECT_EQ(s.says("CLUSTER SLOTS"), "*1\r\n*3\r\n:0\r\n:16383\r\n" + node_on_wire(1));
  EXPECT_THAT(s.says("CLUSTER SHARDS"), HasSubstr("loading"));
  EXPECT_THAT(s.says("CLUSTER NODES"), HasSubstr(name_of(2) + " 10.0.0.2:7002@17002 slave "));
}

TEST(Cluster, ALeaderOutsideTheMembershipIsNamedAsLongAsItLeads) {
  Server s;
  s.status = follower_status();
  s.status.leader = NodeId(4);
  s.status.leader_outside = member(4);
  EXPECT_EQ(s.says("CLUSTER SLOTS"), "*1\r\n*6\r\n:0\r\n:16383\r\n" + node_on_wire(4) + node_on_wire(1) +
                                         node_on_wire(2) + node_on_wire(3));
}

TEST(Cluster, ARemovedNodeSendsClientsOn) {
  Server s;
  s.status = follower_status();
  s.status.removed = true;
  EXPECT_THAT(s.says("CLUSTER SLOTS"), HasSubstr("-CLUSTERDOWN"));
}

TEST(Cluster, WithoutALeaderClientsAreSentOn) {
  Server s;
  s.status = no_leader_status();
  const std::string down = "-CLUSTERDOWN The cluster is down: no leader is known (CLUSTERDOWN)\r\n";
  EXPECT_EQ(s.says("CLUSTER SLOTS"), down);
  EXPECT_EQ(s.says("CLUSTER SHARDS"), down);
  EXPECT_THAT(s.says("CLUSTER INFO"), HasSubstr("cluster_state:fail\r\ncluster_slots_assigned:0\r\n"));
  EXPECT_THAT(s.says("CLUSTER INFO"), HasSubstr("cluster_known_nodes:3\r\ncluster_size:0\r\n"));
  EXPECT_THAT(s.says("CLUSTER NODES"), Not(HasSubstr("master")));
}

TEST(Cluster, WithoutAClusterItSaysSo) {
  Server s;
  s.status = no_cluster_status();
  const std::string none =
      "-CLUSTERDOWN this node belongs to no cluster yet; use RAFT.CLUSTER INIT or RAFT.CLUSTER JOIN "
      "(CLUSTERDOWN)\r\n";
  EXPECT_EQ(s.says("CLUSTER SLOTS"), none);
  EXPECT_EQ(s.says("CLUSTER SHARDS"), none);
  EXPECT_THAT(s.says("CLUSTER INFO"), HasSubstr("cluster_state:fail\r\n"));
  EXPECT_THAT(s.says("CLUSTER INFO"), HasSubstr("cluster_known_nodes:1\r\n"));
  EXPECT_EQ(
      s.reply("CLUSTER NODES").text.str(),
      cluster_node_name(ClusterId(), NodeId(1)) + " 10.0.0.1:7001@17001 myself,noflags - 0 0 0 connected\n");
}

TEST(Cluster, ALeaderThatLeftTheMembershipIsNotNamed) {
  Server s;
  s.status = follower_status();
  s.status.leader = NodeId(9);
  EXPECT_THAT(s.says("CLUSTER SLOTS"), HasSubstr("-CLUSTERDOWN"));
}

TEST(Cluster, NodesAreOnePerLine) {
  Server s;
  s.status = leader_status();
  EXPECT_EQ(s.reply("CLUSTER NODES").text.str(),
            name_of(1) + " 10.0.0.1:7001@17001 myself,master - 0 0 5 connected 0-16383\n" +  //
                name_of(2) + " 10.0.0.2:7002@17002 slave " + name_of(1) + " 0 0 5 connected\n" + name_of(3) +
                " 10.0.0.3:7003@17003 slave,fail? " + name_of(1) + " 0 0 5 disconnected\n");
  EXPECT_EQ(s.says("CLUSTER MYID"), "$40\r\n" + name_of(1) + "\r\n");
}

TEST(Cluster, ShardsSayOnlyWhatThisNodeKnows) {
  Server s;
  s.status = leader_status();
  s.says("HELLO 3");
  auto node = [](std::uint64_t id, const std::string& role, const std::string& offset,
                 const std::string& health) {
    const auto n = std::to_string(id);
    const bool known = !offset.empty();
    return std::string(known ? "%7" : "%6") + "\r\n$2\r\nid\r\n$40\r\n" + name_of(id) +
           "\r\n$4\r\nport\r\n:700" + n + "\r\n$2\r\nip\r\n$8\r\n10.0.0." + n +
           "\r\n$8\r\nendpoint\r\n$8\r\n10.0.0." + n + "\r\n$4\r\nrole\r\n$" + std::to_string(role.size()) +
           "\r\n" + role + "\r\n" + (known ? "$18\r\nreplication-offset\r\n:" + offset + "\r\n" : "") +
           "$6\r\nhealth\r\n$" + std::to_string(health.size()) + "\r\n" + health + "\r\n";
  };
  const std::string head = "*1\r\n%2\r\n$5\r\nslots\r\n*2\r\n:0\r\n:16383\r\n$5\r\nnodes\r\n*3\r\n";
  EXPECT_EQ(s.says("CLUSTER SHARDS"), head + node(1, "master", "40", "online") +
                                          node(2, "replica", "39", "online") +
                                          node(3, "replica", "12", "fail"));
  s.status = follower_status();
  s.status.caught_up = false;
  EXPECT_EQ(s.says("CLUSTER SHARDS"), head + node(2, "master", "", "online") +
                                          node(1, "replica", "40", "loading") +
                                          node(3, "replica", "", "online"));
}

TEST(Cluster, InfoOfAHealthyCluster) {
  Server s;
  EXPECT_EQ(s.reply("CLUSTER INFO").text.str(),
            "cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16384\r\n"
            "cluster_slots_pfail:0\r\ncluster_slots_fail:0\r\ncluster_known_nodes:3\r\ncluster_size:1\r\n"
            "cluster_current_epoch:5\r\ncluster_my_epoch:5\r\n");
}

TEST(Cluster, KeySlotNeedsNoStatus) {
  Server s;
  EXPECT_TRUE(std::holds_alternative<ReplyNow>(s.step("CLUSTER KEYSLOT foo")));
  EXPECT_EQ(s.says("CLUSTER KEYSLOT a{b}c"), ":3300\r\n");
  EXPECT_EQ(s.says("CLUSTER KEYSLOT"), "-ERR wrong number of arguments for 'cluster|keyslot' command\r\n");
  EXPECT_EQ(s.says("CLUSTER NOSUCH"), "-ERR unknown subcommand 'NOSUCH'. Try CLUSTER HELP.\r\n");
}

}  // namespace
}  // namespace kiwi::testing
