#include "lab/process/digests.hpp"

#include <gtest/gtest.h>

namespace kiwi::lab {
namespace {

struct Cluster {
  struct Asked {
    NodeId node;
    std::vector<std::string> command;
    Digests::Answered answered;
  };
  std::vector<Asked> asked;
  Digests digests{[this](NodeId node, const std::vector<std::string>& command, Digests::Answered answered) {
    asked.push_back({node, command, std::move(answered)});
    return true;
  }};
};

Reply digest(const std::string& hex) {
  return Reply::array({Reply::bulk(std::string("index")), Reply::of(12), Reply::bulk(std::string("digest")),
                       Reply::bulk(std::string(hex)), Reply::bulk(std::string("keys")), Reply::of(3)});
}

TEST(Digests, come_from_one_marker_in_the_log) {
  Cluster c;
  EXPECT_EQ(c.digests.of(NodeId(1), NodeId(2), Time(1)), "");
  ASSERT_EQ(c.asked.size(), 1u);
  EXPECT_EQ(c.asked[0].node, NodeId(2));
  EXPECT_EQ(c.digests.of(NodeId(3), NodeId(2), Time(2)), "") << "the marker is still on its way";
  ASSERT_EQ(c.asked.size(), 1u);
  c.asked[0].answered(Reply::of(12));
  EXPECT_EQ(c.digests.of(NodeId(1), NodeId(2), Time(3)), "");
  EXPECT_EQ(c.digests.of(NodeId(3), NodeId(2), Time(4)), "");
  ASSERT_EQ(c.asked.size(), 3u);
  EXPECT_EQ(c.asked[1].command, (std::vector<std::string>{"RAFT.DIGEST", "GET", "12"}));
  c.asked[1].answered(digest("ab"));
  c.asked[2].answered(Reply::nil());  // not computed yet
  EXPECT_EQ(c.digests.of(NodeId(1), NodeId(2), Time(5)), "12:ab");
  EXPECT_EQ(c.digests.of(NodeId(3), NodeId(2), Time(6)), "");
  ASSERT_EQ(c.asked.size(), 4u) << "asked again";
  c.asked[3].answered(digest("cd"));
  EXPECT_EQ(c.digests.of(NodeId(3), NodeId(2), Time(7)), "12:cd");
}

TEST(Digests, are_taken_anew_after_a_while) {
  Cluster c;
  c.digests.of(NodeId(1), NodeId(2), Time(0));
  c.asked[0].answered(Reply::of(12));
  c.digests.of(NodeId(1), NodeId(2), Time(1));
  c.digests.of(NodeId(1), NodeId(2), std::chrono::seconds(60));
  ASSERT_EQ(c.asked.size(), 3u);
  EXPECT_EQ(c.asked[2].command, (std::vector<std::string>{"RAFT.DIGEST"}));
  c.asked[1].answered(digest("old"));
  EXPECT_EQ(c.digests.of(NodeId(1), NodeId(2), std::chrono::seconds(60)), "")
      << "an answer about the old marker";
}

TEST(Digests, need_a_leader) {
  Cluster c;
  EXPECT_EQ(c.digests.of(NodeId(1), NodeId(0), Time(0)), "");
  EXPECT_TRUE(c.asked.empty());
}

}  // namespace
}  // namespace kiwi::lab
