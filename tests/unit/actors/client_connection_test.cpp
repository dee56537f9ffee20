// A client's connection without a socket: commands in, answers in, bytes out.

#include "actors/client_connection.hpp"

#include <gtest/gtest.h>

namespace kiwi::test {
namespace {

/// A socket that takes everything at once, or nothing until it is told.
struct FakeTransport final : ClientTransport {
  std::uint64_t now_ms() const override { return 1; }
  void submit(std::uint64_t, std::vector<ClientCommand> commands) override {
    for (auto& c : commands) submitted.push_back(c.slot);
  }
  void ask(const ReplicaQuestion&, std::function<void(const ReplicaAnswer&)>) override {}
  std::string render(const caf::error&) const override { return {}; }
  std::size_t write(std::string_view bytes) override {
    written += bytes;
    return takes ? bytes.size() : 0;
  }
  void room() override { ++rooms; }
  void give_up_after(std::chrono::milliseconds) override {}
  void hang_up() override {}
  void end() override { ended = true; }

  bool takes = true;
  std::vector<std::uint64_t> submitted;
  std::string written;
  int rooms = 0;
  bool ended = false;
};

struct ClientConnectionTest : testing::Test {
  static std::shared_ptr<RedisShared> four_in_flight() {
    auto shared = std::make_shared<RedisShared>();
    shared->options.max_in_flight = 4;
    shared->options.environment = std::make_shared<const ServerEnvironment>();
    return shared;
  }
  static std::string gets(int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += "GET k" + std::to_string(i) + "\r\n";
    return all;
  }
  /// Answers all that was submitted from `from` on, in one message.
  void answer_all(std::size_t from) {
    Answers m;
    for (std::size_t i = from; i < transport.submitted.size(); ++i)
      m.answers.push_back(
          {transport.submitted[i], AnswerKind::done, Reply::of(static_cast<std::int64_t>(i)), {}});
    connection.answered(m);
  }

  FakeTransport transport;
  std::shared_ptr<RedisShared> shared = four_in_flight();
  ClientConnection connection{transport, shared, {}};
};

// Seen on real processes: with the replies of all commands in flight gone at once, and no more bytes to come,
// the commands that still waited in the parser were forgotten.
TEST_F(ClientConnectionTest, AnswersThatComeAllTogetherLeaveNoCommandBehind) {
  connection.received(gets(10));
  EXPECT_EQ(transport.submitted.size(), 4u) << "no more than may be in flight";
  answer_all(0);
  EXPECT_EQ(transport.submitted.size(), 8u);
  answer_all(4);
  EXPECT_EQ(transport.submitted.size(), 10u);
  answer_all(8);
  EXPECT_EQ(transport.written, ":0\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n");
  EXPECT_GT(transport.rooms, 0);
}

TEST_F(ClientConnectionTest, CommandsThatNeedNobodyElseAreAllAnsweredAtOnce) {
  std::string echoes;
  for (int i = 0; i < 100; ++i) echoes += "ECHO e\r\n";
  connection.received(echoes);
  EXPECT_EQ(transport.written.size(), 100 * std::string("$1\r\ne\r\n").size());
}

TEST_F(ClientConnectionTest, ASlowSocketHoldsTheRestBackUntilItTookTheReplies) {
  shared->options.max_unsent_bytes = 10;
  transport.takes = false;
  connection.received(gets(10));
  answer_all(0);
  EXPECT_EQ(transport.submitted.size(), 4u) << "16 bytes are not taken yet";
  connection.transferred(16);
  EXPECT_EQ(transport.submitted.size(), 8u);
}

TEST_F(ClientConnectionTest, QuitEndsBehindWhatWasAnsweredAndTakesNothingMore) {
  connection.received("ECHO a\r\nQUIT\r\nECHO b\r\n");
  EXPECT_EQ(transport.written, "$1\r\na\r\n+OK\r\n");
  EXPECT_TRUE(transport.ended);
}

}  // namespace
}  // namespace kiwi::test
