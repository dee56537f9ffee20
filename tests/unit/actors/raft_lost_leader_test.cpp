// What the links tell: a leader whose process is gone, a link that came up late, a peer that calls.

#include "messages/codec.hpp"
#include "raft_world.hpp"

namespace kiwi::test {
namespace {

RaftSetup three_nodes() { return {.nodes = 3, .raft = {}, .bindings = {}, .restored = {}, .log = {}}; }

/// As many ticks as an early campaign takes at most, and fewer than the shortest time-out.
constexpr int kEarlyTicks = 8;

struct RaftLostLeader : testing::Test {
  RaftWorld w{three_nodes()};
  void SetUp() override {
    tell(PeerUp{NodeId(2)});
    tell(PeerUp{NodeId(3)});
    w.from(2, HeartbeatRequest{Term(1), Index(0), 0});
    w.run();
    w.heard_by<VoteRequest>(3);
  }
  template <class Message>
  void tell(Message m) {
    w.world.tell(w.raft, std::move(m));
    w.run();
  }
};

TEST_F(RaftLostLeader, ALostLinkAloneIsNoReasonToStand) {
  tell(PeerUnreachable{NodeId(2)});
  w.ticks(kEarlyTicks);
  EXPECT_TRUE(w.heard_by<VoteRequest>(3).empty());
}

TEST_F(RaftLostLeader, WhenNobodyListensThereAnyMoreItStandsSoon) {
  tell(PeerUnreachable{NodeId(2)});
  tell(PeerGone{NodeId(2)});
  EXPECT_TRUE(w.heard_by<VoteRequest>(3).empty()) << "not at once";
  w.ticks(kEarlyTicks);
  const auto asked = w.heard_by<VoteRequest>(3);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_TRUE(asked[0].pre_vote);
}

TEST_F(RaftLostLeader, AnotherNodeMayGo) {
  tell(PeerUnreachable{NodeId(3)});
  tell(PeerGone{NodeId(3)});
  w.ticks(kEarlyTicks);
  EXPECT_TRUE(w.heard_by<VoteRequest>(2).empty());
}

TEST_F(RaftLostLeader, ALeaderThatIsThereAgainStopsIt) {
  tell(PeerUnreachable{NodeId(2)});
  tell(PeerGone{NodeId(2)});
  tell(PeerUp{NodeId(2)});
  w.ticks(kEarlyTicks);
  EXPECT_TRUE(w.heard_by<VoteRequest>(3).empty());
}

TEST_F(RaftLostLeader, AQuestionThatMetALinkThatWasDownIsAskedWhenItIsUp) {
  tell(PeerUnreachable{NodeId(3)});
  tell(PeerUnreachable{NodeId(2)});
  tell(PeerGone{NodeId(2)});
  w.ticks(kEarlyTicks);
  ASSERT_EQ(w.heard_by<VoteRequest>(3).size(), 1u) << "the stub hears it; a peer drops it";
  tell(PeerUp{NodeId(3)});
  EXPECT_EQ(w.heard_by<VoteRequest>(3).size(), 1u);
  tell(PeerUnreachable{NodeId(3)});
  tell(PeerUp{NodeId(3)});
  EXPECT_TRUE(w.heard_by<VoteRequest>(3).empty()) << "it was asked on a link that was up";
}

TEST_F(RaftLostLeader, WhoCallsAndIsWelcomeIsCalledBackSoon) {
  Hello hello;
  hello.protocol_version = kPeerProtocolVersion;
  hello.cluster = kCluster;
  hello.node = NodeId(3);
  hello.target = NodeId(1);
  hello.instance = InstanceId(30);
  for (int call = 0; call < 2; ++call) {  // the first one is bound to its id first
    auto question = w.world.ask<HelloVerdict>(w.raft, HelloQuestion{hello});
    w.run();
    EXPECT_EQ(question.reply().refusal, "");
    EXPECT_EQ(w.peer(3).take<PeerCalled>().size(), 1u);
    EXPECT_TRUE(w.peer(2).take<PeerCalled>().empty());
  }
  hello.instance = InstanceId(31);
  auto question = w.world.ask<HelloVerdict>(w.raft, HelloQuestion{hello});
  w.run();
  EXPECT_NE(question.reply().refusal, "");
  EXPECT_TRUE(w.peer(3).take<PeerCalled>().empty());
}

}  // namespace
}  // namespace kiwi::test
