// What disks and power do to a cluster.

#include "world_test_kit.hpp"

namespace kiwi::lab::test {
namespace {

using testing::HasSubstr;

std::string name(NodeId node) { return "n" + to_string(node); }

TEST(WorldStorage, APowerFailureOfAllLosesNothingThatWasAnswered) {
  for (auto profile : {DiskProfile::exact, DiskProfile::ordered, DiskProfile::hostile}) {
    for (std::uint64_t seed = 31; seed < 35; ++seed) {
      auto o = options(seed, 3);
      o.disk = profile;
      Cluster c(o);
      for (int i = 0; i < 10; ++i)
        ASSERT_EQ(c.ask_leader({"SET", "k" + std::to_string(i), std::to_string(i)}), Reply::ok());
      auto leader = c.leader();
      c.world.connect(1000, leader);
      for (int i = 0; i < 50; ++i) c.world.send(1000, {"SET", "late", std::to_string(i)});
      c.run(std::chrono::microseconds(300 * seed));
      EXPECT_TRUE(c.apply("power-fail n1,n2,n3 torn").effective);
      c.run(1s);
      c.apply("restart n1,n2,n3");
      for (int i = 0; i < 10; ++i)
        ASSERT_EQ(c.ask_leader({"GET", "k" + std::to_string(i)}), Reply::bulk(std::to_string(i)));
    }
  }
}

TEST(WorldStorage, WhatAPowerFailureKeptCanBeSaidAgain) {
  Cluster c(36, 3);
  ASSERT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok());
  auto applied = c.apply("power-fail n1 keep=nothing");
  EXPECT_EQ(applied.details.at("n1"), "nothing");
  EXPECT_FALSE(c.apply("power-fail n1").effective);
}

TEST(WorldStorage, ASlowDiskIsSlowAndAHungOneWaits) {
  Cluster c(37, 3);
  ASSERT_TRUE(c.leader());
  c.run(1s);
  auto leader = c.leader();
  auto others = [&] {
    std::string text;
    for (std::uint64_t n = 1; n <= 3; ++n)
      if (n != leader.value)
        text += (text.empty() ? "n" : ",n") + std::to_string(n);
    return text;
  }();
  c.apply("slow " + others + " sync 300ms");
  auto before = c.world.now();
  ASSERT_EQ(c.ask(leader, {"SET", "k", "slow"}), Reply::ok());
  EXPECT_GE(c.world.now() - before, 300ms);
  c.apply("free " + others);
  c.apply("hang " + others + " sync");
  c.world.connect(1000, leader);
  c.world.send(1000, {"SET", "k", "hung"});
  c.run(700ms);
  EXPECT_TRUE(c.ear.replies[1000].empty()) << "no follower can promise anything";
  EXPECT_TRUE(c.apply("free " + others).effective);
  EXPECT_EQ(c.ask_leader({"SET", "k", "on"}), Reply::ok());
}

TEST(WorldStorage, ObservedDisksTellWhatTheyDo) {
  Cluster c(41, 3);
  EXPECT_TRUE(c.world.observe("disk"));
  ASSERT_TRUE(c.leader());
  bool synced = false;
  for (const auto& h : c.ear.happenings)
    synced |= h.kind == "disk" && h.fields.at("op") == "sync" && h.fields.at("class") == "log-wal";
  EXPECT_TRUE(synced);
  EXPECT_FALSE(c.world.observe("weather"));
}

TEST(WorldStorage, AFailedSyncStopsTheNodeAndTheClientHearsNoLie) {
  Cluster c(38, 3);
  ASSERT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok());
  auto leader = c.leader();
  c.apply("fail " + name(leader) + " sync eio file=log count=1");
  auto reply = c.ask(leader, {"SET", "k", "w"});
  EXPECT_TRUE(reply.is_error());
  EXPECT_TRUE(c.until(5s, [&] { return !c.view(leader).up; }));
  EXPECT_TRUE(c.view(leader).failed);
  EXPECT_THAT(c.view(leader).why, HasSubstr("storage"));
  EXPECT_FALSE(c.ask_leader({"GET", "k"}).is_error());
  c.apply("restart " + name(leader));
  EXPECT_TRUE(c.until(10s, [&] { return c.view(leader).applied >= c.view(c.leader()).commit; }))
      << c.view(leader).why;
}

TEST(WorldStorage, AFullDiskPutsTheNodeOutOfServiceUntilItHasSpaceAgain) {
  Cluster c(39, 3);
  ASSERT_EQ(c.ask_leader({"SET", "k", "v"}), Reply::ok());
  auto leader = c.leader();
  c.apply("full " + name(leader));
  c.ask(leader, {"SET", "k", "w"});
  EXPECT_TRUE(c.until(5s, [&] { return c.leader() && c.leader() != leader; }));
  EXPECT_THAT(c.ask(leader, {"GET", "k"}).text.str(), HasSubstr("out of service"));
  EXPECT_EQ(c.ask_leader({"SET", "k", "x"}), Reply::ok());
  c.apply("free " + name(leader));
  EXPECT_TRUE(c.until(30s, [&] { return c.view(leader).applied >= c.view(c.leader()).commit; }))
      << c.view(leader).why;
  EXPECT_EQ(c.view(leader).life, 2u) << "opened again, in the same process";
}

TEST(WorldStorage, AFlippedBitInTheLogIsNoticedAtTheNextStart) {
  Cluster c(40, 3);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(c.ask_leader({"SET", "k", std::string(2000, 'x')}), Reply::ok());
  auto leader = c.leader();
  c.apply("crash " + name(leader));
  auto flipped = c.apply("flip " + name(leader) + " log-wal at=4000");
  EXPECT_THAT(flipped.details.at(name(leader)), HasSubstr("log/"));
  c.apply("restart " + name(leader));
  EXPECT_TRUE(c.view(leader).failed) << "the middle of its log is damaged";
  EXPECT_NE(c.view(leader).why, "");
  EXPECT_EQ(c.ask_leader({"GET", "k"}), Reply::bulk(std::string(2000, 'x')));
}

}  // namespace
}  // namespace kiwi::lab::test
