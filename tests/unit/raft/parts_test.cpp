// The parts of the core by themselves.

#include <gtest/gtest.h>

#include "raft/clock_median.hpp"
#include "raft/log_view.hpp"
#include "raft/progress.hpp"
#include "raft/quorum.hpp"
#include "raft/write_stream.hpp"
#include "tests/unit/raft/broken_invariant.hpp"
#include "tests/unit/raft/lone.hpp"

namespace kiwi::raft {
namespace {

std::uint64_t majority(std::vector<std::uint64_t> values) {
  return majority_value(values.data(), values.size());
}

TEST(Quorum, IsWhatAMajorityHasReached) {
  EXPECT_EQ(majority({}), 0u);
  EXPECT_EQ(majority({7}), 7u);
  EXPECT_EQ(majority({7, 3}), 3u);
  EXPECT_EQ(majority({1, 9, 5}), 5u);
  EXPECT_EQ(majority({1, 9, 5, 7}), 5u);
  EXPECT_EQ(majority({5, 4, 3, 2, 1}), 3u);
}

TEST(Quorum, JointNeedsBothHalvesAndNobodyIsNoQuorum) {
  Membership m = voters(3);
  m.outgoing_voters = {NodeId(3), NodeId(4), NodeId(5)};
  const auto is = [](std::vector<std::uint64_t> ids) {
    return [ids](NodeId id) { return std::find(ids.begin(), ids.end(), id.value) != ids.end(); };
  };
  EXPECT_FALSE(has_quorum(m, is({1, 2, 3})));
  EXPECT_TRUE(has_quorum(m, is({1, 3, 4})));
  EXPECT_FALSE(has_quorum(m, is({3, 4, 5})));
  EXPECT_FALSE(has_quorum(Membership{}, is({1, 2, 3})));
}

TEST(LogView, KnowsTermsWithoutHavingEntries) {
  LogView log(at(2, 10), {{Term(3), Index(11)}, {Term(5), Index(14)}}, at(5, 20));
  EXPECT_EQ(log.term_at(Index(10)), Term(2));
  EXPECT_EQ(log.term_at(Index(11)), Term(3));
  EXPECT_EQ(log.term_at(Index(13)), Term(3));
  EXPECT_EQ(log.term_at(Index(14)), Term(5));
  EXPECT_EQ(log.term_at(Index(9)), std::nullopt);
  EXPECT_EQ(log.term_at(Index(21)), std::nullopt);
  EXPECT_EQ(log.first_of_term_at(Index(13)), Index(11));
  EXPECT_EQ(log.last_of_term(Term(3)), Index(13));
  EXPECT_EQ(log.last_of_term(Term(5)), Index(20));
  EXPECT_EQ(log.last_of_term(Term(2)), Index(10));
  EXPECT_EQ(log.last_of_term(Term(4)), std::nullopt);
  EXPECT_FALSE(log.cached(Index(20)));
  log.truncate_from(Index(13));
  EXPECT_EQ(log.last(), at(3, 12));
  log.append(entry(7, 13));
  EXPECT_TRUE(log.cached(Index(13)));
  EXPECT_FALSE(log.cached(Index(12)));
  log.truncate_from(Index(11));
  EXPECT_EQ(log.last(), at(2, 10));
  EXPECT_EQ(log.bytes(), 0u);
  EXPECT_THROW(log.truncate_from(Index(10)), BrokenInvariant);
  EXPECT_THROW(log.append(entry(7, 12)), BrokenInvariant);
  EXPECT_THROW(log.append(entry(1, 11)), BrokenInvariant);
}

TEST(LogView, FitsCopiesAndEvicts) {
  LogView log;
  for (std::uint64_t i = 1; i <= 10; ++i) log.append(entry(1, i));
  const std::uint64_t one = weight_bytes(entry(1, 1));
  EXPECT_EQ(log.fit(Index(3), Index(9), 3 * one), Index(5));
  EXPECT_EQ(log.fit(Index(3), Index(9), 1), Index(3)) << "at least one";
  EXPECT_EQ(log.fit(Index(3), Index(4), 1000 * one), Index(4));
  EXPECT_EQ(log.bytes_after(Index(9)), weight_bytes(entry(1, 10)));
  log.evict(Index(4), one);
  EXPECT_EQ(log.cached_first(), Index(5)) << "never above the given index";
  log.evict(Index(10), 3 * one);
  EXPECT_LE(log.bytes(), 3 * one);
  std::vector<Entry> out;
  log.copy(Index(9), Index(10), out);
  EXPECT_EQ(out, (std::vector<Entry>{entry(1, 9), entry(1, 10)}));
  EXPECT_EQ(log.term_at(Index(1)), Term(1));
}

TEST(WriteStream, ATruncationIsToldOnceAndLowersWhatOutstandingWritesCover) {
  WriteStream w(Vote{}, Index(0));
  EXPECT_EQ(w.issue(Vote{}, at(1, 5), 0).first, Index(1));
  w.truncated(Index(4));
  w.truncated(Index(3));
  const auto step = w.issue(Vote{Term(2), NodeId(1)}, at(2, 4), 0);
  EXPECT_EQ(step.number, 2u);
  EXPECT_TRUE(step.has_vote);
  EXPECT_EQ(step.truncate_from, Index(3));
  EXPECT_EQ(step.first, Index(3));
  EXPECT_FALSE(w.has_work(Vote{Term(2), NodeId(1)}, Index(4)));
  w.persisted(1, at(1, 5));
  EXPECT_EQ(w.durable(), Index(2));
  EXPECT_EQ(w.durable_vote(), Vote{});
  w.persisted(2, at(2, 4));
  EXPECT_EQ(w.durable(), Index(4));
  EXPECT_EQ(w.durable_vote().term, Term(2));
}

TEST(WriteStream, AGroupMayNameItsCommonEnd) {
  WriteStream w(Vote{}, Index(0));
  w.issue(Vote{}, at(1, 1), 0);
  w.issue(Vote{}, at(1, 2), 0);
  w.persisted(1, at(1, 2));
  EXPECT_EQ(w.durable(), Index(1));
  EXPECT_THROW(w.persisted(2, at(1, 1)), BrokenInvariant);
}

TEST(Progress, ARejectionCountsOnlyForWhatIsInFlight) {
  Progress p(NodeId(2), Index(6), 0);
  const auto first = p.sent(Index(5), Index(5), 0, 0);
  EXPECT_FALSE(p.may_probe());
  p.back_track(*p.rejected_previous(first), Index(3));
  EXPECT_EQ(p.next(), Index(3));
  EXPECT_EQ(p.rejected_previous(first), std::nullopt);
  const auto second = p.sent(Index(2), Index(2), 0, 0);
  p.acknowledged(second, Index(2));
  EXPECT_EQ(p.state(), ProgressState::replicate);
  const auto third = p.sent(Index(2), Index(9), 100, 0);
  p.acknowledged(third, Index(9));
  EXPECT_EQ(p.inflight_bytes(), 0u);
  EXPECT_FALSE(p.acknowledged(second, Index(2)));
  EXPECT_EQ(p.match(), Index(9));
  p.back_track(Index(9), Index(1));
  EXPECT_EQ(p.next(), Index(10)) << "never to or below match";
  EXPECT_FALSE(p.may_probe()) << "it denies what it acknowledged: no spinning";
}

TEST(Progress, ARepeatedProbeIsTheSameQuestion) {
  Progress p(NodeId(2), Index(6), 0);
  const auto first = p.sent(Index(5), Index(5), 0, 0);
  p.repeat_probe();
  const auto again = p.sent(Index(5), Index(5), 0, 5);
  ASSERT_EQ(p.rejected_previous(first), Index(5));
  p.back_track(Index(5), Index(3));
  EXPECT_EQ(p.rejected_previous(again), std::nullopt) << "the search has moved on";
  const auto third = p.sent(Index(2), Index(2), 0, 5);
  p.lost();
  EXPECT_EQ(p.rejected_previous(third), std::nullopt);
  p.resume();
  p.sent(Index(2), Index(2), 0, 6);
  EXPECT_EQ(p.rejected_previous(99), std::nullopt) << "never sent";
}

TEST(Progress, AnAcknowledgementFromBeforeMovesTheProbeOn) {
  Progress p(NodeId(2), Index(6), 0);
  p.acknowledged(p.sent(Index(5), Index(5), 0, 0), Index(5));
  const auto slow = p.sent(Index(5), Index(9), 100, 0);
  p.lost();
  p.resume();
  const auto probe = p.sent(Index(5), Index(5), 0, 1);
  EXPECT_TRUE(p.acknowledged(slow, Index(9)));
  EXPECT_EQ(p.next(), Index(10));
  EXPECT_EQ(p.rejected_previous(probe), std::nullopt) << "it asked about entry 5";
  EXPECT_TRUE(p.may_probe());
  p.acknowledged(p.sent(Index(9), Index(9), 0, 2), Index(9));
  EXPECT_EQ(p.state(), ProgressState::replicate);
}

TEST(Progress, AFailedBuildIsRepeatedLaterAndLater) {
  Progress p(NodeId(2), Index(6), 0);
  p.need_snapshot();
  EXPECT_EQ(p.offer_wait(10), 10u);
  for (std::uint64_t wait : {20u, 40u, 80u, 160u, 320u, 640u, 640u}) {
    p.build_failed(5);
    EXPECT_EQ(p.offer_wait(10), wait);
  }
  p.offer(std::make_shared<SnapshotManifest>(), 9);
  EXPECT_EQ(p.offer_wait(10), 10u);
}

TEST(Progress, ARepeatedQuestionKeepsItsNumber) {
  Progress p(NodeId(2), Index(6), 0);
  p.acknowledged(p.sent(Index(5), Index(5), 0, 0), Index(5));
  p.sent(Index(5), Index(9), 100, 0);
  const auto question = p.sent(Index(9), Index(9), 0, 5);
  EXPECT_EQ(p.sent(Index(9), Index(9), 0, 10), question);
  EXPECT_EQ(p.idle_ticks(11), 1u);
  EXPECT_EQ(p.inflight(), 2u);
  EXPECT_EQ(p.rejected_previous(question), Index(9));
  EXPECT_NE(p.sent(Index(9), Index(12), 50, 11), question);
}

TEST(ClockMedian, OneWrongClockMovesNothing) {
  ClockMedian c;
  c.set_own(1000);
  EXPECT_EQ(c.agreed(voters(3), NodeId(1)), 0u);
  EXPECT_EQ(c.agreed(voters(1), NodeId(1)), 1000u);
  c.heard(NodeId(2), 1010);
  EXPECT_EQ(c.agreed(voters(3), NodeId(1)), 1000u);
  c.heard(NodeId(3), ~0ull);
  EXPECT_EQ(c.agreed(voters(3), NodeId(1)), 1010u);
  c.set_own(5);
  c.set_own(105);
  EXPECT_EQ(c.agreed(voters(3), NodeId(1)), 1110u) << "the others' clocks go on, the own one went back";
}

}  // namespace
}  // namespace kiwi::raft
