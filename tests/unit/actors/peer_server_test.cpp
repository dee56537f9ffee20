// The receiving side against all kinds of callers: whatever they send costs one connection, theirs.

#include <gtest/gtest.h>

#include <random>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "tests/unit/actors/peer_test_kit.hpp"

namespace kiwi::test {
namespace {

using Heard = Ear::Heard;

Hello hello_of(std::uint64_t node, std::uint8_t lane = 0) {
  return Hello{
      kPeerProtocolVersion, ClusterId(7), NodeId(node), NodeId(2), InstanceId(5), lane, "", {}, false, false};
}

/// Shakes hands with node 2.
RawClient welcomed(TestNode& two, std::uint64_t node, std::uint8_t lane = 0) {
  RawClient client(two.port());
  EXPECT_TRUE(client.send(encode_frame(hello_of(node, lane))));
  auto answer = client.receive_frame();
  EXPECT_TRUE(answer && std::get<Hello>(*answer).reason.empty());
  return client;
}

std::string little_endian(std::uint32_t value) {
  std::string text;
  for (int i = 0; i < 4; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

/// A good peer whose traffic must go on, whatever happens.
class GoodPeer {
 public:
  explicit GoodPeer(TestNode& two) : two_(two), peer_(one_.connect(2, two.port())) {
    EXPECT_TRUE(one_.wait_up(2));
  }
  void expect_well() {
    caf::anon_send(peer_, ToPeer{{control(sent_), bulk(sent_, 1000)}});
    ++sent_;
    EXPECT_TRUE(two_.wait([&](const Heard& heard) {
      return heard.messages.contains(1) && heard.messages.at(1).size() == 2 * sent_;
    }));
    EXPECT_EQ(one_.ear().now().ups[2], 1);
    EXPECT_EQ(one_.ear().now().downs[2], 0);
  }

 private:
  TestNode& two_;
  TestNode one_{{.id = 1}};
  PeerActor peer_;
  std::uint64_t sent_ = 0;
};

TEST(PeerServer, GarbageInsteadOfAHelloCostsOneConnection) {
  TestNode two({.id = 2});
  GoodPeer good(two);
  std::mt19937 random(1);
  std::vector<std::string> corpus = {
      "GET / HTTP/1.1\r\nHost: localhost:7001\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
      "*1\r\n$4\r\nPING\r\n        ",
      std::string(100, '\0'),
      std::string(100, '\xff'),
      little_endian(4097) + std::string(12, 'x'),  // larger than any Hello
      little_endian(static_cast<std::uint32_t>(kMaxFrameBytes)) + std::string(12, 'x'),
      little_endian(0xffffffff) + std::string(12, 'x'),
      little_endian(0) + std::string(12, 'x'),
      encode_frame(control(1)),                              // no Hello first
      encode_frame(hello_of(3, 2)),                          // no such lane
      encode_frame(hello_of(3)) + encode_frame(control(1)),  // does not wait
  };
  for (int i = 0; i < 50; ++i) {
    std::string noise(20 + random() % 5000, '\0');
    for (auto& c : noise) c = static_cast<char>(random());
    corpus.push_back(noise);
  }
  auto proper = encode_frame(hello_of(3));
  for (std::size_t i = 0; i < proper.size(); ++i) {
    auto flipped = proper;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    corpus.push_back(flipped);  // a flipped length, too, is seen without more bytes
  }
  int dropped = 0;
  for (const auto& bytes : corpus) {
    RawClient bad(two.port());
    bad.send(bytes);
    ASSERT_TRUE(bad.receive_all()) << "still open: " << bytes;
    ASSERT_TRUE(
        two.wait([&](const Heard& heard) { return heard.logged("event=peer_dropped") == dropped + 1; }));
    ++dropped;
    if (dropped % 10 == 0)
      good.expect_well();
  }
  good.expect_well();
  EXPECT_EQ(two.ear().now().logged("event=peer_dropped"), dropped);
  EXPECT_EQ(two.ear().now().messages.size(), 1u);
}

TEST(PeerServer, GarbageAfterAProperHelloCostsOneConnection) {
  TestNode two({.id = 2});
  GoodPeer good(two);
  std::vector<std::string> corpus = {
      "GET / HTTP/1.1\r\n\r\n", std::string(20, '\xff'),
      little_endian(static_cast<std::uint32_t>(kMaxFrameBytes + 1)) + std::string(12, 'x'),
      encode_frame(hello_of(3)),  // a second one
  };
  auto proper = encode_frame(control(99));
  for (std::size_t i = 0; i < proper.size(); ++i) {
    auto flipped = proper;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    corpus.push_back(flipped);
  }
  int dropped = 0;
  for (const auto& bytes : corpus) {
    auto bad = welcomed(two, 3);
    ASSERT_TRUE(bad.send(proper + bytes));
    ASSERT_TRUE(bad.receive_all());
    ++dropped;
    ASSERT_TRUE(two.wait([&](const Heard& heard) {
      return heard.logged("event=peer_dropped") == dropped && heard.messages.contains(3) &&
             heard.messages.at(3).size() == static_cast<std::size_t>(dropped);
    })) << "the frame before the bad one counts, nothing after it";
  }
  good.expect_well();
}

TEST(PeerServer, HalfFramesThatEndAreOneLine) {
  TestNode two({.id = 2});
  GoodPeer good(two);
  auto proper = encode_frame(hello_of(3));
  for (std::size_t length = 0; length < proper.size(); ++length) {
    RawClient bad(two.port());
    ASSERT_TRUE(bad.send(proper.substr(0, length)));
    bad.finish();
    ASSERT_EQ(bad.receive_all(), "");
  }
  EXPECT_TRUE(two.wait([&](const Heard& heard) {
    return heard.logged("closed before the handshake was done") == static_cast<int>(proper.size());
  }));
  good.expect_well();
}

TEST(PeerServer, AFrameMayComeByteByByte) {
  TestNode two({.id = 2});
  auto slow = welcomed(two, 3);
  for (char c : encode_frame(control(1)) + encode_frame(control(2))) ASSERT_TRUE(slow.send({&c, 1}));
  EXPECT_TRUE(two.wait(
      [](const Heard& heard) { return heard.messages.contains(3) && heard.messages.at(3).size() == 2; }));
}

TEST(PeerServer, SilenceIsEndedByTheTimeLimit) {
  TestNode two(
      {.id = 2, .server = [](PeerServerOptions& o) { o.greeting_limit = std::chrono::milliseconds(200); }});
  GoodPeer good(two);
  RawClient silent(two.port());
  EXPECT_EQ(silent.receive_all(), "");
  EXPECT_EQ(two.ear().now().logged("handshake not done in time"), 1);
  good.expect_well();
}

TEST(PeerServer, ASilentReplicaIsEndedByTheTimeLimit) {
  TestNode two({.id = 2, .silent = true, .server = [](PeerServerOptions& o) {
                  o.greeting_limit = std::chrono::milliseconds(200);
                }});
  RawClient client(two.port());
  ASSERT_TRUE(client.send(encode_frame(hello_of(3))));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(two.ear().now().logged("handshake not done in time"), 1);
}

TEST(PeerServer, TooManySilentCallersPushEachOtherOut) {
  TestNode two({.id = 2, .server = [](PeerServerOptions& o) { o.max_greeting = 4; }});
  GoodPeer good(two);
  std::vector<RawClient> silent;
  for (int i = 0; i < 4; ++i) silent.emplace_back(two.port());
  auto proper = welcomed(two, 3);  // the oldest silent one goes
  EXPECT_EQ(silent.front().receive_all(), "");
  EXPECT_EQ(two.ear().now().logged("event=peer_dropped"), 1);
  RawClient fifth(two.port());
  ASSERT_TRUE(proper.send(encode_frame(control(1))));
  EXPECT_TRUE(two.wait([](const Heard& heard) { return heard.messages.contains(3); }));
  good.expect_well();
}

TEST(PeerServer, ARefusalNamesItsReasonAndCloses) {
  TestNode two({.id = 2});
  auto hello = hello_of(3);
  hello.cluster = ClusterId(1);
  RawClient client(two.port());
  ASSERT_TRUE(client.send(encode_frame(hello)));
  auto answer = client.receive_frame();
  ASSERT_TRUE(answer && std::holds_alternative<Hello>(*answer));
  EXPECT_EQ(std::get<Hello>(*answer).reason, "cluster 1, here is 7");
  EXPECT_EQ(std::get<Hello>(*answer).node, NodeId(2));
  EXPECT_EQ(std::get<Hello>(*answer).target, NodeId(3));
  EXPECT_EQ(client.receive_all(), "");
  client.send(encode_frame(control(1)));
  EXPECT_TRUE(two.ear().now().messages.empty());
}

TEST(PeerServer, TheNewerConnectionOfAPeerAndLaneReplacesTheOlder) {
  TestNode two({.id = 2});
  auto other_lane = welcomed(two, 3, 1);
  auto other_peer = welcomed(two, 4, 0);
  auto older = welcomed(two, 3, 0);
  ASSERT_TRUE(older.send(encode_frame(control(1))));
  ASSERT_TRUE(two.wait([](const Heard& heard) { return heard.messages.contains(3); }));
  auto newer = welcomed(two, 3, 0);
  older.send(encode_frame(control(2)));  // too late
  EXPECT_EQ(older.receive_all(), "");
  ASSERT_TRUE(newer.send(encode_frame(control(3))));
  ASSERT_TRUE(other_lane.send(encode_frame(control(4))));
  ASSERT_TRUE(other_peer.send(encode_frame(control(5))));
  ASSERT_TRUE(two.wait(
      [](const Heard& heard) { return heard.messages.contains(4) && heard.messages.at(3).size() == 3; }));
  auto numbers = control_numbers(two.ear().now().messages[3]);
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{1, 3, 4}));
  EXPECT_EQ(two.ear().now().logged("event=peer_replaced"), 1);
}

TEST(PeerServer, APortInUseIsAnErrorThatSaysSo) {
  RawServer taken;
  try {
    TestNode two({.id = 2, .port = taken.port()});
    FAIL() << "two listeners on one port";
  } catch (const std::exception& e) {
    EXPECT_STREQ(e.what(), "Address already in use");
  }
}

TEST(PeerServer, ManyShortConnectionsLeaveNothing) {
  TestNode two({.id = 2});
  GoodPeer good(two);
  auto before = open_files();
  for (int i = 0; i < 2000; ++i) {
    RawClient client(two.port());
    client.send("x");
  }
  good.expect_well();
  EXPECT_TRUE(two.wait([](const Heard& heard) { return heard.logged("event=peer_dropped") == 2000; }));
  EXPECT_TRUE(wait_open_files(before));
}

}  // namespace
}  // namespace kiwi::test
