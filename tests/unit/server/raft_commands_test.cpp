// RAFT.NODE and the like: what a line means, and how its answer reads.

#include "server/raft_commands.hpp"

#include "tests/unit/server/server_fixture.hpp"

namespace kiwi::testing {
namespace {

using Kind = raft::MembershipChange::Kind;
using What = AdminCall::What;
using ::testing::HasSubstr;

struct RaftCommands : ::testing::Test {
  Server s;

  AdminCall call(std::string_view line) {
    auto step = s.step(line);
    auto* asks = std::get_if<AskAdmin>(&step);
    EXPECT_NE(asks, nullptr) << line << " is no call";
    return asks != nullptr ? asks->call : AdminCall{};
  }
  std::string says(std::string_view line) {
    auto step = s.step(line);
    auto* now = std::get_if<ReplyNow>(&step);
    return now != nullptr ? wire(now->reply) : "(no reply at once)";
  }
  std::string answered(std::string_view line, const AdminAnswer& answer) {
    auto step = s.step(line);
    auto& asks = std::get<AskAdmin>(step);
    return wire(admin_reply(*asks.spec, asks.call, answer));
  }
};

TEST_F(RaftCommands, AddNamesANodeAndItsAddress) {
  const auto add = call("RAFT.NODE ADD 4 10.0.0.4:7004@17004");
  EXPECT_EQ(add.what, What::change);
  EXPECT_EQ(add.change.kind, Kind::add_voter);
  EXPECT_EQ(add.change.node, NodeId(4));
  EXPECT_EQ(add.change.address, member(4).address);
  EXPECT_FALSE(add.change.if_configuration);
  EXPECT_FALSE(add.instance);
}

TEST_F(RaftCommands, OptionsComeInAnyOrderAndCase) {
  const auto add =
      call("raft.node add 4 10.0.0.4:7004@17004 if 17 learner cluster 00000000000000ff INSTANCE a");
  EXPECT_EQ(add.change.kind, Kind::add_learner);
  EXPECT_EQ(add.change.if_configuration, Index(17));
  EXPECT_EQ(add.cluster, ClusterId(255));
  EXPECT_EQ(add.instance, InstanceId(10));
}

TEST_F(RaftCommands, TheOthersAreRead) {
  const auto remove = call("RAFT.NODE REMOVE 3 IF 0");
  EXPECT_EQ(remove.change.kind, Kind::remove);
  EXPECT_EQ(remove.change.node, NodeId(3));
  EXPECT_EQ(remove.change.if_configuration, Index(0));
  const auto replace = call("RAFT.NODE REPLACE 3 4 10.0.0.4:7004@17004");
  EXPECT_EQ(replace.change.kind, Kind::replace);
  EXPECT_EQ(replace.change.replaced, NodeId(3));
  EXPECT_EQ(replace.change.node, NodeId(4));
  EXPECT_EQ(call("RAFT.NODE CANCEL").what, What::cancel);
  EXPECT_EQ(call("RAFT.TRANSFER_LEADER").target, NodeId(0));
  EXPECT_EQ(call("RAFT.TRANSFER_LEADER 2").target, NodeId(2));
  const auto join = call("RAFT.CLUSTER JOIN 10.0.0.1:7001 [::1]:7002");
  EXPECT_EQ(join.what, What::join);
  EXPECT_EQ(join.targets, (std::vector<HostPort>{{"10.0.0.1", 7001}, {"::1", 7002}}));
}

TEST_F(RaftCommands, WhatIsWrongIsSaid) {
  EXPECT_EQ(says("RAFT.NODE ADD 0 10.0.0.4:7004@17004"), "-ERR '0' is not a node id (1 or more)\r\n");
  EXPECT_EQ(says("RAFT.NODE REMOVE x"), "-ERR 'x' is not a node id (1 or more)\r\n");
  EXPECT_THAT(says("RAFT.NODE ADD 4 10.0.0.4:7004"), HasSubstr("is not HOST:REDISPORT@RAFTPORT"));
  EXPECT_EQ(says("RAFT.NODE REMOVE 3 LEARNER"), "-ERR syntax error\r\n");
  EXPECT_EQ(says("RAFT.NODE ADD 4 10.0.0.4:7004@17004 IF"), "-ERR syntax error\r\n");
  EXPECT_EQ(says("RAFT.NODE ADD 4"), "-ERR wrong number of arguments for 'raft.node|add' command\r\n");
  EXPECT_EQ(says("RAFT.CLUSTER JOIN"), "-ERR wrong number of arguments for 'raft.cluster|join' command\r\n");
  EXPECT_THAT(says("RAFT.CLUSTER JOIN 10.0.0.1"), HasSubstr("is not HOST:PORT"));
  EXPECT_EQ(says("RAFT.TRANSFER_LEADER two"), "-ERR 'two' is not a node id (1 or more)\r\n");
}

TEST_F(RaftCommands, AnswersAreOkMovedOrAReason) {
  AdminAnswer done;
  done.index = Index(17);
  EXPECT_EQ(
      answered("RAFT.NODE ADD 4 10.0.0.4:7004@17004", done),
      "+OK configuration 17: node 4 becomes a voter once it has caught up; watch it with RAFT.NODES or INFO "
      "raft\r\n");
  EXPECT_THAT(answered("RAFT.NODE REPLACE 3 4 10.0.0.4:7004@17004", done), HasSubstr("the place of node 3"));
  EXPECT_EQ(answered("RAFT.TRANSFER_LEADER", done), "+OK\r\n");
  AdminAnswer elsewhere;
  elsewhere.kind = AnswerKind::not_leader;
  elsewhere.leader = member(2).address;
  EXPECT_EQ(answered("RAFT.NODE REMOVE 3", elsewhere), "-MOVED 0 10.0.0.2:7002\r\n");
  AdminAnswer refused;
  refused.problem = "node 3 is the only voter";
  EXPECT_EQ(answered("RAFT.NODE REMOVE 3", refused), "-ERR node 3 is the only voter\r\n");
  refused.try_again = true;
  EXPECT_EQ(answered("RAFT.NODE REMOVE 3", refused), "-TRYAGAIN node 3 is the only voter\r\n");
  AdminAnswer unknown;
  unknown.kind = AnswerKind::unknown;
  EXPECT_THAT(answered("RAFT.NODE REMOVE 3", unknown), HasSubstr("-TIMEOUT"));
}

TEST_F(RaftCommands, NodesSaysWhatEachCountsFor) {
  s.status = leader_status();
  s.status.last_log = {Term(5), Index(40)};
  auto& m = s.status.membership;
  m.members.push_back(member(4));
  m.learners = {NodeId(4)};
  m.joining = NodeId(4);
  m.replaced = NodeId(3);
  const auto text = wire(s.reply("RAFT.NODES"));
  EXPECT_THAT(text, HasSubstr("10.0.0.4:7004@17004\r\n$4\r\nrole\r\n$11\r\ncatching-up"));
  EXPECT_THAT(text, HasSubstr("role\r\n$14\r\nto-be-replaced"));
  EXPECT_THAT(text, HasSubstr("match\r\n:39\r\n$3\r\nlag\r\n:1"));
}

}  // namespace
}  // namespace kiwi::testing
