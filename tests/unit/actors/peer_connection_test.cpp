// The sending side against a scripted other side.

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "messages/codec.hpp"
#include "tests/unit/actors/peer_test_kit.hpp"

namespace kiwi::test {
namespace {

using Heard = Ear::Heard;

/// Accepts one lane and answers its Hello as node 2.
RawClient welcome(
    RawServer& server, std::uint8_t lane, const std::function<void(Hello&)>& spoil = [](Hello&) {}) {
  auto connection = server.accept();
  auto frame = connection.receive_frame();
  EXPECT_TRUE(frame && std::holds_alternative<Hello>(*frame));
  auto hello = std::get<Hello>(*frame);
  EXPECT_EQ(hello.lane, lane);
  std::swap(hello.node, hello.target);
  spoil(hello);
  EXPECT_TRUE(connection.send(encode_frame(hello)));
  return connection;
}

std::size_t resident_mib() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) >> 20;
}

TEST(PeerConnection, AReceiverThatDoesNotReadCostsItsQueueAndOneReport) {
  TestNode one({.id = 1});
  RawServer two;
  auto peer = one.connect(2, two.port());
  auto heartbeats = welcome(two, 0);
  auto appends = welcome(two, 1);
  ASSERT_TRUE(one.wait_up(2));
  auto before = resident_mib();
  constexpr std::uint64_t kCount = 3000;  // of 100 KiB
  auto append = ToPeer{{bulk(0, 100 << 10)}};
  for (std::uint64_t i = 0; i < kCount; ++i) caf::anon_send(peer, append);
  caf::anon_send(peer, ToPeer{{control(7)}});
  auto heartbeat = heartbeats.receive_frame();  // the control lane does not care
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(std::get<HeartbeatRequest>(std::get<PeerMessage>(*heartbeat)).round, 7u);
  EXPECT_LT(resident_mib(), before + 30);  // 300 MiB were sent
  ASSERT_TRUE(one.wait([](const Heard& heard) { return heard.downs.contains(2); }));
  EXPECT_EQ(one.ear().now().downs[2], 1);
  EXPECT_EQ(one.ear().now().logged("event=peer_queue_full"), 1);

  // Once it reads, the lane works again, on the same connection.
  std::uint64_t received = 0;
  for (;;) {
    caf::anon_send(peer, ToPeer{{bulk(1, 1)}});
    auto frame = appends.receive_frame();
    ASSERT_TRUE(frame);
    if (std::get<AppendRequest>(std::get<PeerMessage>(*frame)).sequence == 1)
      break;
    ++received;
  }
  EXPECT_GE(received, (8u << 20) / (101u << 10));  // the queue, at least
  EXPECT_LT(received, kCount / 2);
  EXPECT_EQ(one.ear().now().downs[2], 1);
  EXPECT_EQ(one.ear().now().ups[2], 1);
}

TEST(PeerConnection, AnEmptyQueueTakesAFrameOfAnySize) {
  TestNode one({.id = 1}), two({.id = 2});
  auto peer = one.connect(2, two.port(), [](PeerOptions& options) { options.bulk_queue_bytes = 100; });
  ASSERT_TRUE(one.wait_up(2));
  caf::anon_send(peer, ToPeer{{bulk(1, 1 << 20), bulk(2, 1)}});
  ASSERT_TRUE(one.wait([](const Heard& heard) { return heard.downs.contains(2); }));
  ASSERT_TRUE(two.wait([](const Heard& heard) { return heard.messages.contains(1); }));
  EXPECT_EQ(bulk_numbers(two.ear().now().messages[1]), std::vector<std::uint64_t>{1});
}

TEST(PeerConnection, LosingOneLaneClosesBothAndRedials) {
  for (std::uint8_t lost = 0; lost < 2; ++lost) {
    TestNode one({.id = 1});
    RawServer two;
    one.connect(2, two.port());
    {
      std::vector<RawClient> lanes;
      lanes.push_back(welcome(two, 0));
      lanes.push_back(welcome(two, 1));
      ASSERT_TRUE(one.wait_up(2));
      lanes[lost].finish();
      EXPECT_EQ(lanes[1 - lost].receive_all(), "");
    }
    auto control_lane = welcome(two, 0);
    auto bulk_lane = welcome(two, 1);
    ASSERT_TRUE(one.wait_up(2, 2));
    EXPECT_EQ(one.ear().now().downs[2], 1);
    EXPECT_EQ(one.ear().now().logged("event=peer_closed"), 1);
    EXPECT_TRUE(one.ear().now().gone.empty()) << "somebody listens there all the time";
  }
}

TEST(PeerConnection, WhoCalledIsCalledBackWithoutALongPause) {
  TestNode one({.id = 1});
  const auto nowhere = listen_on("127.0.0.1", 0)->port;
  auto peer = one.connect(2, nowhere, [](PeerOptions& options) {
    options.retry_min = std::chrono::milliseconds(1);
    options.retry_max = std::chrono::hours(1);
  });
  // By its own pauses alone the 64th attempt would be the one after 2^63 ms.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (one.ear().now().logged("attempts=64 ") == 0 && std::chrono::steady_clock::now() < end) {
    caf::anon_send(peer, PeerCalled{});
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(one.ear().now().logged("attempts=64 "), 1);
}

TEST(PeerConnection, AWrongAnswerIsNoConnection) {
  struct Answer {
    std::string log;
    std::function<void(RawServer&)> give;
  };
  const Answer answers[] = {
      {"refused: you are nobody",
       [](RawServer& s) { welcome(s, 0, [](Hello& h) { h.reason = "you are nobody"; }); }},
      {"cluster 99, here is 7",
       [](RawServer& s) { welcome(s, 0, [](Hello& h) { h.cluster = ClusterId(99); }); }},
      {"node 3 answers there", [](RawServer& s) { welcome(s, 0, [](Hello& h) { h.node = NodeId(3); }); }},
      {"bad answer to Hello", [](RawServer& s) { s.accept().send("HTTP/1.1 400 Bad Request\r\n\r\n"); }},
      {"unexpected frames", [](RawServer& s) { s.accept().send(encode_frame(control(1))); }},
      {"connection lost", [](RawServer& s) { s.accept(); }},
  };
  for (const auto& answer : answers) {
    SCOPED_TRACE(answer.log);
    TestNode one({.id = 1});
    RawServer two;
    one.connect(2, two.port());
    answer.give(two);
    EXPECT_TRUE(one.wait([&](const Heard& heard) { return heard.logged(answer.log) == 1; }));
    // It tries again, and this time finds the right one.
    auto control_lane = welcome(two, 0);
    auto bulk_lane = welcome(two, 1);
    EXPECT_TRUE(one.wait_up(2));
    EXPECT_EQ(one.ear().now().downs[2], 0);
  }
}

TEST(PeerConnection, ASilentOtherSideIsLeftAfterTheTimeLimit) {
  TestNode one({.id = 1});
  RawServer two;
  one.connect(2, two.port(),
              [](PeerOptions& options) { options.handshake_limit = std::chrono::milliseconds(100); });
  auto silent = two.accept();
  EXPECT_TRUE(silent.receive_all());  // ours ends; it held the Hello
  EXPECT_TRUE(one.wait([](const Heard& heard) { return heard.logged("no answer to Hello") > 0; }));
}

TEST(PeerConnection, BytesAfterTheHandshakeEndTheLink) {
  TestNode one({.id = 1});
  RawServer two;
  one.connect(2, two.port());
  auto control_lane = welcome(two, 0);
  auto bulk_lane = welcome(two, 1);
  ASSERT_TRUE(one.wait_up(2));
  ASSERT_TRUE(control_lane.send(encode_frame(control(1))));
  EXPECT_EQ(bulk_lane.receive_all(), "");
  EXPECT_TRUE(one.wait([](const Heard& heard) { return heard.logged("event=peer_closed") == 1; }));
}

TEST(PeerConnection, StrayMessagesAndErrorsEndNothing) {
  TestNode one({.id = 1}), two({.id = 2});
  auto peer = one.connect(2, two.port());
  ASSERT_TRUE(one.wait_up(2));
  auto untyped = caf::actor_cast<caf::actor>(peer);
  caf::anon_send(untyped, std::string("what?"));
  caf::anon_send(untyped, caf::make_error(caf::sec::runtime_error));
  caf::anon_send(peer, ToPeer{{control(1)}});
  EXPECT_TRUE(two.wait([](const Heard& heard) { return heard.messages.contains(1); }));
  EXPECT_EQ(one.ear().now().logged("event=stray_"), 2);
}

TEST(PeerConnection, AnExitClosesTheLinkAtOnceEvenWithAFullQueue) {
  TestNode one({.id = 1});
  RawServer two;
  auto before = open_files();
  auto peer = one.connect(2, two.port());
  auto control_lane = welcome(two, 0);
  auto bulk_lane = welcome(two, 1);
  ASSERT_TRUE(one.wait_up(2));
  caf::anon_send(peer, ToPeer{{bulk(1, 32 << 20)}});
  one.disconnect(2);
  peer = nullptr;
  EXPECT_EQ(control_lane.receive_all(), "");
  ASSERT_TRUE(bulk_lane.receive_all());
  EXPECT_TRUE(wait_open_files(before + 2));  // the ones of this test
}

}  // namespace
}  // namespace kiwi::test
