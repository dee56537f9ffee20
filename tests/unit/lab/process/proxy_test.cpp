// The proxy between two sockets of the test: one dials as n1, the other listens as n2.

#include "lab/process/proxy.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "messages/codec.hpp"

namespace kiwi::lab {
namespace {

using std::chrono::milliseconds;

constexpr NodeId kFrom{1}, kTo{2};

std::string frame(std::uint64_t term) {
  HeartbeatRequest beat;
  beat.term = Term(term);
  return encode_frame(PeerMessage(beat));
}

class ProxyTest : public testing::Test {
 protected:
  void SetUp() override {
    listening_ = std::move(*listen_on_loopback());
    port_ = *proxy_.add(kFrom, kTo, listening_.port);
    dial();
  }

  void dial() {
    dialer_ = connect_to(port_);
    for (int i = 0; i < 200 && !acceptor_; ++i) {
      loop_.step(loop_.now() + milliseconds(5));
      acceptor_ = accept_from(listening_.socket);
    }
    ASSERT_TRUE(acceptor_);
    loop_.step(loop_.now() + milliseconds(5));  // the proxy, too, must learn that it is connected
  }

  void send(const std::string& bytes) {
    ASSERT_EQ(::send(dialer_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  /// All that arrives within `time`.
  std::string arrives(Time time = milliseconds(50)) {
    std::string got;
    const Time until = loop_.now() + time;
    while (loop_.now() < until) {
      loop_.step(std::min(until, loop_.now() + milliseconds(2)));
      char bytes[4096];
      const auto n = ::recv(acceptor_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (n > 0) {
        got.append(bytes, static_cast<std::size_t>(n));
      }
      over_ = n == 0 || (n < 0 && errno != EAGAIN);
      if (over_) {
        break;
      }
    }
    return got;
  }

  bool apply(const std::string& verb, std::vector<std::string> words = {},
             std::map<std::string, std::string> options = {}) {
    script::Action action;
    action.verb = verb;
    action.words = std::move(words);
    action.options = std::move(options);
    const auto done = proxy_.apply(kFrom, kTo, action, details_);
    EXPECT_TRUE(done) << done.error();
    return done.value_or(false);
  }

  Loop loop_;
  Proxy proxy_{loop_, {}};
  Listening listening_;
  std::uint16_t port_ = 0;
  Fd dialer_, acceptor_;
  bool over_ = false;  // the acceptor's connection has ended
  std::map<std::string, std::string> details_;
};

TEST_F(ProxyTest, passes_bytes_unchanged) {
  send(frame(1) + frame(2));
  EXPECT_EQ(arrives(), frame(1) + frame(2));
  EXPECT_EQ(proxy_.counts().frames, 2u);
}

TEST_F(ProxyTest, a_cut_keeps_what_is_sent_until_it_is_healed) {
  EXPECT_TRUE(apply("cut"));
  EXPECT_FALSE(apply("cut")) << "it was cut already";
  send(frame(1));
  EXPECT_EQ(arrives(), "");
  EXPECT_FALSE(over_);
  EXPECT_TRUE(apply("heal"));
  EXPECT_EQ(arrives(), frame(1));
  EXPECT_FALSE(apply("heal"));
}

TEST_F(ProxyTest, nothing_is_dialed_through_a_cut_the_other_way) {
  script::Action cut;
  cut.verb = "cut";
  ASSERT_TRUE(*proxy_.apply(kTo, kFrom, cut, details_));
  send(frame(1));
  EXPECT_EQ(arrives(), frame(1)) << "what n1 sends is heard";
  acceptor_.close();
  dialer_ = connect_to(port_);
  for (int i = 0; i < 20; ++i) {
    loop_.step(loop_.now() + milliseconds(5));
    EXPECT_FALSE(accept_from(listening_.socket));
  }
  cut.verb = "heal";
  ASSERT_TRUE(*proxy_.apply(kTo, kFrom, cut, details_));
  for (int i = 0; i < 200 && !acceptor_; ++i) {
    loop_.step(loop_.now() + milliseconds(5));
    acceptor_ = accept_from(listening_.socket);
  }
  EXPECT_TRUE(acceptor_);
}

TEST_F(ProxyTest, a_stream_that_cannot_move_is_reset_after_five_seconds) {
  apply("clog");
  send(frame(1));
  arrives(Pipe::kStall - std::chrono::seconds(1));
  EXPECT_FALSE(over_);
  arrives(std::chrono::seconds(2));
  EXPECT_TRUE(over_);
}

TEST_F(ProxyTest, delays_and_keeps_the_order) {
  apply("delay", {"60ms..80ms"});
  send(frame(1) + frame(2) + frame(3));
  EXPECT_EQ(arrives(milliseconds(40)), "");
  EXPECT_EQ(arrives(milliseconds(150)), frame(1) + frame(2) + frame(3));
}

TEST_F(ProxyTest, a_narrow_link_takes_its_time) {
  apply("bandwidth", {"1KB/s"});
  const auto one = frame(1);
  std::string ten;
  for (int i = 0; i < 10; ++i) {
    ten += one;
  }
  send(ten);
  const auto expected = std::chrono::duration<double>(static_cast<double>(ten.size()) / 1024);
  const Time begin = loop_.now();
  std::string got;
  while (got.size() < ten.size() && loop_.now() - begin < std::chrono::seconds(5)) {
    got += arrives(milliseconds(2));
  }
  EXPECT_EQ(got, ten);
  EXPECT_GE(loop_.now() - begin, expected * 0.9);
}

TEST_F(ProxyTest, holds_frames_of_a_kind_and_lets_others_overtake_them) {
  EXPECT_TRUE(apply("hold", {"heartbeat"}));
  const auto append = encode_frame(PeerMessage(AppendRequest{}));
  send(frame(1) + append + frame(2));
  EXPECT_EQ(arrives(), append + frame(2)) << "one is held";
  EXPECT_TRUE(apply("release", {"heartbeat"}));
  EXPECT_EQ(arrives(), frame(1));
  EXPECT_FALSE(apply("release", {"heartbeat"}));
}

TEST_F(ProxyTest, duplicates_but_never_a_hello) {
  apply("duplicate", {"1"});
  const auto hello = encode_frame(Hello{});
  send(hello + frame(1));
  EXPECT_EQ(arrives(), hello + frame(1) + frame(1));
}

TEST_F(ProxyTest, a_lost_frame_costs_the_connection) {
  apply("drop-next", {"heartbeat"});
  send(frame(1) + frame(2));
  EXPECT_EQ(arrives(milliseconds(500)), "");
  EXPECT_TRUE(over_);
  EXPECT_EQ(proxy_.counts().dropped, 1u);
}

TEST_F(ProxyTest, corrupts_a_bit) {
  apply("corrupt", {"1"});
  send(frame(1));
  const auto got = arrives();
  ASSERT_EQ(got.size(), frame(1).size());
  int bits = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    bits += __builtin_popcount(static_cast<unsigned char>(got[i] ^ frame(1)[i]));
  }
  EXPECT_EQ(bits, 1);
}

TEST_F(ProxyTest, slices_into_pieces_that_make_up_the_whole) {
  apply("slice", {}, {{"bytes", "3"}});
  send(frame(1) + frame(2));
  EXPECT_EQ(arrives(milliseconds(200)), frame(1) + frame(2));
}

TEST_F(ProxyTest, replays_what_passed_before) {
  EXPECT_FALSE(apply("replay-old", {"heartbeat"})) << "nothing passed yet";
  send(frame(1));
  arrives();
  EXPECT_TRUE(apply("replay-old", {"heartbeat"}, {{"count", "2"}}));
  EXPECT_EQ(arrives(), frame(1) + frame(1));
}

TEST_F(ProxyTest, resets_both_ends) {
  EXPECT_TRUE(apply("reset"));
  EXPECT_FALSE(apply("reset"));
  arrives();
  EXPECT_TRUE(over_);
  char byte = 0;
  EXPECT_LE(::recv(dialer_.get(), &byte, 1, MSG_DONTWAIT), 0);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_F(ProxyTest, half_open_is_heard_by_the_acceptor_alone) {
  EXPECT_TRUE(apply("half-open"));
  arrives();
  EXPECT_TRUE(over_);
  send(frame(1));
  loop_.step(loop_.now() + milliseconds(20));
  char byte = 0;
  EXPECT_EQ(::recv(dialer_.get(), &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, EAGAIN) << "the dialer does not know";
}

TEST_F(ProxyTest, the_end_of_a_stream_comes_behind_its_last_byte) {
  apply("delay", {"50ms"});
  send(frame(1));
  loop_.step(loop_.now() + milliseconds(5));
  dialer_.close();
  EXPECT_EQ(arrives(milliseconds(300)), frame(1));
  EXPECT_TRUE(over_);
}

TEST_F(ProxyTest, whoever_waits_for_a_message_sees_it_before_it_goes_on) {
  bool sent_on = true;
  proxy_.hold_back(true);
  proxy_.on_seen([&](NodeId from, NodeId to, const CutFrame& seen) {
    EXPECT_EQ(from, kFrom);
    EXPECT_EQ(to, kTo);
    EXPECT_EQ(seen.kind, "heartbeat");
    script::Action cut;
    cut.verb = "cut";
    proxy_.apply(from, to, cut, details_);
    sent_on = false;
  });
  send(frame(1));
  EXPECT_EQ(arrives(), "");
  EXPECT_FALSE(sent_on);
}

TEST(LossyProxy, a_lost_message_costs_nothing_else_and_others_overtake) {
  Loop loop;
  Proxy::Weather weather;
  weather.lossy = true;
  weather.latency = {milliseconds(2), milliseconds(40)};
  Proxy proxy(loop, weather);
  auto listening = std::move(*listen_on_loopback());
  const Fd dialer = connect_to(*proxy.add(kFrom, kTo, listening.port));
  Fd acceptor;
  for (int i = 0; i < 200 && !acceptor; ++i) {
    loop.step(loop.now() + milliseconds(5));
    acceptor = accept_from(listening.socket);
  }
  ASSERT_TRUE(acceptor);
  script::Action drop;
  drop.verb = "drop-next";
  drop.words = {"any"};
  std::map<std::string, std::string> details;
  ASSERT_TRUE(*proxy.apply(kFrom, kTo, drop, details));
  std::string all;
  for (std::uint64_t term = 1; term <= 20; ++term) {
    all += frame(term);
  }
  ASSERT_EQ(::send(dialer.get(), all.data(), all.size(), MSG_NOSIGNAL), static_cast<ssize_t>(all.size()));
  std::string got;
  const auto wanted = all.size() - frame(1).size();
  const Time until = loop.now() + std::chrono::seconds(2);
  while (got.size() < wanted && loop.now() < until) {
    loop.step(loop.now() + milliseconds(2));
    char bytes[4096];
    const auto n = ::recv(acceptor.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    got.append(bytes, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
  EXPECT_EQ(got.size(), wanted) << "19 of 20, and the connection stays";
  EXPECT_NE(got, all.substr(frame(1).size())) << "some have overtaken others";
}

}  // namespace
}  // namespace kiwi::lab
