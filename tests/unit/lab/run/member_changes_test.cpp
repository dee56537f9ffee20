// Random changes of members, and what their replies must have in common.

#include "lab/run/member_changes.hpp"

#include <gmock/gmock.h>

#include <set>

#include "lab/script/verbs.hpp"
#include "runs.hpp"

namespace kiwi::lab {
namespace {

std::vector<NodeView> cluster(std::size_t voters, std::size_t spares) {
  std::vector<NodeView> nodes;
  for (std::uint64_t i = 1; i <= voters + spares; ++i) {
    NodeView view;
    view.id = NodeId(i);
    view.up = true;
    nodes.push_back(view);
  }
  for (std::size_t i = 0; i < voters; ++i) {
    for (std::uint64_t id = 1; id <= voters; ++id) {
      nodes[i].voters.push_back(NodeId(id));
    }
  }
  nodes[0].role = NodeRole::leader;
  return nodes;
}

class Addresses final : public Listener {
 public:
  void connected(ConnectionId) override {}
  void replied(ConnectionId, const Reply&) override {}
  void closed(ConnectionId, const std::string&) override {}
  void changed(NodeId) override {}
  void happened(const Happening&) override {}
  void marked(NodeId, std::string_view) override {}
};

/// The first words of all that is drawn.
std::set<std::string> drawn(const std::vector<NodeView>& nodes) {
  Addresses nobody;
  const FakeBackend backend(nodes.size(), nobody);
  std::set<std::string> kinds;
  for (std::uint64_t i = 0; i < 400; ++i) {
    ChanceStream chance = Chance(i).stream("test", "members");
    const auto action = draw_member_change(chance, backend, nodes, Index(9));
    if (action) {
      EXPECT_EQ(script::wrong_action(*action), "") << script::lower(*action);
      kinds.insert(action->words[0] + (action->words.size() > 1 && action->words[0] != "RAFT.TRANSFER_LEADER"
                                           ? " " + action->words[1]
                                           : ""));
    }
  }
  return kinds;
}

TEST(MemberChanges, EveryCommandIsDrawnWhenThereAreSpares) {
  EXPECT_EQ(drawn(cluster(4, 2)),
            (std::set<std::string>{"RAFT.CLUSTER JOIN", "RAFT.NODE ADD", "RAFT.NODE CANCEL",
                                   "RAFT.NODE REMOVE", "RAFT.NODE REPLACE", "RAFT.TRANSFER_LEADER"}));
}

TEST(MemberChanges, ThreeVotersAreLeftAndNobodyIsAddedWhoIsNotThere) {
  EXPECT_EQ(drawn(cluster(3, 0)), (std::set<std::string>{"RAFT.NODE CANCEL", "RAFT.TRANSFER_LEADER"}));
}

TEST(MemberChanges, WithoutALeaderNothingIsAsked) {
  auto nodes = cluster(4, 2);
  nodes[0].role = NodeRole::follower;
  EXPECT_TRUE(drawn(nodes).empty());
}

TEST(MemberChanges, TheNumberOfAConfigurationIsRead) {
  EXPECT_EQ(configuration_of(Reply::simple("OK configuration 17: node 4 leaves")), Index(17));
  EXPECT_EQ(configuration_of(Reply::simple("OK")), std::nullopt);
  EXPECT_EQ(configuration_of(Reply::error("ERR configuration 17: no")), std::nullopt);
}

struct Replies {
  history::History history;
  std::uint64_t begin(std::vector<std::string> command) {
    history::Operation operation;
    operation.load = "do";
    operation.command = std::move(command);
    return history.append(std::move(operation));
  }
  void end(std::uint64_t number, Reply reply) {
    history::Completion completion;
    completion.outcome = history::Outcome::done;
    completion.reply = std::move(reply);
    history.complete(number, std::move(completion));
  }
  void ask(std::vector<std::string> command, Reply reply) {
    end(begin(std::move(command)), std::move(reply));
  }
  std::string wrong() const { return wrong_member_replies(history); }
};

Reply configuration(int number) {
  return Reply::simple("OK configuration " + std::to_string(number) + ": done");
}

TEST(MemberReplies, OneAfterTheOtherAndRefusalsAreFine) {
  Replies r;
  r.ask({"RAFT.NODE", "ADD", "4", "h:1@2"}, configuration(7));
  r.ask({"RAFT.NODE", "REMOVE", "1"}, Reply::error("TRYAGAIN a change is under way"));
  r.ask({"RAFT.NODE", "REMOVE", "1", "IF", "7"}, configuration(9));
  r.ask({"RAFT.TRANSFER_LEADER"}, Reply::simple("OK"));
  r.ask({"RAFT.NODE", "REMOVE", "1", "IF", "7"}, Reply::error("ERR the configuration is number 10, not 7"));
  EXPECT_EQ(r.wrong(), "");
}

TEST(MemberReplies, OneConfigurationForTwoChangesIsWrong) {
  Replies r;
  const auto one = r.begin({"RAFT.NODE", "REMOVE", "4"});
  const auto two = r.begin({"RAFT.NODE", "REMOVE", "5"});
  r.end(one, configuration(7));
  r.end(two, configuration(7));
  EXPECT_THAT(r.wrong(), testing::HasSubstr("one configuration for two changes"));
}

TEST(MemberReplies, NumbersFollowTime) {
  Replies r;
  r.ask({"RAFT.NODE", "REMOVE", "4"}, configuration(7));
  r.ask({"RAFT.NODE", "REMOVE", "5"}, configuration(6));
  EXPECT_THAT(r.wrong(), testing::HasSubstr("a later change has an earlier number"));
}

TEST(MemberReplies, AConditionHoldsUntilAnotherChange) {
  Replies r;
  r.ask({"RAFT.NODE", "REMOVE", "4"}, configuration(7));
  r.ask({"RAFT.NODE", "REMOVE", "5", "IF", "3"}, configuration(9));
  EXPECT_THAT(r.wrong(), testing::HasSubstr("its condition did not hold"));
}

TEST(MemberReplies, WhatIsNoReplyOfTheirsIsWrong) {
  Replies r;
  r.ask({"RAFT.NODE", "REMOVE", "4"}, Reply::error("WRONGTYPE what"));
  EXPECT_THAT(r.wrong(), testing::HasSubstr("no such reply"));
}

}  // namespace
}  // namespace kiwi::lab
