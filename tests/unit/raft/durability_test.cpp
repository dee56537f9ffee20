// Rules 2, 3, 6: what may be said before, and after, the disk is done.

#include <gtest/gtest.h>

#include "tests/unit/raft/broken_invariant.hpp"
#include "tests/unit/raft/lone.hpp"

namespace kiwi::raft {
namespace {

TEST(Durability, AnAppendIsAcknowledgedWhenItIsOnDisk) {
  Lone n(1, 3, {}, 0);
  n.step(2, append(1, at(0, 0), {entry(1, 1)}, 0, 1));
  n.step(2, append(1, at(1, 1), {entry(1, 2)}, 0, 2));
  EXPECT_TRUE(n.sent.empty());
  n.sync(1);
  ASSERT_EQ(n.got<AppendResponse>(2).size(), 1u);
  EXPECT_EQ(n.got<AppendResponse>(2)[0].match, Index(1));
  n.sync(1);
  EXPECT_EQ(n.got<AppendResponse>(2).back().match, Index(2));
}

TEST(Durability, AHeartbeatOfANewTermIsAnsweredWhenTheTermIsOnDisk) {
  Lone n(1, 3, {}, 0);
  n.step(2, heartbeat(4, 0, 3));
  n.step(2, heartbeat(4, 0, 5));
  EXPECT_TRUE(n.sent.empty());
  n.sync();
  ASSERT_EQ(n.got<HeartbeatResponse>(2).size(), 1u);
  EXPECT_EQ(n.got<HeartbeatResponse>(2)[0].round, 5u);
  n.step(2, append(4, at(0, 0), {entry(4, 1)}));
  n.step(2, heartbeat(4, 0, 6));
  EXPECT_EQ(n.got<HeartbeatResponse>(2).size(), 2u) << "but it never waits for entries";
}

TEST(Durability, A02TheCompletionOfATruncatedAppendIsNotCounted) {
  Lone n(1, 3, {1}, 1);
  n.step(2, append(2, at(1, 1), {entry(2, 2), entry(2, 3)}));
  n.step(3, append(3, at(1, 1), {entry(3, 2), entry(3, 3)}));
  ASSERT_EQ(n.writes.size(), 2u);
  n.sync(1);  // entries 2 and 3 are on disk: the old ones
  EXPECT_EQ(n.core.durable(), Index(1));
  EXPECT_TRUE(n.got<AppendResponse>().empty());
  n.sync(1);
  EXPECT_EQ(n.core.durable(), Index(3));
  ASSERT_EQ(n.got<AppendResponse>().size(), 1u);
  EXPECT_EQ(n.got<AppendResponse>(3)[0].match, Index(3));
  EXPECT_EQ(n.got<AppendResponse>(3)[0].term, Term(3));
}

TEST(Durability, A02ATruncationInsideAnOutstandingWriteKeepsTheRestOfIt) {
  Lone n(1, 3, {}, 0);
  n.step(2, append(2, at(0, 0), {entry(1, 1), entry(1, 2), entry(2, 3), entry(2, 4)}));
  n.step(3, append(3, at(1, 2), {entry(3, 3)}));
  n.sync(1);
  EXPECT_EQ(n.core.durable(), Index(2));
  n.sync(1);
  EXPECT_EQ(n.core.durable(), Index(3));
}

TEST(Durability, A02EntriesThatWereNeverIssuedNeedNoTruncation) {
  Lone n(1, 3, {1}, 1);
  n.core.step(NodeId(2), append(2, at(1, 1), {entry(2, 2), entry(2, 3)}));
  n.core.step(NodeId(3), append(3, at(1, 1), {entry(3, 2)}));
  n.take();
  ASSERT_EQ(n.writes.size(), 1u);
  EXPECT_EQ(n.last_write.truncate_from, Index(0));
  ASSERT_EQ(n.last_write.entries.size(), 1u);
  EXPECT_EQ(n.last_write.entries[0].id, at(3, 2));
}

TEST(Durability, A03ALaterCompletionIncludesTheEarlierOnes) {
  Lone n(1, 3, {}, 0);
  n.step(2, append(1, at(0, 0), {entry(1, 1)}, 0, 1));
  n.step(2, append(1, at(1, 1), {entry(1, 2)}, 0, 2));
  const auto first = n.writes[0];
  const auto second = n.writes[1];
  n.core.persisted(second.first, second.second);
  n.core.persisted(first.first, first.second);
  n.take();
  EXPECT_EQ(n.core.durable(), Index(2)) << "the older completion, later, takes nothing back";
}

TEST(Durability, ACompletionThatNamesAnotherLogIsABug) {
  Lone n(1, 3, {}, 0);
  n.step(2, append(1, at(0, 0), {entry(1, 1)}));
  EXPECT_THROW(n.core.persisted(1, at(1, 7)), BrokenInvariant);
  EXPECT_THROW(n.core.persisted(2, at(1, 1)), BrokenInvariant);
}

TEST(Durability, AVoteOfAnEarlierTermIsNeverSentOnceTheTermMovedOn) {
  Lone n(1, 3, {}, 0);
  n.step(2, vote_request(1, at(0, 0)));
  n.step(3, vote_request(2, at(0, 0)));
  n.sync(1);
  EXPECT_TRUE(n.got<VoteResponse>().empty());
  n.sync();
  EXPECT_TRUE(n.got<VoteResponse>(2).empty());
  EXPECT_TRUE(n.got<VoteResponse>(3).at(0).granted);
}

TEST(Durability, L07TheLeaderCountsItselfOnlyAsFarAsItsDisk) {
  Lone n(1, 3, {}, 0);
  n.win(2);
  ASSERT_EQ(n.writes.size(), 1u) << "its disk hangs";
  EXPECT_EQ(n.got<AppendRequest>().size(), 2u) << "others need not wait for it (thesis 10.2.1)";
  n.ack(2, 1);
  EXPECT_EQ(n.core.commit(), Index(0));
  n.ack(3, 1);
  EXPECT_EQ(n.core.commit(), Index(1)) << "both others are a majority";
  EXPECT_TRUE(n.applied.empty()) << "rule 6: applied only what is durable here";
  n.sync();
  EXPECT_EQ(n.applied.size(), 1u);
}

TEST(Durability, L08AloneNothingIsCommittedBeforeTheDisk) {
  Lone n(1, 1, {}, 0);
  n.tick();
  n.sync();
  (void)n.core.propose(EntryKind::command, Bytes::copy_of("x"));
  n.take();
  EXPECT_EQ(n.core.commit(), Index(1));
  n.sync();
  EXPECT_EQ(n.core.commit(), Index(2));
}

TEST(Durability, AFollowerAppliesOnlyWhatIsOnItsOwnDisk) {
  Lone n(1, 3, {}, 0);
  n.step(2, append(1, at(0, 0), {entry(1, 1), entry(1, 2)}, 2));
  EXPECT_EQ(n.core.commit(), Index(2));
  EXPECT_TRUE(n.applied.empty());
  n.sync();
  EXPECT_EQ(n.applied.size(), 2u);
}

TEST(Time, StampsFollowTheMedianOfTheVotersClocksAndNeverGoBack) {
  Lone n(1, 3, {}, 0);
  n.core.set_clock(1'000'000);
  n.win(2);
  EXPECT_EQ(n.core.agreed_time_ms(), 0u) << "nobody was heard yet: time stands still";
  const auto beat = [&](std::uint64_t from, std::uint64_t clock) {
    HeartbeatResponse m;
    m.term = Term(1);
    m.clock_ms = clock;
    n.step(from, m);
  };
  beat(2, 1'000'500);
  EXPECT_EQ(n.core.agreed_time_ms(), 1'000'000u) << "two of three: the lower one";
  beat(3, 9'000'000);
  EXPECT_EQ(n.core.agreed_time_ms(), 1'000'500u) << "a clock far ahead is outvoted";
  (void)n.core.propose(EntryKind::tick, {});
  n.core.set_clock(1'000'100);
  EXPECT_EQ(n.core.agreed_time_ms(), 1'000'600u) << "time passes with the own clock";
  n.core.set_clock(500'000'000);
  EXPECT_LE(n.core.agreed_time_ms(), 9'000'000u + 1000) << "the own clock may jump; only 3 is near";
  n.core.set_clock(1);
  beat(2, 1'000'000);
  beat(3, 1);
  EXPECT_EQ(n.core.agreed_time_ms(), 1'000'500u) << "never below the last stamp";
}

TEST(Time, AJumpOfTheLeadersOwnClockExpiresNothing) {
  Lone n(1, 3, {}, 0);
  n.core.set_clock(1'000'000);
  n.win(2);
  for (std::uint64_t i : {2, 3}) {
    HeartbeatResponse m;
    m.term = Term(1);
    m.clock_ms = 1'000'000;
    n.step(i, m);
  }
  n.core.set_clock(1'000'000 + 3'600'000);
  EXPECT_LE(n.core.agreed_time_ms(), 1'000'000 + ClockMedian::kLargestStepMs);
}

}  // namespace
}  // namespace kiwi::raft
