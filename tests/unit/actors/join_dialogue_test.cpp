// What a node that asks to be added says, and how it takes the answers.

#include "actors/join_dialogue.hpp"

#include <gtest/gtest.h>

namespace kiwi::test {
namespace {

using namespace std::chrono_literals;

JoinRequest request() {
  JoinRequest r;
  r.targets = {{"a", 1}, {"b", 2}};
  r.self = {NodeId(4), {"d", 7004, 17004}};
  r.instance = InstanceId(0xabc);
  r.cluster = ClusterId(0x12);
  return r;
}

TEST(JoinDialogue, AsksToBeAddedWithItsIdAddressInstanceAndCluster) {
  const JoinDialogue dialogue(request(), 0ms);
  EXPECT_EQ(dialogue.target(), (HostPort{"a", 1}));
  EXPECT_EQ(dialogue.question(),
            (std::vector<std::string>{"RAFT.NODE", "ADD", "4", "d:7004@17004", "INSTANCE", "0000000000000abc",
                                      "CLUSTER", "0000000000000012"}));
}

TEST(JoinDialogue, AStatusIsTheEndAndARefusalForGoodNamesWhoRefused) {
  JoinDialogue added(request(), 0ms);
  const auto yes = added.answered("+OK configuration 7: ...", 1ms);
  EXPECT_TRUE(yes.over);
  EXPECT_EQ(yes.problem, "");
  JoinDialogue refused(request(), 0ms);
  const auto no = refused.answered("-ERR id 4 belonged to a removed node", 1ms);
  EXPECT_TRUE(no.over);
  EXPECT_EQ(no.problem, "a:1 refuses: id 4 belonged to a removed node");
}

TEST(JoinDialogue, FollowsMovedAtOnceAndComesBackToItsTargetsAfterwards) {
  JoinDialogue dialogue(request(), 0ms);
  auto next = dialogue.answered("-MOVED 0 leader:9", 1ms);
  EXPECT_FALSE(next.over);
  EXPECT_EQ(next.pause, 0ms);
  EXPECT_EQ(dialogue.target(), (HostPort{"leader", 9}));
  next = dialogue.failed("it closed the connection", 2ms);
  EXPECT_FALSE(next.over);
  EXPECT_EQ(dialogue.target(), (HostPort{"b", 2}));
}

TEST(JoinDialogue, NodesThatSendItAroundAreLeftAfterEightRedirects) {
  JoinDialogue dialogue(request(), 0ms);
  for (int i = 0; i < 8; ++i) {
    dialogue.answered(i % 2 == 0 ? "-MOVED 0 b:2" : "-MOVED 0 a:1", 1ms);
    EXPECT_EQ(dialogue.target().host, i % 2 == 0 ? "b" : "a");
  }
  const auto next = dialogue.answered("-MOVED 0 c:3", 1ms);
  EXPECT_FALSE(next.over);
  EXPECT_EQ(dialogue.target(), (HostPort{"b", 2}));
  // The count begins anew with the next target.
  dialogue.answered("-MOVED 0 c:3", 1ms);
  EXPECT_EQ(dialogue.target(), (HostPort{"c", 3}));
}

TEST(JoinDialogue, AMovedWithoutAnAddressIsNoHelp) {
  JoinDialogue dialogue(request(), 0ms);
  EXPECT_FALSE(dialogue.answered("-MOVED 0 nowhere", 1ms).over);
  EXPECT_EQ(dialogue.target(), (HostPort{"b", 2}));
}

TEST(JoinDialogue, RefusalsThatPassAreAskedAgainInRoundsWithAPauseUntilTheLimit) {
  JoinDialogue dialogue(request(), 1000ms);
  for (const auto* line : {"-TRYAGAIN a change is under way", "-CLUSTERDOWN no leader", "-LOADING ...",
                           "-NOCLUSTER ...", "-TIMEOUT ...", "-MISCONF ..."}) {
    const auto first = dialogue.answered(line, 2000ms);
    EXPECT_FALSE(first.over) << line;
    EXPECT_EQ(first.pause, 0ms);
    EXPECT_EQ(dialogue.target(), (HostPort{"b", 2}));
    const auto second = dialogue.answered(line, 10'999ms);
    EXPECT_FALSE(second.over) << line;
    EXPECT_EQ(second.pause, 250ms);
    EXPECT_EQ(dialogue.target(), (HostPort{"a", 1}));
  }
  const auto last = dialogue.answered("-TRYAGAIN a change is under way", 11'000ms);
  EXPECT_TRUE(last.over);
  EXPECT_EQ(last.problem,
            "no node of the cluster could add this one; last a:1: TRYAGAIN a change is under way");
}

TEST(JoinDialogue, WhatIsNoAnswerOfANodeIsTriedElsewhereAndShownHarmlessly) {
  JoinDialogue dialogue(request(), 0ms);
  EXPECT_FALSE(dialogue.answered("HTTP/1.1 400 Bad Request", 1ms).over);
  EXPECT_EQ(dialogue.target(), (HostPort{"b", 2}));
  const auto no = dialogue.answered("-ERR \"quoted\"\nlines", 1ms);
  EXPECT_EQ(no.problem, "b:2 refuses: ?quoted??lines");
}

}  // namespace
}  // namespace kiwi::test
