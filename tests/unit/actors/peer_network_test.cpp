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

}  // namespace
}  // namespace kiwi::test
