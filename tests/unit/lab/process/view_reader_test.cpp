#include "lab/process/view_reader.hpp"

#include <gtest/gtest.h>

namespace kiwi::lab {
namespace {

constexpr std::string_view kInfo =
    "# Raft\r\nraft_node_id:2\r\nraft_role:leader\r\nraft_term:7\r\nraft_leader:2\r\nraft_leader_ready:1\r\n"
    "raft_commit_index:40\r\nraft_applied_index:39\r\nraft_last_log_index:41\r\nraft_log_purged_index:"
    "7\r\nraft_voters:1 2 3\r\n";

NodeView view(std::uint64_t id, std::uint64_t term, NodeRole role, std::uint64_t commit,
              std::uint64_t life = 1) {
  NodeView v;
  v.id = NodeId(id);
  v.term = Term(term);
  v.role = role;
  v.commit = v.applied = v.last = Index(commit);
  v.life = life;
  return v;
}

TEST(ReadInfo, reads_what_a_node_says) {
  NodeView v;
  ASSERT_TRUE(read_info(kInfo, v));
  EXPECT_EQ(v.role, NodeRole::leader);
  EXPECT_EQ(v.term, Term(7));
  EXPECT_EQ(v.leader, NodeId(2));
  EXPECT_EQ(v.commit, Index(40));
  EXPECT_EQ(v.applied, Index(39));
  EXPECT_EQ(v.last, Index(41));
  EXPECT_EQ(v.purged, Index(7));
  EXPECT_EQ(v.voters, (std::vector<NodeId>{NodeId(1), NodeId(2), NodeId(3)}));
}

TEST(ReadInfo, a_node_out_of_service_says_nothing_new) {
  NodeView v;
  ASSERT_TRUE(read_info(kInfo, v));
  ASSERT_TRUE(read_info("# Raft\r\nraft_role:follower\r\nraft_term:0\r\nraft_out_of_service:1\r\n", v));
  EXPECT_EQ(v.role, NodeRole::unknown);
  EXPECT_EQ(v.term, Term(7));
  ASSERT_TRUE(read_info(std::string(kInfo) + "raft_out_of_service:0\r\nraft_reopened:2\r\n", v));
  EXPECT_EQ(v.role, NodeRole::leader);
  EXPECT_EQ(v.reopened, 2u);
}

TEST(ReadInfo, refuses_an_error_or_half_a_text) {
  NodeView v;
  EXPECT_FALSE(read_info("LOADING", v));
  EXPECT_FALSE(read_info(kInfo.substr(0, 100), v));
}

TEST(ViewChecks, finds_two_leaders_of_a_term_however_far_apart) {
  ViewChecks checks;
  EXPECT_FALSE(checks.look(view(1, 3, NodeRole::leader, 5), Time(1)));
  EXPECT_FALSE(checks.look(view(2, 4, NodeRole::leader, 5), Time(2)));
  EXPECT_FALSE(checks.look(view(3, 3, NodeRole::follower, 5), Time(3)));
  const auto broken = checks.look(view(2, 3, NodeRole::leader, 5), Time(4));
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->number, 1);
}

TEST(ViewChecks, finds_what_went_back) {
  ViewChecks checks;
  EXPECT_FALSE(checks.look(view(1, 3, NodeRole::follower, 9), Time(1)));
  EXPECT_FALSE(checks.look(view(1, 3, NodeRole::follower, 4, 2), Time(2))) << "in a new life it may";
  EXPECT_TRUE(checks.look(view(1, 3, NodeRole::follower, 3, 2), Time(3))) << "commit went back";
  EXPECT_TRUE(checks.look(view(1, 2, NodeRole::follower, 3, 3), Time(4))) << "the term went back";
  auto again = view(1, 3, NodeRole::follower, 1, 2);
  again.reopened = 1;
  EXPECT_FALSE(checks.look(again, Time(5))) << "its data was opened again in the same life";
  checks.forget(NodeId(1));
  EXPECT_FALSE(checks.look(view(1, 1, NodeRole::follower, 0, 4), Time(6))) << "its disk was wiped";
}

}  // namespace
}  // namespace kiwi::lab
