// Clusters that live, die and come back; and the same seed twice.

#include <sys/resource.h>

#include "world_test_kit.hpp"

namespace kiwi::lab::test {
namespace {

using testing::HasSubstr;

TEST(WorldCluster, ThreeNodesElectALeaderAndServeAClient) {
  Cluster c(1, 3);
  ASSERT_TRUE(c.leader());
  EXPECT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok());
  EXPECT_EQ(c.ask_leader({"GET", "k"}), Reply::bulk("v"));
  EXPECT_EQ(c.ask_leader({"GET", "other"}), Reply::nil());
  std::size_t followers = 0;
  for (const auto& v : c.world.nodes()) {
    EXPECT_TRUE(v.up);
    EXPECT_EQ(v.life, 1u);
    EXPECT_EQ(v.voters.size(), 3u);
    followers += v.role == NodeRole::follower ? 1 : 0;
  }
  EXPECT_EQ(followers, 2u);
}

TEST(WorldCluster, AFollowerNamesTheLeaderAndTheWorldKnowsWhoThatIs) {
  Cluster c(2, 3);
  auto leader = c.leader();
  c.run(500ms);
  auto other = NodeId(leader.value % 3 + 1);
  auto reply = c.ask(other, {"SET", "k", "v"});
  ASSERT_TRUE(reply.is_error());
  ASSERT_THAT(reply.text.str(), HasSubstr("MOVED"));
  EXPECT_EQ(c.world.node_at(reply.text.str().substr(reply.text.str().rfind(' ') + 1)), leader);
}

TEST(WorldCluster, ACrashedLeaderIsReplacedAndNothingIsLost) {
  Cluster c(3, 5);
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(c.ask_leader({"SET", "k" + std::to_string(i), std::to_string(i)}), Reply::ok());
  auto old = c.leader();
  EXPECT_TRUE(c.apply("crash n" + to_string(old)).effective);
  EXPECT_FALSE(c.apply("crash n" + to_string(old)).effective) << "it is down already";
  EXPECT_FALSE(c.view(old).up);
  c.run(3s);
  auto next = c.leader();
  ASSERT_TRUE(next);
  EXPECT_NE(next, old);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(c.ask_leader({"GET", "k" + std::to_string(i)}), Reply::bulk(std::to_string(i)));
  EXPECT_TRUE(c.apply("restart n" + to_string(old)).effective);
  EXPECT_EQ(c.view(old).life, 2u);
  auto commit = c.view(next).commit;
  EXPECT_TRUE(c.until(5s, [&] { return c.view(old).applied >= commit; }));
}

TEST(WorldCluster, AStopIsOrderlyAndAnAnswerOnItsWayStillComes) {
  Cluster c(4, 3);
  ASSERT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok());
  auto leader = c.leader();
  c.world.connect(1000, leader);
  ASSERT_TRUE(c.until(1s, [&] { return c.ear.open[1000]; }));
  c.world.send(1000, {"SET", "k", "w"});
  c.run(200us);
  c.apply("stop n" + to_string(leader));
  EXPECT_TRUE(c.until(5s, [&] { return !c.view(leader).up; }));
  EXPECT_FALSE(c.view(leader).failed) << c.view(leader).why;
  c.run(10ms);
  ASSERT_EQ(c.ear.replies[1000].size(), 1u);
  EXPECT_EQ(c.ear.replies[1000].front(), Reply::ok());
  EXPECT_FALSE(c.ear.open[1000]);
  EXPECT_EQ(c.ask_leader({"GET", "k"}), Reply::bulk("w"));
}

TEST(WorldCluster, APausedLeaderIsReplacedAndKeepsItsConnections) {
  Cluster c(5, 3);
  ASSERT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok());
  auto old = c.leader();
  c.world.connect(1000, old);
  ASSERT_TRUE(c.until(1s, [&] { return c.ear.open[1000]; }));
  c.apply("pause n" + to_string(old));
  EXPECT_TRUE(c.view(old).paused);
  c.world.send(1000, {"GET", "k"});
  EXPECT_TRUE(c.until(10s, [&] {
    for (const auto& v : c.world.nodes())
      if (v.id != old && v.role == NodeRole::leader)
        return true;
    return false;
  }));
  EXPECT_TRUE(c.ear.replies[1000].empty());
  EXPECT_TRUE(c.ear.open[1000]);
  c.apply("resume n" + to_string(old));
  ASSERT_TRUE(c.until(5s, [&] { return !c.ear.replies[1000].empty(); }));
  EXPECT_TRUE(c.until(5s, [&] { return c.view(old).role == NodeRole::follower; }));
}

TEST(WorldCluster, AKilledLogStoreEndsItsNodeAndNoRequestStaysOpen) {
  Cluster c(6, 3);
  ASSERT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok());
  auto leader = c.leader();
  c.world.connect(1000, leader);
  ASSERT_TRUE(c.until(1s, [&] { return c.ear.open[1000]; }));
  c.apply("kill-actor n" + to_string(leader) + " log-store");
  c.world.send(1000, {"SET", "k", "w"});
  ASSERT_TRUE(c.until(5s, [&] { return !c.view(leader).up; }));
  EXPECT_TRUE(c.view(leader).failed);
  EXPECT_NE(c.view(leader).why, "");
  c.run(10ms);
  EXPECT_FALSE(c.ear.open[1000]);
  EXPECT_EQ(c.ask_leader({"SET", "k", "x"}), Reply::ok());
}

TEST(WorldCluster, AnActorThatThrowsNeverLeavesHalfANode) {
  for (std::string actor : {"raft", "state-machine", "prompt-machine", "adaptor", "log-store"}) {
    Cluster c(7, 3);
    auto leader = c.leader();
    c.apply("throw-in n" + to_string(leader) + " " + actor + " bad-alloc");
    EXPECT_TRUE(c.until(5s, [&] { return !c.view(leader).up; })) << actor;
    EXPECT_TRUE(c.view(leader).failed) << actor;
    EXPECT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok()) << actor;
  }
}

TEST(WorldCluster, AStarvedRaftActorLosesTheLeadership) {
  Cluster c(8, 3);
  auto old = c.leader();
  c.apply("starve n" + to_string(old) + " raft 4s");
  c.run(3500ms);
  auto next = c.leader();
  EXPECT_NE(next, old);
  c.run(2s);
  EXPECT_EQ(c.view(old).role, NodeRole::follower);
}

TEST(WorldCluster, AFastClockMovesTimersAndAJumpDoesNot) {
  Cluster c(9, 3);
  auto leader = c.leader();
  auto term = c.view(leader).term;
  c.apply("clock-jump n" + to_string(leader) + " 3600s");
  c.run(5s);
  EXPECT_EQ(c.leader(), leader);
  EXPECT_EQ(c.view(leader).term, term) << "nobody's timers saw the jump";
  auto follower = NodeId(leader.value % 3 + 1);
  c.apply("clock-rate n" + to_string(follower) + " 10");
  c.apply("cut n" + to_string(leader) + " -> n" + to_string(follower));
  c.run(400ms);
  EXPECT_EQ(c.view(follower).role, NodeRole::pre_candidate) << "its election time-out is ten times shorter";
}

TEST(WorldCluster, VerbsThatCannotBeDoneSayWhy) {
  Cluster c(10, 3);
  EXPECT_THAT(c.refused("wipe n1"), HasSubstr("up"));
  EXPECT_THAT(c.refused("crash n9"), HasSubstr("no node 9"));
  EXPECT_THAT(c.refused("drop n1 -> n2 often"), HasSubstr("argument"));
  EXPECT_THAT(c.refused("dance n1"), HasSubstr("no verb"));
  EXPECT_THAT(c.refused("kill-actor n1 nobody"), HasSubstr("no actor"));
  EXPECT_FALSE(c.apply("heal n1 -> n2").effective);
  EXPECT_FALSE(c.apply("restart n1").effective);
}

/// Clients that never stop, crashes, cuts and clock changes.
std::uint64_t campaign(std::uint64_t seed, Time length, std::uint64_t nodes, std::uint64_t clients,
                       std::uint64_t* operations = nullptr) {
  auto o = options(seed, nodes);
  Cluster c(o);
  std::uint64_t done = 0, number = 1;
  std::map<std::uint64_t, ConnectionId> of_client;
  const auto end = length;
  std::uint64_t round = 0;
  while (c.world.now() < end) {
    ++round;
    const auto victim = "n" + std::to_string(1 + (seed + round) % nodes);
    const auto other = "n" + std::to_string(1 + (seed + round + 1) % nodes);
    if (round % 30 == 5)
      c.apply("crash " + victim);
    if (round % 30 == 15)
      for (std::uint64_t n = 1; n <= nodes; ++n) c.apply("restart n" + std::to_string(n));
    if (round % 30 == 20)
      c.apply("cut " + victim + " -> " + other);
    if (round % 30 == 25)
      for (std::uint64_t n = 1; n <= nodes; ++n) c.apply("heal n" + std::to_string(n));
    if (round % 30 == 28)
      c.apply("clock-jump " + victim + " 1s");
    auto leader = c.leader(1ms);
    for (std::uint64_t i = 0; i < clients; ++i) {
      auto& connection = of_client[i];
      if (leader && (connection == 0 || c.ear.closed_why.contains(connection))) {
        connection = number++;
        c.world.connect(connection, leader);
      }
      if (connection == 0)
        continue;
      done += c.ear.replies[connection].size();
      if (!c.ear.replies[connection].empty() && c.ear.replies[connection].back().is_error()) {
        c.world.disconnect(connection);
        c.ear.closed_why[connection] = "given up";
      }
      c.ear.replies[connection].clear();
      if (round % 2 == 0)
        c.world.send(connection, {"SET", "k" + std::to_string(i), std::to_string(round)});
      else
        c.world.send(connection, {"GET", "k" + std::to_string(i)});
    }
    c.run(500ms);
  }
  if (operations != nullptr)
    *operations = done;
  return c.world.trace_hash();
}

TEST(WorldCluster, TheSameSeedGivesTheSameHashAndAnotherSeedAnother) {
  auto first = campaign(11, 30s, 5, 4);
  EXPECT_EQ(first, campaign(11, 30s, 5, 4));
  EXPECT_NE(first, campaign(12, 30s, 5, 4));
}

TEST(WorldCluster, EveryStrategyRepeats) {
  for (auto strategy : {Strategy::random, Strategy::fifo, Strategy::pct}) {
    auto run = [&] {
      auto o = options(13, 3);
      o.strategy = strategy;
      Cluster c(o);
      EXPECT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok());
      c.run(2s);
      return c.world.trace_hash();
    };
    EXPECT_EQ(run(), run());
  }
}

TEST(WorldCluster, SixtySecondsOfFiveNodesCostLittle) {
  std::uint64_t operations = 0;
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  campaign(14, 60s, 5, 10, &operations);
  ::getrusage(RUSAGE_SELF, &after);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  const auto cpu =
      seconds(after.ru_utime) + seconds(after.ru_stime) - seconds(before.ru_utime) - seconds(before.ru_stime);
  std::printf("60 simulated seconds of five nodes and ten clients: %.3f s of CPU (%.0f x), %llu operations\n",
              cpu, 60 / cpu, static_cast<unsigned long long>(operations));
  EXPECT_GT(operations, 500u);
}

}  // namespace
}  // namespace kiwi::lab::test
