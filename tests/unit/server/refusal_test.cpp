#include "server/refusal.hpp"

#include "tests/unit/server/server_fixture.hpp"

namespace kiwi::testing {
namespace {

TEST(Refusal, EachKindHasItsCode) {
  const NodeAddress leader{"10.0.0.2", 7002, 17002};
  EXPECT_EQ(wire(refusal(AnswerKind::not_leader, leader, 12182)), "-MOVED 12182 10.0.0.2:7002\r\n");
  EXPECT_EQ(wire(refusal(AnswerKind::no_leader, {}, 1)),
            "-CLUSTERDOWN The cluster is down: no leader is known\r\n");
  EXPECT_EQ(wire(refusal(AnswerKind::no_cluster, {}, 0)),
            "-NOCLUSTER this node belongs to no cluster yet; use RAFT.CLUSTER INIT or RAFT.CLUSTER JOIN\r\n");
  EXPECT_EQ(wire(refusal(AnswerKind::overloaded, {}, 0)),
            "-TRYAGAIN this node has too much work in flight; the command was not done\r\n");
  EXPECT_EQ(wire(refusal(AnswerKind::too_large, {}, 0)),
            "-ERR the command is larger than 50331648 bytes; it was not done\r\n");
  EXPECT_EQ(wire(refusal(AnswerKind::loading, {}, 0)),
            "-LOADING this node has not yet caught up with its cluster\r\n");
  EXPECT_EQ(wire(refusal(AnswerKind::removed, {}, 0)),
            "-CLUSTERDOWN this node was removed from its cluster; ask another node\r\n");
  EXPECT_EQ(wire(refusal(AnswerKind::handing_over, {}, 0)),
            "-TRYAGAIN leadership is being handed over; the command was not done\r\n");
  EXPECT_EQ(
      wire(refusal(AnswerKind::no_space, {}, 0)),
      "-MISCONF No space left on device: the disks of this node or of most nodes are nearly full; the write "
      "was not done\r\n");
  EXPECT_EQ(wire(refusal(AnswerKind::out_of_service, {}, 0)),
            "-CLUSTERDOWN this node is out of service and opens its data again by itself\r\n");
  EXPECT_EQ(wire(refusal(AnswerKind::stopping, {}, 0)), "-CLUSTERDOWN this node is shutting down\r\n");
  EXPECT_EQ(wire(refusal(AnswerKind::unknown, {}, 0)),
            "-TIMEOUT the outcome of the command is unknown: it may have been applied or may still be\r\n");
}

TEST(Refusal, AnAnswerThatIsDoneIsNone) {
  EXPECT_DEATH(refusal(AnswerKind::done, {}, 0), "an answer that is done carries its reply");
}

TEST(Refusal, AdminReplies) {
  EXPECT_EQ(wire(init_cluster_reply("")), "+OK\r\n");
  EXPECT_EQ(wire(already_in_cluster()), "-ERR this node belongs to a cluster already\r\n");
  EXPECT_EQ(wire(digest_marker_reply(Index(9))), ":9\r\n");
  EXPECT_EQ(wire(digest_reply(std::nullopt)), "$-1\r\n");
  EXPECT_EQ(wire(digest_reply(StateDigest{Index(9), "abcd", 3}), RespVersion::resp3),
            "%3\r\n$5\r\nindex\r\n:9\r\n$6\r\ndigest\r\n$4\r\nabcd\r\n$4\r\nkeys\r\n:3\r\n");
  EXPECT_EQ(wire(too_many_clients()), "-ERR max number of clients reached\r\n");
}

}  // namespace
}  // namespace kiwi::testing
