// What links do to a cluster.

#include "world_test_kit.hpp"

namespace kiwi::lab::test {
namespace {

using testing::HasSubstr;

std::string name(NodeId node) { return "n" + to_string(node); }
NodeId next(NodeId node, std::uint64_t nodes) { return NodeId(node.value % nodes + 1); }
std::string others(NodeId node, std::uint64_t nodes) {
  std::string text;
  for (std::uint64_t n = 1; n <= nodes; ++n)
    if (n != node.value)
      text += (text.empty() ? "n" : ",n") + std::to_string(n);
  return text;
}

TEST(WorldNetwork, ALeaderThatCannotBeHeardIsReplacedWhileItHears) {
  Cluster c(21, 5);
  ASSERT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok());
  auto old = c.leader();
  auto term = c.view(old).term;
  EXPECT_TRUE(c.apply("cut " + name(old) + " -> " + others(old, 5)).effective);
  EXPECT_TRUE(c.until(10s, [&] { return c.view(old).role != NodeRole::leader; }));
  EXPECT_TRUE(c.until(10s, [&] { return c.leader() != old && c.view(c.leader()).term > term; }));
  EXPECT_TRUE(c.until(5s, [&] { return c.view(old).term == c.view(c.leader()).term; }))
      << "it hears the new leader, for only its own direction is cut";
  EXPECT_EQ(c.ask_leader({"GET", "k"}), Reply::bulk("v"));
  EXPECT_GT(c.world.figures().at("messages-stalled"), 0u);
}

TEST(WorldNetwork, AMinorityServesNothingAndComesBack) {
  Cluster c(22, 3);
  ASSERT_EQ(c.ask_leader({"SET", "k", "1"}), Reply::ok());
  auto old = c.leader();
  c.apply("cut " + name(old) + " <-> " + others(old, 3));
  auto reply = c.ask(old, {"SET", "k", "2"});
  EXPECT_TRUE(reply.is_error()) << reply.text.str();
  EXPECT_TRUE(c.until(10s, [&] { return c.leader() != old; }));
  EXPECT_EQ(c.ask_leader({"SET", "k", "3"}), Reply::ok());
  c.apply("heal " + name(old));
  auto commit = c.view(c.leader()).commit;
  EXPECT_TRUE(c.until(10s, [&] { return c.view(old).applied >= commit; }));
  EXPECT_EQ(c.ask_leader({"GET", "k"}), Reply::bulk("3"));
  EXPECT_EQ(c.world.digest(NodeId(1)), c.world.digest(NodeId(1)));
  c.run(1s);
  EXPECT_EQ(c.world.digest(NodeId(1)), c.world.digest(NodeId(2)));
  EXPECT_EQ(c.world.digest(NodeId(2)), c.world.digest(NodeId(3)));
}

TEST(WorldNetwork, AWipedNodeIsRefusedByAllOthers) {
  Cluster c(23, 3);
  ASSERT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok());
  c.run(1s);
  auto victim = next(c.leader(), 3);
  c.apply("crash " + name(victim));
  c.apply("wipe " + name(victim));
  c.apply("restart " + name(victim));
  c.run(5s);
  EXPECT_TRUE(c.view(victim).up);
  EXPECT_EQ(c.view(victim).last, Index{}) << "nobody sends it anything: it is another instance";
  EXPECT_EQ(c.view(victim).commit, Index{});
  EXPECT_TRUE(c.happened("log", "came back with another data directory"));
  EXPECT_EQ(c.ask_leader({"GET", "k"}), Reply::bulk("v"));
}

TEST(WorldNetwork, SpoiltFramesCostConnectionsAndNothingElse) {
  for (auto transport : {Transport::stream, Transport::lossy}) {
    auto o = options(24, 3);
    o.transport = transport;
    Cluster c(o);
    ASSERT_TRUE(c.leader());
    c.apply("corrupt n1,n2,n3 <-> n1,n2,n3 5%");
    for (int i = 0; i < 10; ++i) {
      c.run(1s);
      c.ask_leader({"SET", "k", std::to_string(i)});
    }
    EXPECT_GT(c.world.figures().at("messages-corrupted"), 10u);
    EXPECT_TRUE(c.happened("log", "event=peer_dropped"));
    c.apply("heal n1,n2,n3");
    EXPECT_EQ(c.ask_leader({"SET", "k", "last"}), Reply::ok());
    EXPECT_EQ(c.ask_leader({"GET", "k"}), Reply::bulk("last"));
    for (const auto& v : c.world.nodes()) EXPECT_TRUE(v.up) << v.why;
  }
}

TEST(WorldNetwork, LossDuplicatesReorderingSlicesAndNarrowLinksAreSurvived) {
  for (auto transport : {Transport::stream, Transport::lossy}) {
    auto o = options(25, 3);
    o.transport = transport;
    Cluster c(o);
    ASSERT_TRUE(c.leader());
    const std::string all = " n1,n2,n3 <-> n1,n2,n3 ";
    c.apply("drop" + all + (transport == Transport::stream ? "1%" : "10%"));
    c.apply("duplicate" + all + "20%");
    c.apply("reorder" + all + "20%");
    c.apply("jitter" + all + "20ms");
    c.apply("slice" + all + "bytes=7");
    c.apply("bandwidth" + all + "64KB/s");
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(c.ask_leader({"INCR", "n"}).is_error(), false);
      c.run(500ms);
    }
    auto figures = c.world.figures();
    EXPECT_GT(figures.at("messages-dropped"), 0u);
    EXPECT_GT(figures.at("messages-duplicated"), 0u);
    EXPECT_GT(figures.at("messages-reordered"), 0u);
  }
}

TEST(WorldNetwork, AHeldVoteReplyKeepsTheElectionOpenUntilItIsReleased) {
  auto o = options(26, 3);
  Cluster c(o);
  c.apply("hold n1,n2,n3 <-> n1,n2,n3 vote-reply count=1000");
  EXPECT_FALSE(c.leader(5s));
  EXPECT_GT(c.world.figures().at("messages-held"), 0u);
  EXPECT_TRUE(c.apply("release n1,n2,n3 <-> n1,n2,n3 vote-reply").effective);
  EXPECT_TRUE(c.leader());
}

TEST(WorldNetwork, OldAppendsComeAgainAndDoNoHarm) {
  Cluster c(27, 3);
  ASSERT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok());
  auto leader = c.leader();
  c.run(500ms);
  EXPECT_TRUE(
      c.apply("replay-old " + name(leader) + " -> " + name(next(leader, 3)) + " any count=20").effective);
  c.run(1s);
  EXPECT_EQ(c.ask_leader({"GET", "k"}), Reply::bulk("v"));
}

TEST(WorldNetwork, HalfOpenResetAndCloggedLinksComeBack) {
  Cluster c(28, 3);
  auto leader = c.leader();
  c.run(500ms);
  auto other = next(leader, 3);
  EXPECT_TRUE(c.apply("half-open " + name(leader) + " -> " + name(other)).effective);
  ASSERT_EQ(c.ask_leader({"SET", "k", "1"}), Reply::ok());
  EXPECT_TRUE(c.until(15s, [&] { return c.leader() && c.view(other).applied >= c.view(c.leader()).commit; }));
  leader = c.leader();
  EXPECT_TRUE(c.apply("reset " + name(leader) + " -> " + others(leader, 3)).effective);
  ASSERT_EQ(c.ask_leader({"SET", "k", "2"}), Reply::ok());
  leader = c.leader();
  other = next(leader, 3);
  c.apply("clog " + name(leader) + " -> " + name(other));
  ASSERT_EQ(c.ask_leader({"SET", "k", "3"}), Reply::ok());
  c.run(200ms);
  EXPECT_TRUE(c.apply("heal " + name(leader) + " -> " + name(other)).effective);
  EXPECT_TRUE(c.until(10s, [&] { return c.leader() && c.view(other).applied >= c.view(c.leader()).commit; }));
}

TEST(WorldNetwork, ObservedMessagesAreToldBeforeTheyArrive) {
  Cluster c(29, 3);
  EXPECT_TRUE(c.world.observe("message"));
  ASSERT_TRUE(c.leader());
  std::map<std::string, int> kinds;
  for (const auto& h : c.ear.happenings)
    if (h.kind == "message")
      ++kinds[h.fields.at("kind")];
  EXPECT_GT(kinds["pre-vote"], 0);
  EXPECT_GT(kinds["vote"], 0);
  EXPECT_GT(kinds["vote-reply"], 0);
  EXPECT_GT(kinds["append"], 0);
}

}  // namespace
}  // namespace kiwi::lab::test
