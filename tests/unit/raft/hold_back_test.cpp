// A leader's new entries wait while its disk is busy, and then go together (Options::hold_back_bytes).

#include <gtest/gtest.h>

#include "tests/unit/raft/lone.hpp"

namespace kiwi::raft {
namespace {

/// Node 1 leads three nodes; its no-op at 1 is on its disk and on both others.
Lone leader(std::uint64_t hold_back_bytes) {
  Options o = Lone::options(1);
  o.hold_back_bytes = hold_back_bytes;
  Lone n(o, restored({}, {}, voters(3)));
  n.win(2);
  n.sync();
  for (std::uint64_t id : {2, 3}) {
    n.beat(id, 0);
    n.ack(id, 1);
  }
  n.forget();
  return n;
}

void propose(Lone& n, const std::string& what) {
  ASSERT_TRUE(n.core.propose(EntryKind::command, Bytes::copy_of(what)).has_value());
  n.take();
}

std::size_t entries_sent(const Lone& n, std::uint64_t to) {
  std::size_t count = 0;
  for (const auto& m : n.got<AppendRequest>(to)) count += m.entries.size();
  return count;
}

TEST(HoldBack, WhatComesWhileTheDiskIsBusyGoesTogetherWhenItIsNot) {
  Lone n = leader(10'000);
  propose(n, "a");
  EXPECT_EQ(n.writes.size(), 1u) << "the disk was idle";
  EXPECT_EQ(entries_sent(n, 2), 1u);
  propose(n, "b");
  propose(n, "c");
  EXPECT_EQ(n.writes.size(), 1u);
  EXPECT_EQ(entries_sent(n, 2), 1u) << "neither to the disk nor to a follower";
  n.forget();
  n.sync(1);
  EXPECT_EQ(n.writes.size(), 1u);
  EXPECT_EQ(n.last_write.entries.size(), 2u);
  ASSERT_EQ(n.got<AppendRequest>(2).size(), 1u);
  EXPECT_EQ(n.got<AppendRequest>(2).at(0).entries.size(), 2u);
  EXPECT_EQ(entries_sent(n, 3), 2u);
}

TEST(HoldBack, FollowersDoNotEndTheWait) {
  Lone n = leader(10'000);
  propose(n, "a");
  propose(n, "b");
  n.ack(2, 2);
  n.ack(3, 2);
  EXPECT_EQ(n.core.commit(), Index(2)) << "a majority has it";
  EXPECT_EQ(n.writes.size(), 1u);
  EXPECT_EQ(entries_sent(n, 2), 1u);
  EXPECT_TRUE(n.applied.empty() || n.applied.back().id.index == Index(1)) << "rule 6";
}

TEST(HoldBack, MuchDoesNotWait) {
  Lone n = leader(1000);
  propose(n, "a");
  propose(n, std::string(2000, 'b'));
  EXPECT_EQ(n.writes.size(), 2u) << "so much is worth a sync of its own";
  EXPECT_EQ(entries_sent(n, 3), 2u);
  propose(n, "c");
  EXPECT_EQ(n.writes.size(), 2u);
  n.sync();
  EXPECT_EQ(entries_sent(n, 3), 3u);
}

TEST(HoldBack, ASlowDiskHoldsNobodyUpForMoreThanATick) {
  Lone n = leader(10'000);
  propose(n, "a");
  propose(n, "b");
  n.tick();
  EXPECT_EQ(n.writes.size(), 2u);
  EXPECT_EQ(entries_sent(n, 2), 2u);
  propose(n, "c");
  EXPECT_EQ(n.writes.size(), 3u) << "the oldest write is still under way";
}

TEST(HoldBack, WhoTakesOverGetsWhatWasHeldBack) {
  Lone n = leader(10'000);
  propose(n, "a");
  propose(n, "b");
  ASSERT_TRUE(n.core.transfer_leadership(NodeId(2)).has_value());
  n.take();
  EXPECT_EQ(entries_sent(n, 2), 2u);
  n.ack(2, 3);
  EXPECT_EQ(n.got<TimeoutNowRequest>(2).size(), 1u);
}

/// Node 3 leads in the next term, and its entries from 2 to `last` replace what is there.
void depose(Lone& n, std::uint64_t last) {
  const auto term = n.core.term().value + 1;
  std::vector<Entry> entries;
  for (std::uint64_t i = 2; i <= last; ++i) entries.push_back(entry(term, i));
  n.step(3, append(term, at(1, 1), std::move(entries)));
  n.sync();
  ASSERT_EQ(n.core.last_log_id().index, Index(last));
}

/// Leads anew; what it proposes gets to its disk.
void lead_again(Lone& n) {
  n.forget();
  n.win(2);
  n.sync();
  ASSERT_EQ(n.core.role(), Role::leader);
  propose(n, "again");
  n.sync();
  EXPECT_EQ(n.core.durable(), n.core.last_log_id().index);
  EXPECT_TRUE(n.writes.empty());
}

TEST(HoldBack, WhoWasCutWhileItDidNotLeadLeadsAgain) {
  Lone n = leader(100);
  for (int i = 0; i < 6; ++i) propose(n, std::string(200, 'a'));
  EXPECT_EQ(n.writes.size(), 6u) << "all of it left";
  depose(n, 2);
  lead_again(n);
}

TEST(HoldBack, WhoGrewWhileItDidNotLeadLeadsAgain) {
  Lone n = leader(10'000);
  propose(n, "a");
  propose(n, "held back");
  depose(n, 9);
  lead_again(n);
}

TEST(HoldBack, ASoleVoterCommitsWhatItHeldBack) {
  Options o = Lone::options(1);
  o.hold_back_bytes = 10'000;
  Lone n(o, restored({}, {}, voters(1)));
  n.tick(50);
  n.sync();
  ASSERT_EQ(n.core.role(), Role::leader);
  propose(n, "a");
  propose(n, "b");
  propose(n, "c");
  EXPECT_EQ(n.writes.size(), 1u);
  n.sync(1);
  EXPECT_EQ(n.applied.back().id.index, Index(2));
  n.sync();
  EXPECT_EQ(n.applied.back().id.index, Index(4));
}

TEST(HoldBack, WithoutItEachGoesAtOnce) {
  Lone n = leader(0);
  propose(n, "a");
  propose(n, "b");
  EXPECT_EQ(n.writes.size(), 2u);
  EXPECT_EQ(entries_sent(n, 2), 2u);
}

}  // namespace
}  // namespace kiwi::raft
