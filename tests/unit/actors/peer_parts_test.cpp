// The parts without actors, and the dialer.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "actors/peer_hello.hpp"
#include "actors/peer_out_queue.hpp"
#include "tests/unit/actors/peer_test_kit.hpp"

namespace kiwi::test {
namespace {

using Push = PeerOutQueue::Push;

TEST(PeerOutQueue, HandsOverInPiecesAndInOrder) {
  PeerOutQueue queue(100);
  EXPECT_EQ(queue.push("hello "), Push::queued);
  EXPECT_EQ(queue.push("world"), Push::queued);
  std::vector<char> out;
  queue.hand_over(out, 4);
  EXPECT_EQ(std::string(out.begin(), out.end()), "hell");
  EXPECT_EQ(queue.handed_bytes(), 4u);
  queue.hand_over(out, 4);
  queue.hand_over(out, 100);
  EXPECT_EQ(std::string(out.begin(), out.end()), "hello world");
  EXPECT_EQ(queue.unsent_bytes(), 11u);
  queue.sent(3);
  EXPECT_EQ(queue.unsent_bytes(), 3u);
  queue.sent(0);
  EXPECT_EQ(queue.unsent_bytes(), 0u);
}

TEST(PeerOutQueue, AFullQueueSaysSoOnceAndTakesAgainWhenHalfIsSent) {
  PeerOutQueue queue(100);
  EXPECT_EQ(queue.push(std::string(60, 'a')), Push::queued);
  EXPECT_EQ(queue.push(std::string(41, 'b')), Push::dropped_first);
  EXPECT_TRUE(queue.full());
  EXPECT_EQ(queue.push("c"), Push::dropped);  // it would fit, but order and reports matter more
  std::vector<char> out;
  queue.hand_over(out, 1000);
  queue.sent(51);
  EXPECT_TRUE(queue.full());
  queue.sent(50);
  EXPECT_FALSE(queue.full());
  EXPECT_EQ(queue.push(std::string(50, 'd')), Push::queued);
  EXPECT_EQ(queue.push("e"), Push::dropped_first);
}

TEST(PeerOutQueue, AnEmptyOneTakesAnything) {
  PeerOutQueue queue(10);
  EXPECT_EQ(queue.push(std::string(1000, 'a')), Push::queued);
  EXPECT_EQ(queue.push("b"), Push::dropped_first);
  queue.clear();
  EXPECT_FALSE(queue.full());
  EXPECT_EQ(queue.unsent_bytes(), 0u);
}

TEST(PeerHello, OnlyBulkGoesToTheBulkLane) {
  EXPECT_EQ(lane_of(AppendRequest{}), kBulkLane);
  EXPECT_EQ(lane_of(InstallSnapshotRequest{}), kBulkLane);
  EXPECT_EQ(lane_of(InstallSnapshotResponse{}), kBulkLane);
  for (const PeerMessage& m :
       std::initializer_list<PeerMessage>{VoteRequest{}, VoteResponse{}, AppendResponse{}, HeartbeatRequest{},
                                          HeartbeatResponse{}, TimeoutNowRequest{}})
    EXPECT_EQ(lane_of(m), kControlLane);
}

TEST(PeerHello, ForeignTextCannotForgeALogLine) {
  EXPECT_EQ(for_the_log("cluster 1, here is 2"), "cluster 1, here is 2");
  EXPECT_EQ(for_the_log("a\"\nevent=forged\x1b[0m"), "a??event=forged?[0m");
  EXPECT_EQ(for_the_log(std::string(1000, 'x')).size(), 203u);
}

class DialerTest : public ::testing::Test {
 protected:
  /// The port's error text, or "" and a socket.
  std::string dial(const std::string& host, std::uint16_t port) {
    caf::scoped_actor self{node_.system()};
    std::string problem;
    self->request(dialer_, std::chrono::seconds(10), Dial{host, port})
        .receive([&](DialedSocket& dialed) { dialed_ = dialed; },
                 [&](const caf::error& e) {
                   problem = node_.system().render(e);
                   problem_ = dial_problem(e);
                 });
    return problem;
  }

  TestNode node_{{.id = 1}};
  DialerActor dialer_ = spawn_dialer(node_.system());
  DialedSocket dialed_;
  DialProblem problem_;
  void TearDown() override { caf::anon_send_exit(dialer_, caf::exit_reason::user_shutdown); }
};

TEST_F(DialerTest, ConnectsByNameAndClosesWhatNobodyTakes) {
  RawServer server;
  EXPECT_EQ(dial("localhost", server.port()), "");
  auto other_end = server.accept();
  dialed_ = {};
  EXPECT_EQ(other_end.receive_all(), "");
}

TEST_F(DialerTest, SaysWhyNot) {
  auto nowhere = listen_on("127.0.0.1", 0)->port;
  EXPECT_NE(dial("127.0.0.1", nowhere).find("Connection refused"), std::string::npos);
  EXPECT_TRUE(problem_.refused);
  EXPECT_EQ(problem_.why, "Connection refused");
  EXPECT_NE(dial("256.1.1.1", 1), "");
  EXPECT_FALSE(problem_.refused) << "no such host: that says nothing about a process there";
  EXPECT_NE(problem_.why, "");
}

TEST_F(DialerTest, AnExitEndsADialThatHangs) {
  auto full = listen_on("127.0.0.1", 0).value();
  ::listen(full.socket.fd(), 0);
  RawClient first(full.port);  // fills the backlog; the next one hangs
  caf::scoped_actor self{node_.system()};
  auto answer = self->request(dialer_, std::chrono::seconds(10), Dial{"127.0.0.1", full.port});
  caf::anon_send_exit(dialer_, caf::exit_reason::user_shutdown);
  std::string problem;
  std::move(answer).receive([&](DialedSocket&) { problem = "connected"; },
                            [&](const caf::error& e) { problem = node_.system().render(e); });
  EXPECT_NE(problem.find("request_receiver_down"), std::string::npos) << problem;
}

}  // namespace
}  // namespace kiwi::test
