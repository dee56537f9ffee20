// Two nodes that speak properly: order, handshake, reconnect, the two lanes.

#include <gtest/gtest.h>

#include <numeric>

#include "tests/unit/actors/peer_test_kit.hpp"

namespace kiwi::test {
namespace {

using Heard = Ear::Heard;

std::vector<std::uint64_t> numbers_up_to(std::uint64_t count) {
  std::vector<std::uint64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

std::size_t from(const Heard& heard, std::uint64_t peer) {
  auto found = heard.messages.find(peer);
  return found == heard.messages.end() ? 0 : found->second.size();
}

TEST(PeerNetwork, MessagesArriveInOrderPerLaneBothWays) {
  TestNode one({.id = 1}), two({.id = 2});
  auto to_two = one.connect(2, two.port());
  auto to_one = two.connect(1, one.port());
  ASSERT_TRUE(one.wait_up(2));
  ASSERT_TRUE(two.wait_up(1));
  constexpr std::uint64_t kCount = 1000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    caf::anon_send(to_two, ToPeer{{control(i), bulk(i, i)}});
    caf::anon_send(to_one, ToPeer{{bulk(i, 100), control(i)}});
  }
  ASSERT_TRUE(two.wait([](const Heard& heard) { return from(heard, 1) == 2 * kCount; }));
  ASSERT_TRUE(one.wait([](const Heard& heard) { return from(heard, 2) == 2 * kCount; }));
  for (const auto& messages : {two.ear().now().messages[1], one.ear().now().messages[2]}) {
    EXPECT_EQ(control_numbers(messages), numbers_up_to(kCount));
    EXPECT_EQ(bulk_numbers(messages), numbers_up_to(kCount));
  }
}

TEST(PeerNetwork, WhoAnswersUnderAnotherInstanceIsNotSpokenTo) {
  TestNode one({.id = 1, .refuses_instance = 1002}), two({.id = 2});
  one.connect(2, two.port());
  ASSERT_TRUE(
      one.wait([](const Heard& heard) { return heard.logged("refused here: another data directory") > 0; }));
  EXPECT_EQ(one.ear().now().ups[2], 0);
  EXPECT_EQ(two.ear().now().messages[1].size(), 0u);
}

TEST(PeerNetwork, OnePeerUpForBothLanes) {
  TestNode one({.id = 1}), two({.id = 2});
  one.connect(2, two.port());
  ASSERT_TRUE(one.wait_up(2));
  auto hellos = two.ear().now().hellos;
  ASSERT_EQ(hellos.size(), 2u);
  for (std::uint8_t lane = 0; lane < 2; ++lane) {
    EXPECT_EQ(hellos[lane].lane, lane);
    EXPECT_EQ(hellos[lane].node, NodeId(1));
    EXPECT_EQ(hellos[lane].target, NodeId(2));
    EXPECT_EQ(hellos[lane].instance, InstanceId(1001));
    EXPECT_EQ(hellos[lane].protocol_version, kPeerProtocolVersion);
  }
  EXPECT_EQ(one.ear().now().ups[2], 1);
  EXPECT_EQ(one.ear().now().downs[2], 0);
}

TEST(PeerNetwork, HeartbeatOvertakesTheLargestAppend) {
  TestNode one({.id = 1}), two({.id = 2});
  auto to_two = one.connect(2, two.port());
  ASSERT_TRUE(one.wait_up(2));
  caf::anon_send(to_two, ToPeer{{bulk(1, 32 << 20)}});
  caf::anon_send(to_two, ToPeer{{control(2)}});
  ASSERT_TRUE(two.wait([](const Heard& heard) { return from(heard, 1) == 2; }));
  auto messages = two.ear().now().messages[1];
  EXPECT_TRUE(std::holds_alternative<HeartbeatRequest>(messages[0]));
  ASSERT_TRUE(std::holds_alternative<AppendRequest>(messages[1]));
  EXPECT_EQ(std::get<AppendRequest>(messages[1]).entries.at(0).payload, Bytes(std::string(32 << 20, 'x')));
}

TEST(PeerNetwork, MessagesBeforeTheLinkAreLostAndSaidSoOnce) {
  TestNode one({.id = 1});
  auto nowhere = listen_on("127.0.0.1", 0)->port;  // closed again at once
  auto peer = one.connect(2, nowhere);
  for (std::uint64_t i = 0; i < 100; ++i) caf::anon_send(peer, ToPeer{{control(i)}});
  ASSERT_TRUE(one.wait([](const Heard& heard) { return heard.downs.contains(2); }));
  TestNode two({.id = 2, .port = nowhere});
  ASSERT_TRUE(one.wait_up(2));
  caf::anon_send(peer, ToPeer{{control(1000)}});
  ASSERT_TRUE(two.wait([](const Heard& heard) { return from(heard, 1) == 1; }));
  EXPECT_EQ(control_numbers(two.ear().now().messages[1]), std::vector<std::uint64_t>{1000});
  EXPECT_EQ(one.ear().now().downs[2], 1);
}

TEST(PeerNetwork, ReconnectsToARestartedNode) {
  TestNode one({.id = 1});
  auto two = std::make_unique<TestNode>(TestNode::Options{.id = 2});
  auto port = two->port();
  auto peer = one.connect(2, port);
  for (int life = 1; life <= 3; ++life) {
    ASSERT_TRUE(one.wait_up(2, life));
    caf::anon_send(peer, ToPeer{{control(5)}});
    ASSERT_TRUE(two->wait([](const Heard& heard) { return from(heard, 1) == 1; }));
    two.reset();
    ASSERT_TRUE(
        one.wait([=](const Heard& heard) { return heard.downs.contains(2) && heard.downs.at(2) == life; }));
    two = std::make_unique<TestNode>(TestNode::Options{.id = 2, .port = port});
  }
  ASSERT_TRUE(one.wait_up(2, 4));
  EXPECT_EQ(one.ear().now().downs[2], 3);
}

TEST(PeerNetwork, ANodeThatEndedIsSaidToBeGoneOncePerLoss) {
  TestNode one({.id = 1});
  auto two = std::make_unique<TestNode>(TestNode::Options{.id = 2});
  const auto port = two->port();
  one.connect(2, port, [](PeerOptions& options) {
    options.retry_min = options.retry_max = std::chrono::milliseconds(1);
  });
  for (int life = 1; life <= 2; ++life) {
    ASSERT_TRUE(one.wait_up(2, life));
    EXPECT_EQ(one.ear().now().gone[2], life - 1);
    two.reset();
    ASSERT_TRUE(one.wait([=](const Heard& heard) {
      return heard.gone.contains(2) && heard.gone.at(2) == life && heard.logged("attempts=32 ") == life;
    }));
    two = std::make_unique<TestNode>(TestNode::Options{.id = 2, .port = port});
  }
  ASSERT_TRUE(one.wait_up(2, 3));
  EXPECT_EQ(one.ear().now().gone[2], 2);
}

TEST(PeerNetwork, ADeadPeerDoesNotFillTheLog) {
  TestNode one({.id = 1});
  auto nowhere = listen_on("127.0.0.1", 0)->port;
  one.connect(2, nowhere, [](PeerOptions& options) {
    options.retry_min = options.retry_max = std::chrono::milliseconds(1);
  });
  ASSERT_TRUE(one.wait([](const Heard& heard) { return heard.logged("attempts=64 ") == 1; }));
  EXPECT_EQ(one.ear().now().logged("event=peer_connect_failed"), 7);  // 1, 2, 4 ... 64
  EXPECT_EQ(one.ear().now().logged("Connection refused"), 7);
  EXPECT_TRUE(one.ear().now().gone.empty()) << "it never was there";
}

struct Refusal {
  std::string what;
  TestNode::Options caller;
  std::uint64_t target;
  std::string reason;
};

TEST(PeerNetwork, StrangersAreRefusedWithAReasonOnBothSides) {
  const Refusal refusals[] = {
      {"another cluster", {.id = 1, .cluster = 8}, 2, "cluster 8, here is 7"},
      {"another protocol", {.id = 1, .protocol_version = 9}, 2, "protocol version 9, here is 6"},
      {"not for us", {.id = 1}, 3, "meant for node 3, here is 2"},
      {"our own id", {.id = 2}, 2, "node 2 calls itself"},
  };
  for (const auto& refusal : refusals) {
    SCOPED_TRACE(refusal.what);
    TestNode two({.id = 2});
    TestNode caller(refusal.caller);
    caller.connect(refusal.target, two.port());
    ASSERT_TRUE(two.wait([&](const Heard& heard) { return heard.logged("event=peer_refused") > 0; }));
    ASSERT_TRUE(
        caller.wait([&](const Heard& heard) { return heard.logged("refused: " + refusal.reason) > 0; }));
    EXPECT_GE(two.ear().now().logged("reason=\"" + refusal.reason + "\""), 1);
    EXPECT_TRUE(caller.ear().now().ups.empty());
  }
}

TEST(PeerNetwork, NothingIsLeftOpen) {
  auto before = open_files();
  for (int round = 0; round < 3; ++round) {
    TestNode one({.id = 1}), two({.id = 2});
    one.connect(2, two.port());
    two.connect(1, one.port());
    ASSERT_TRUE(one.wait_up(2));
    ASSERT_TRUE(two.wait_up(1));
    RawClient silent(two.port());
  }
  EXPECT_EQ(open_files(), before);
}

}  // namespace
}  // namespace kiwi::test
