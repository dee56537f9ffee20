// Batched ReadIndex (thesis 6.4, Raft 8) and the order of one connection's commands (rule 13).

#include <gtest/gtest.h>

#include "tests/unit/raft/lone.hpp"

namespace kiwi::raft {
namespace {

/// A leader of three with its no-op committed and applied.
Lone leader() {
  Lone n(1, 3, {}, 0);
  n.win(2);
  n.sync();
  n.ack(2, 1);
  n.core.applied(Index(1));
  n.take();
  n.forget();
  return n;
}

Index write(Lone& n, const char* text) {
  return n.core.propose(EntryKind::command, Bytes::copy_of(text)).value();
}

TEST(Reads, R01BeforeTheOwnNoOpIsCommittedAReadWaitsForIt) {
  Lone n(1, 3, {1, 1}, 1);
  n.win(2);
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  const std::uint64_t round = n.got<HeartbeatRequest>(3).back().round;
  n.beat(2, round);
  EXPECT_TRUE(n.reads.empty()) << "confirmed, but what is committed is not known";
  n.sync();
  n.ack(2, 3);
  ASSERT_EQ(n.fetches.size(), 1u);
  n.core.entries_read(n.fetches[0].number, {entry(1, 1), entry(1, 2)});
  n.take();
  ASSERT_EQ(n.reads.size(), 1u);
  EXPECT_EQ(n.reads[0].at, Index(3));
}

TEST(Reads, AReadIsServedAfterAQuorumAnsweredARoundThatBeganLater) {
  Lone n = leader();
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  EXPECT_TRUE(n.reads.empty());
  const auto round = n.got<HeartbeatRequest>(2).at(0).round;
  n.beat(2, round - 1);
  EXPECT_TRUE(n.reads.empty()) << "an answer to an earlier round proves nothing";
  n.beat(2, round);
  ASSERT_EQ(n.reads.size(), 1u);
  EXPECT_EQ(n.reads[0].token, 7u);
  EXPECT_EQ(n.reads[0].at, Index(1));
}

TEST(Reads, ManyReadsShareTwoRounds) {
  Lone n = leader();
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(n.core.read(i, Index(0)));
  n.take();
  EXPECT_EQ(n.got<HeartbeatRequest>(2).size(), 1u);
  const auto first = n.got<HeartbeatRequest>(2)[0].round;
  for (std::uint64_t i = 100; i < 200; ++i) {
    ASSERT_TRUE(n.core.read(i, Index(0)));
    n.take();
  }
  EXPECT_EQ(n.got<HeartbeatRequest>(2).size(), 1u) << "they wait for the next round";
  n.beat(3, first);
  EXPECT_EQ(n.reads.size(), 100u);
  ASSERT_EQ(n.got<HeartbeatRequest>(2).size(), 2u) << "which begins as the first one ends";
  n.beat(2, n.got<HeartbeatRequest>(2)[1].round);
  EXPECT_EQ(n.reads.size(), 200u);
  EXPECT_EQ(n.core.counters().read_rounds, 2u);
}

TEST(Reads, NoRoundBeginsWhileThoseBeforeAreAnswered) {
  Lone n = leader();
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  n.beat(2, n.got<HeartbeatRequest>(2).at(0).round);
  ASSERT_EQ(n.reads.size(), 1u);
  n.core.serving_reads(true);
  for (std::uint64_t i = 8; i < 11; ++i) {
    ASSERT_TRUE(n.core.read(i, Index(0)));
    n.take();
  }
  EXPECT_EQ(n.got<HeartbeatRequest>(2).size(), 1u) << "they would wait for the state machine anyway";
  EXPECT_TRUE(n.core.round_waits());
  n.core.serving_reads(false);
  EXPECT_FALSE(n.core.round_waits());
  n.take();
  ASSERT_EQ(n.got<HeartbeatRequest>(2).size(), 2u) << "one round for all three";
  EXPECT_EQ(n.reads.size(), 1u) << "none is served before it is confirmed";
  n.beat(3, n.got<HeartbeatRequest>(2)[1].round);
  EXPECT_EQ(n.reads.size(), 4u);
  EXPECT_EQ(n.core.counters().read_rounds, 2u);
}

TEST(Reads, ARoundThatIsOnItsWayIsAnsweredWhileThoseBeforeAre) {
  Lone n = leader();
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  n.core.serving_reads(true);  // of what a write confirmed, say
  n.beat(2, n.got<HeartbeatRequest>(2).at(0).round);
  EXPECT_EQ(n.reads.size(), 1u);
  EXPECT_FALSE(n.core.round_waits()) << "nothing waits";
}

TEST(Reads, AWriteConfirmsWhatWaitsForARound) {
  Lone n = leader();
  n.core.serving_reads(true);
  ASSERT_TRUE(n.core.read(7, Index(0)));
  write(n, "behind it");
  n.take();
  n.sync();
  EXPECT_TRUE(n.core.round_waits());
  n.ack(2, 2);
  EXPECT_EQ(n.reads.size(), 1u);
  EXPECT_FALSE(n.core.round_waits());
}

TEST(Reads, ALostRoundIsRepeatedByTheNextHeartbeat) {
  Lone n = leader();
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  n.forget();
  n.tick(2);
  n.beat(2, n.got<HeartbeatRequest>(2).at(0).round);
  EXPECT_EQ(n.reads.size(), 1u);
}

TEST(Reads, AnswersToAppendsConfirmToo) {
  Lone n = leader();
  ASSERT_TRUE(n.core.read(7, Index(0)));
  write(n, "x");
  n.take();
  AppendResponse no;  // even a rejection is an answer of this term
  no.term = Term(1);
  no.round = n.got<AppendRequest>(2).at(0).round;
  n.step(2, no);
  EXPECT_EQ(n.reads.size(), 1u);
}

TEST(Reads, Rule13SetGetSetInOnePipeline) {
  Lone n = leader();
  const Index a = write(n, "SET a");
  ASSERT_TRUE(n.core.read(7, a));
  const Index b = write(n, "SET b");
  n.take();
  n.sync();
  n.ack(2, b.value);  // commits both at once; no round was answered
  ASSERT_EQ(n.reads.size(), 1u) << "confirmed by the commit of what came after it";
  EXPECT_EQ(n.reads[0].at, a) << "after SET a and before SET b, though both are handed out together";
  ASSERT_EQ(n.applied.size(), 3u);
}

TEST(Reads, AReadWaitsForItsOwnWrite) {
  Lone n = leader();
  const Index a = write(n, "SET a");
  ASSERT_TRUE(n.core.read(7, a));
  n.take();
  n.beat(2, n.got<HeartbeatRequest>(2).at(0).round);
  EXPECT_TRUE(n.reads.empty());
  n.ack(2, a.value);
  EXPECT_TRUE(n.reads.empty()) << "not durable here, so not applied here";
  n.sync();
  ASSERT_EQ(n.reads.size(), 1u);
  EXPECT_EQ(n.reads[0].at, a);
}

TEST(Reads, TheyComeSortedByPosition) {
  Lone n = leader();
  const Index a = write(n, "a");
  const Index b = write(n, "b");
  ASSERT_TRUE(n.core.read(1, b));
  ASSERT_TRUE(n.core.read(2, a));
  ASSERT_TRUE(n.core.read(3, Index(0)));
  n.take();
  n.sync();
  n.ack(2, b.value);
  ASSERT_EQ(n.reads.size(), 3u);
  EXPECT_EQ(n.reads[0].token, 3u);
  EXPECT_EQ(n.reads[1].at, a);
  EXPECT_EQ(n.reads[2].at, b);
}

TEST(Reads, ASmallApplyWindowStillPutsEachReadInItsPlace) {
  Options o = Lone::options(1);
  o.max_applying_bytes = 70;
  Lone n(o, restored({}, {}, voters(1)));
  n.tick();
  n.sync();
  n.core.applied(Index(1));
  n.take();
  std::vector<Index> mine;
  for (std::uint64_t i = 0; i < 10; ++i) {
    mine.push_back(write(n, "x"));
    ASSERT_TRUE(n.core.read(i, mine.back()));
  }
  n.take();
  n.sync();
  while (n.core.applied() < mine.back()) {
    n.core.applied(n.applied.back().id.index);
    n.take();
  }
  ASSERT_EQ(n.reads.size(), 10u);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(n.reads[i].at, mine[i]);
}

TEST(Reads, R12EveryReadOfADeposedLeaderFails) {
  Lone n = leader();
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(n.core.read(i, Index(0)));
  n.take();
  const auto round = n.got<HeartbeatRequest>(2).at(0).round;
  ASSERT_TRUE(n.core.read(3, Index(0)));
  n.step(3, heartbeat(2));
  n.beat(2, round);
  EXPECT_TRUE(n.reads.empty());
  EXPECT_EQ(n.failed, (std::vector<std::uint64_t>{0, 1, 2, 3}));
  EXPECT_EQ(n.core.read(9, Index(0)).error(), Refusal::not_leader);
}

TEST(Reads, AConfirmationOfAnEarlierTermDoesNotCount) {
  Lone n = leader();
  n.step(3, heartbeat(2));
  n.sync();
  n.win(2);
  ASSERT_EQ(n.core.term(), Term(3));
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  HeartbeatResponse old;
  old.term = Term(1);
  old.round = 100;
  n.step(2, old);
  EXPECT_TRUE(n.reads.empty());
}

TEST(Reads, LearnersConfirmNothing) {
  Membership m = voters(4);
  m.voters = {NodeId(1), NodeId(2), NodeId(3)};
  m.learners = {NodeId(4)};
  Lone n(Lone::options(1), restored({}, {}, m));
  n.win(2);
  n.sync();
  n.ack(2, 1);
  n.forget();
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  const auto round = n.got<HeartbeatRequest>(4).at(0).round;
  n.beat(4, round);
  EXPECT_TRUE(n.reads.empty());
  n.beat(3, round);
  EXPECT_EQ(n.reads.size(), 1u);
}

TEST(Reads, AloneTheyAreReadyAtOnce) {
  Lone n(1, 1, {}, 0);
  n.tick();
  n.sync();
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  EXPECT_EQ(n.reads.size(), 1u);
  n.core.serving_reads(true);
  ASSERT_TRUE(n.core.read(8, Index(0)));
  n.take();
  EXPECT_EQ(n.reads.size(), 2u) << "a round of one costs nothing, and waits for nobody";
}

/// Everybody's clock says `ms`; node 2 answers `round`.
void clocks_say(Lone& n, std::uint64_t ms, std::uint64_t round = 0) {
  n.core.set_clock(ms);
  for (std::uint64_t i : {3, 2}) {
    HeartbeatResponse m;
    m.term = n.core.term();
    m.round = i == 2 ? round : 0;
    m.clock_ms = ms;
    n.step(i, m);
  }
}

TEST(Reads, TheTimeOfAReadIsNotLaterThanTheEntryBehindIt) {
  Lone n = leader();
  clocks_say(n, 1'000'000);
  const Index a = write(n, "SET k PX 100");
  ASSERT_TRUE(n.core.read(7, a));
  const Index b = write(n, "APPEND k");  // finds k alive: its stamp is 1'000'000
  n.take();
  n.sync();
  clocks_say(n, 1'000'500);
  n.ack(2, b.value);
  ASSERT_EQ(n.reads.size(), 1u);
  ASSERT_EQ(n.reads[0].at, a);
  EXPECT_EQ(n.reads[0].now_ms, 1'000'000u) << "k must not be gone before APPEND finds it";
  ASSERT_TRUE(n.core.read(8, b));
  n.take();
  n.beat(2, n.got<HeartbeatRequest>(2).back().round);
  ASSERT_EQ(n.reads.size(), 2u);
  EXPECT_EQ(n.reads[1].now_ms, 1'000'500u) << "nothing is behind it: the time of now";
}

TEST(Reads, BeforeAnEntryThatIsOnlyOnDiskAReadHasTheStampOfItsPosition) {
  Options o = Lone::options(1);
  o.max_cached_bytes = 0;
  o.max_uncommitted_bytes = 200;
  o.max_applying_bytes = 70;
  Lone n(o, restored({}, {}, voters(3)));
  n.win(2);
  n.sync();
  n.ack(2, 1);  // handed out, not applied: nothing more is handed out
  clocks_say(n, 1'000'000);
  const Index b = n.core.propose(EntryKind::command, Bytes(std::string(5000, 'x'))).value();
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  const auto round = n.got<HeartbeatRequest>(2).back().round;
  AppendResponse ack;
  ack.term = n.core.term();
  ack.success = true;
  ack.match = b;
  ack.sequence = n.got<AppendRequest>(2).back().sequence;
  n.step(2, ack);
  n.sync();
  ASSERT_EQ(n.core.commit(), b);
  ASSERT_EQ(n.core.log_bytes_in_memory(), 0u);
  clocks_say(n, 1'000'500, round);
  ASSERT_EQ(n.reads.size(), 1u);
  ASSERT_EQ(n.reads[0].at, Index(1));
  EXPECT_EQ(n.reads[0].now_ms, 1u);
}

TEST(Reads, ASecondReadAtOnePlaceIsNotEarlierThanTheFirst) {
  Options o = Lone::options(1);
  o.max_cached_bytes = 0;
  o.max_uncommitted_bytes = 200;
  o.max_applying_bytes = 70;
  Lone n(o, restored({}, {}, voters(3)));
  n.win(2);
  n.sync();
  n.ack(2, 1);
  clocks_say(n, 1'000'000);
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  n.beat(2, n.got<HeartbeatRequest>(2).back().round);
  ASSERT_EQ(n.reads.size(), 1u);
  EXPECT_EQ(n.reads[0].now_ms, 1'000'000u);
  const Index b = n.core.propose(EntryKind::command, Bytes(std::string(5000, 'x'))).value();
  ASSERT_TRUE(n.core.read(8, Index(0)));
  n.take();
  const auto round = n.got<HeartbeatRequest>(2).back().round;
  AppendResponse ack;
  ack.term = n.core.term();
  ack.success = true;
  ack.match = b;
  ack.sequence = n.got<AppendRequest>(2).back().sequence;
  n.step(2, ack);
  n.sync();
  ASSERT_EQ(n.core.log_bytes_in_memory(), 0u);
  clocks_say(n, 1'000'500, round);
  ASSERT_EQ(n.reads.size(), 2u);
  ASSERT_EQ(n.reads[1].at, n.reads[0].at);
  EXPECT_EQ(n.reads[1].now_ms, 1'000'000u);
}

TEST(Reads, AfterAReadTheLeadersTimeIsNeverBeforeTheReads) {
  Lone n = leader();
  clocks_say(n, 1'000'500);
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  n.beat(2, n.got<HeartbeatRequest>(2).back().round);
  ASSERT_EQ(n.reads.size(), 1u);
  ASSERT_EQ(n.reads[0].now_ms, 1'000'500u);
  clocks_say(n, 1'000'000);  // all of them were set back
  EXPECT_EQ(n.core.agreed_time_ms(), 1'000'500u);
  (void)n.core.propose(EntryKind::tick, {});
  n.take();
  EXPECT_EQ(n.last_write.entries.back().stamp_ms, 1'000'500u)
      << "one tick settles what the read saw as expired";

  ASSERT_TRUE(n.core.read(8, Index(0)));
  n.step(3, heartbeat(2));
  n.sync();
  n.step(3, append(2, at(1, 1), {entry(2, 2)}));
  n.sync();
  n.win(2);
  EXPECT_EQ(n.core.agreed_time_ms(), 1'000'500u) << "the last stamp, though its entry is gone";
}

TEST(Reads, TheirNumberIsBounded) {
  Options o = Lone::options(1);
  o.max_pending_reads = 2;
  Lone n(o, restored({}, {}, voters(3)));
  n.win(2);
  EXPECT_TRUE(n.core.read(1, Index(0)));
  EXPECT_TRUE(n.core.read(2, Index(0)));
  EXPECT_EQ(n.core.read(3, Index(0)).error(), Refusal::overloaded);
}

}  // namespace
}  // namespace kiwi::raft
