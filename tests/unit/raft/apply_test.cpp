// What is handed out to be applied, and when.

#include <gtest/gtest.h>

#include "tests/unit/raft/lone.hpp"

namespace kiwi::raft {
namespace {

TEST(Apply, AFollowerAppliesManyEntriesTogetherOrAtTheNextTick) {
  Options o = Lone::options(1);
  o.follower_apply_entries = 4;
  Lone n(o, restored({}, {Term(1), NodeId(0)}, voters(3)));
  n.step(2, append(1, at(0, 0), {entry(1, 1), entry(1, 2)}, 2));
  n.sync();
  EXPECT_TRUE(n.applied.empty()) << "two are too few";
  n.tick();
  EXPECT_EQ(n.applied.size(), 2u) << "but they wait for no more than a tick";
  n.step(2, append(1, at(1, 2), {entry(1, 3), entry(1, 4), entry(1, 5)}, 5));
  n.sync();
  EXPECT_EQ(n.applied.size(), 2u);
  n.step(2, append(1, at(1, 5), {entry(1, 6)}, 6));
  EXPECT_EQ(n.applied.size(), 2u) << "rule 6: the sixth is not on this disk";
  n.sync();
  EXPECT_EQ(n.applied.size(), 6u);
}

TEST(Apply, ALeaderAppliesAtOnceWhatItLeftLyingAsAFollower) {
  Options o = Lone::options(1);
  o.follower_apply_entries = 100;
  Lone n(o, restored({}, {Term(1), NodeId(0)}, voters(1)));
  n.tick(50);
  n.sync();
  ASSERT_EQ(n.core.role(), Role::leader);
  const auto before = n.applied.size();
  ASSERT_TRUE(n.core.propose(EntryKind::command, Bytes::copy_of("x")).has_value());
  n.take();
  n.sync();
  EXPECT_EQ(n.applied.size(), before + 1);
}

TEST(Apply, CaughtUpMeansAppliedWhatTheFirstLeaderHadCommitted) {
  Lone n(1, 3, {}, 0);
  n.step(2, heartbeat(1, 0));
  EXPECT_FALSE(n.core.caught_up_once()) << "a heartbeat does not say all that is committed";
  n.step(2, append(1, at(1, 9), {}, 9));
  EXPECT_FALSE(n.core.caught_up_once());
  n.step(2, append(1, at(0, 0), {entry(1, 1)}, 2, 2));
  n.sync();
  n.core.applied(Index(1));
  EXPECT_FALSE(n.core.caught_up_once());
  n.step(2, append(1, at(1, 1), {entry(1, 2)}, 5, 3));
  n.sync();
  n.core.applied(Index(2));
  EXPECT_TRUE(n.core.caught_up_once());
}

}  // namespace
}  // namespace kiwi::raft
