// Raft 5.3, 5.4 and figures 7 and 8; windows, loss, entries that are on disk only.

#include <gtest/gtest.h>

#include <algorithm>

#include "messages/codec.hpp"
#include "tests/unit/raft/broken_invariant.hpp"
#include "tests/unit/raft/lone.hpp"

namespace kiwi::raft {
namespace {

/// Leader and follower speak until both are silent. Both disks are fast.
void converse(Lone& leader, Lone& follower) {
  const NodeId l = leader.core.options().id;
  const NodeId f = follower.core.options().id;
  for (int round = 0; round < 200; ++round) {
    auto to_follower = std::move(leader.sent);
    auto to_leader = std::move(follower.sent);
    leader.sent.clear();
    follower.sent.clear();
    if (to_follower.empty() && to_leader.empty() && leader.fetches.empty())
      return;
    for (Outgoing& o : to_follower)
      if (o.to == f)
        follower.step(l.value, o.message);
    follower.sync();
    for (Outgoing& o : to_leader)
      if (o.to == l)
        leader.step(f.value, o.message);
    leader.sync();
    for (const Fetch& r : std::exchange(leader.fetches, {})) {
      std::vector<Entry> entries;
      for (Index i = r.first; i <= r.last; ++i)
        entries.push_back(entry(i.value <= 3 ? 1 : i.value <= 5 ? 4 : i.value <= 7 ? 5 : 6, i.value));
      leader.core.entries_read(r.number, entries);
      leader.take();
    }
  }
  FAIL() << "they never end";
}

/// Leader and follower as many ticks apart in each direction; both disks are fast.
class Distant {
 public:
  Distant(Lone& leader, Lone& follower, std::uint64_t delay) : nodes_{&leader, &follower}, delay_(delay) {
    for (Lone* n : nodes_) n->forget();
  }
  void lose_what_is_sent() {
    for (Lone* n : nodes_) n->forget();
  }
  void run(int ticks) {
    for (; ticks > 0; --ticks) {
      ++now_;
      for (Lone* n : nodes_) {
        n->tick();
        n->sync();
      }
      collect();
      while (!mail_.empty() && mail_.front().first <= now_) {
        const auto [from, out] = std::move(mail_.front().second);
        mail_.pop_front();
        for (Lone* n : nodes_)
          if (n->core.options().id == out.to) {
            n->step(from, out.message);
            n->sync();
          }
      }
      collect();
    }
  }

 private:
  void collect() {
    for (Lone* n : nodes_) {
      for (const Fetch& r : std::exchange(n->fetches, {})) {
        std::vector<Entry> entries;
        for (Index i = r.first; i <= r.last; ++i) entries.push_back(entry(kTerms[i.value - 1], i.value));
        n->core.entries_read(r.number, entries);
        n->take();
      }
      for (Outgoing& o : std::exchange(n->sent, {}))
        mail_.push_back({now_ + delay_, {n->core.options().id.value, std::move(o)}});
    }
  }
  static constexpr std::uint64_t kTerms[] = {1, 1, 1, 4, 4, 5, 5, 6, 6, 6};
  std::vector<Lone*> nodes_;
  std::uint64_t delay_;
  std::uint64_t now_ = 0;
  std::deque<std::pair<std::uint64_t, std::pair<std::uint64_t, Outgoing>>> mail_;
};

TEST(Replication, ARoundTripLongerThanThePatienceWithAProbeStillBringsTheLogsTogether) {
  for (std::uint64_t delay : {1, 3, 4, 6, 8}) {
    SCOPED_TRACE(delay);
    Lone leader(1, 3, {1, 1, 1, 4, 4, 5, 5, 6, 6, 6}, 7);
    Lone follower(2, 3, {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3}, 7);
    leader.win(3);
    follower.step(1, heartbeat(8));
    Distant link(leader, follower, delay);
    link.run(200);
    ASSERT_EQ(leader.core.role(), Role::leader);
    EXPECT_EQ(follower.core.last_log_id(), at(8, 11));
    EXPECT_EQ(leader.core.commit(), Index(11));
    EXPECT_EQ(leader.core.followers().at(0).state, ProgressState::replicate);
    EXPECT_LE(leader.core.counters().append_mismatches, 3u);

    (void)leader.core.propose(EntryKind::command, Bytes::copy_of("lost"));
    leader.take();
    link.lose_what_is_sent();
    link.run(100);
    EXPECT_EQ(follower.core.last_log_id(), at(8, 12));
    EXPECT_EQ(leader.core.commit(), Index(12));
  }
}

struct Figure7 {
  const char* name;
  std::vector<std::uint64_t> terms;
};

TEST(Replication, Figure7EveryFollowerEndsWithTheLeadersLog) {
  for (const Figure7& f : std::vector<Figure7>{{"a", {1, 1, 1, 4, 4, 5, 5, 6, 6}},
                                               {"b", {1, 1, 1, 4}},
                                               {"c", {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6}},
                                               {"d", {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7}},
                                               {"e", {1, 1, 1, 4, 4, 4, 4}},
                                               {"f", {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3}},
                                               {"empty", {}}}) {
    SCOPED_TRACE(f.name);
    Lone leader(1, 3, {1, 1, 1, 4, 4, 5, 5, 6, 6, 6}, 7);
    Lone follower(2, 3, f.terms, 7);
    leader.win(3);
    ASSERT_EQ(leader.core.term(), Term(8));
    converse(leader, follower);
    EXPECT_EQ(follower.core.last_log_id(), at(8, 11));
    EXPECT_EQ(follower.core.durable(), Index(11));
    EXPECT_EQ(leader.core.commit(), Index(11));
    EXPECT_EQ(leader.core.followers().at(0).state, ProgressState::replicate);
    EXPECT_LE(leader.core.counters().append_mismatches, 3u) << "a whole term per round trip (Raft 5.3, end)";
  }
}

TEST(Replication, L01Figure8AnOldTermEntryIsNeverCommittedByCounting) {
  // (c): S1 leads again, in term 4, and sends its old entry 2 of term 2 to a majority.
  Lone s1(1, 5, {1, 2}, 3);
  while (s1.core.role() != Role::pre_candidate) s1.tick();
  for (std::uint64_t i : {2, 3}) s1.step(i, vote_response(4, true, true));
  s1.sync();
  for (std::uint64_t i : {2, 3}) s1.step(i, vote_response(4, true, false));
  ASSERT_EQ(s1.core.term(), Term(4));
  s1.sync();
  s1.ack(2, 2);
  s1.ack(3, 2);
  EXPECT_EQ(s1.core.commit(), Index(0)) << "(d) may overwrite it still";
  // (e): an entry of its own term on a majority commits both.
  s1.ack(2, 3);
  EXPECT_EQ(s1.core.commit(), Index(0));
  s1.ack(3, 3);
  EXPECT_EQ(s1.core.commit(), Index(3));
}

TEST(Replication, AnAcknowledgementOfAnEarlierLeadershipRaisesNothing) {
  Lone s1(1, 5, {1, 2}, 3);
  while (s1.core.role() != Role::pre_candidate) s1.tick();
  for (std::uint64_t i : {2, 3}) s1.step(i, vote_response(4, true, true));
  s1.sync();
  for (std::uint64_t i : {2, 3}) s1.step(i, vote_response(4, true, false));
  s1.sync();
  ASSERT_EQ(s1.core.role(), Role::leader);
  // What nodes 2 and 3 had when this node led term 2 may have been replaced meanwhile.
  AppendResponse late;
  late.term = Term(2);
  late.success = true;
  late.match = Index(3);
  for (std::uint64_t i : {2, 3}) s1.step(i, late);
  EXPECT_EQ(s1.core.followers().at(0).match, Index(0));
  EXPECT_EQ(s1.core.commit(), Index(0));
}

TEST(Replication, L02CommitIsTheMedianOfTheDurableMatchesInEveryOrder) {
  std::vector<std::uint64_t> order{0, 1, 2, 3, 4};
  const std::vector<std::uint64_t> match{5, 2, 4, 1, 3};  // of nodes 1..5; node 1 is the leader
  do {
    Lone n(1, 5, {}, 0);
    while (n.core.role() != Role::pre_candidate) n.tick();
    for (std::uint64_t i : {2, 3}) n.step(i, vote_response(1, true, true));
    n.sync();
    for (std::uint64_t i : {2, 3}) n.step(i, vote_response(1, true, false));
    for (int i = 0; i < 4; ++i) (void)n.core.propose(EntryKind::command, Bytes::copy_of("x"));
    n.take();
    std::vector<std::uint64_t> durable(5, 0);
    for (std::uint64_t who : order) {
      durable[who] = match[who];
      if (who == 0)
        n.sync();
      else
        n.ack(who + 1, match[who]);
      auto sorted = durable;
      std::sort(sorted.begin(), sorted.end());
      ASSERT_EQ(n.core.commit(), Index(sorted[2]));
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Replication, L03AShorterOlderAppendCutsNothing) {
  Lone n(1, 3, {}, 0);
  n.step(2, append(1, at(0, 0), {entry(1, 1), entry(1, 2), entry(1, 3)}, 0, 2));
  n.step(2, append(1, at(0, 0), {entry(1, 1)}, 0, 1));
  n.step(2, append(1, at(1, 1), {}, 0, 3));
  EXPECT_EQ(n.core.last_log_id(), at(1, 3));
  n.sync();
  EXPECT_EQ(n.got<AppendResponse>(2).back().match, Index(3));
  EXPECT_EQ(n.got<AppendResponse>(2).back().sequence, 3u) << "one answer for all that became durable";
}

TEST(Replication, L03NothingCommittedIsEverCut) {
  Lone n(1, 3, {1, 1, 1}, 1);
  n.step(2, append(2, at(1, 3), {entry(2, 4)}, 3));
  EXPECT_EQ(n.core.commit(), Index(3));
  EXPECT_THROW(n.step(3, append(3, at(1, 1), {entry(3, 2)})), BrokenInvariant);
  Lone m(1, 3, {1, 1, 1}, 1);
  m.step(2, append(2, at(1, 3), {}, 3));
  EXPECT_THROW(m.step(3, append(3, at(2, 2), {})), BrokenInvariant);
}

TEST(Replication, AConflictIsReplacedFromWhereItBegins) {
  Lone n(1, 3, {1, 1, 2, 2}, 2);
  n.step(2, append(3, at(1, 1), {entry(1, 2), entry(3, 3)}));
  EXPECT_EQ(n.core.last_log_id(), at(3, 3));
  EXPECT_EQ(n.last_write.truncate_from, Index(3));
  ASSERT_EQ(n.last_write.entries.size(), 1u);
  EXPECT_EQ(n.core.durable(), Index(2));
  n.sync();
  EXPECT_EQ(n.core.durable(), Index(3));
}

TEST(Replication, ARejectionNamesTheConflictingTermAndItsFirstEntry) {
  Lone n(1, 3, {1, 2, 2, 2, 3}, 3);
  n.step(2, append(4, at(4, 9), {}));
  n.sync();
  EXPECT_EQ(n.got<AppendResponse>().back().hint, at(0, 6)) << "too short";
  n.step(2, append(4, at(4, 4), {}, 0, 2));
  EXPECT_EQ(n.got<AppendResponse>().back().hint, at(2, 2));
  EXPECT_EQ(n.core.last_log_id(), at(3, 5)) << "a rejection removes nothing";
}

TEST(Replication, L04AndL12LateAndRepeatedAnswersMoveNothingBack) {
  Lone n(1, 3, {}, 0);
  n.win(2);
  for (int i = 0; i < 4; ++i) {
    (void)n.core.propose(EntryKind::command, Bytes::copy_of("x"));
    n.take();
  }
  n.ack(2, 5);
  const auto before = n.core.followers().at(0);
  EXPECT_EQ(before.match, Index(5));
  AppendResponse late;
  late.term = Term(1);
  late.success = true;
  late.match = Index(2);
  late.sequence = 1;
  n.step(2, late);
  AppendResponse rejected;
  rejected.term = Term(1);
  rejected.hint = at(0, 1);
  rejected.sequence = 1;
  n.step(2, rejected);
  late.term = Term(0);
  late.match = Index(4);
  n.step(3, late);
  EXPECT_EQ(n.core.followers().at(0).match, Index(5));
  EXPECT_EQ(n.core.followers().at(0).next, Index(6));
  EXPECT_EQ(n.core.followers().at(0).state, ProgressState::replicate);
  EXPECT_EQ(n.core.followers().at(1).match, Index(0)) << "an answer of another term counts for nothing";
}

TEST(Replication, ADuplicateAppendIsAnsweredAndNotWrittenAgain) {
  Lone n(1, 3, {}, 0);
  const auto m = append(1, at(0, 0), {entry(1, 1), entry(1, 2)});
  n.step(2, m);
  n.sync();
  n.forget();
  n.step(2, m);
  EXPECT_TRUE(n.writes.empty());
  EXPECT_EQ(n.got<AppendResponse>(2).at(0).match, Index(2));
}

TEST(Replication, MalformedAppendsAreDropped) {
  Lone n(1, 3, {}, 0);
  n.step(2, append(1, at(0, 0), {entry(1, 2)}));
  n.step(2, append(1, at(0, 0), {entry(2, 1)}));
  n.step(2, append(1, at(0, 0), {entry(1, 1), entry(1, 3)}));
  n.step(2, append(1, at(0, 7), {}));
  EXPECT_EQ(n.core.last_log_id(), LogId{});
  EXPECT_TRUE(n.sent.empty());
}

TEST(Replication, AppendsArePipelinedWithinTheWindow) {
  Options o = Lone::options(1);
  o.max_inflight_appends = 3;
  o.max_append_bytes = 2 * kEntryOverheadBytes + 20;
  Lone n(o, restored({}, {}, voters(3)));
  n.win(2);
  EXPECT_EQ(n.got<AppendRequest>(2).size(), 1u) << "one probe first";
  n.ack(2, 1);
  for (int i = 0; i < 10; ++i) (void)n.core.propose(EntryKind::command, Bytes::copy_of("0123456789"));
  n.forget();
  n.take();
  const auto sent = n.got<AppendRequest>(2);
  ASSERT_EQ(sent.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sent[i].entries.size(), 2u) << "as many as fit";
    EXPECT_EQ(sent[i].previous.index, Index(1 + 2 * i));
  }
  EXPECT_TRUE(n.got<AppendRequest>(3).empty()) << "node 3 has not answered its probe";
  n.forget();
  n.ack(2, 3);
  EXPECT_EQ(n.core.followers().at(0).match, Index(3));
}

TEST(Replication, ProposalsOfOneTurnAreOneAppendAndOneWrite) {
  Lone n(1, 3, {}, 0);
  n.win(2);
  n.ack(2, 1);
  n.sync();
  n.forget();
  for (int i = 0; i < 100; ++i) (void)n.core.propose(EntryKind::command, Bytes::copy_of("x"));
  n.take();
  ASSERT_EQ(n.got<AppendRequest>(2).size(), 1u);
  EXPECT_EQ(n.got<AppendRequest>(2)[0].entries.size(), 100u);
  EXPECT_EQ(n.writes.size(), 1u);
}

TEST(Replication, ALostAppendIsFoundByAskingNotBySendingAgain) {
  Lone n(1, 3, {}, 0);
  n.win(2);
  n.ack(2, 1);
  n.forget();
  (void)n.core.propose(EntryKind::command, Bytes::copy_of("lost"));
  n.take();
  ASSERT_EQ(n.got<AppendRequest>(2).size(), 1u);
  n.forget();
  for (int i = 0; i < 6; ++i) {
    n.tick();
    n.beat(2, 0);
  }
  const auto asked = n.got<AppendRequest>(2);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_TRUE(asked[0].entries.empty());
  EXPECT_EQ(asked[0].previous, at(1, 2));
  n.forget();
  AppendResponse no;
  no.term = Term(1);
  no.hint = at(0, 2);
  no.sequence = asked[0].sequence;
  n.step(2, no);
  ASSERT_EQ(n.got<AppendRequest>(2).size(), 1u);
  EXPECT_EQ(n.got<AppendRequest>(2)[0].entries.at(0).id, at(1, 2));
}

TEST(Replication, AnUnreachableFollowerIsProbedOnceItIsHeardAgain) {
  Lone n(1, 3, {}, 0);
  n.win(2);
  n.ack(2, 1);
  n.core.unreachable(NodeId(2));
  n.forget();
  for (int i = 0; i < 20; ++i) {
    (void)n.core.propose(EntryKind::command, Bytes::copy_of("x"));
    n.take();
    n.core.unreachable(NodeId(2));
    n.beat(3, 0);
  }
  EXPECT_TRUE(n.got<AppendRequest>(2).empty()) << "no busy loop with a transport that drops";
  n.beat(2, 0);
  ASSERT_EQ(n.got<AppendRequest>(2).size(), 1u);
  EXPECT_TRUE(n.got<AppendRequest>(2)[0].entries.empty()) << "first ask where it is";
  n.ack(2, 1);
  EXPECT_EQ(n.got<AppendRequest>(2).back().entries.size(), 20u);
}

TEST(Replication, AFollowerThatNeedsPurgedEntriesWaitsForASnapshot) {
  Restored r;
  r.vote = {Term(3), NodeId(0)};
  r.purged = at(2, 10);
  r.applied = at(2, 10);
  r.last = at(3, 12);
  r.runs = {{Term(3), Index(11)}};
  r.memberships = {{LogId{}, voters(3)}};
  Lone n(Lone::options(1), r);
  n.win(3);
  AppendResponse no;
  no.term = n.core.term();
  no.hint = at(0, 5);
  no.sequence = 1;
  n.forget();
  n.step(2, no);
  EXPECT_EQ(n.core.followers().at(0).state, ProgressState::snapshot);
  EXPECT_TRUE(n.got<AppendRequest>(2).empty());
  no.hint = at(0, 11);
  n.step(3, no);
  EXPECT_EQ(n.core.followers().at(1).state, ProgressState::probe);
  EXPECT_EQ(n.got<AppendRequest>(3).at(0).previous, at(2, 10)) << "the purge point itself is known";
}

TEST(Replication, AfterARestartTheLogIsReadBackToBeAppliedInBoundedPieces) {
  Options o = Lone::options(1);
  o.max_applying_bytes = 400;
  Lone n(o, restored({1, 1, 1, 1, 1, 1}, {Term(1), NodeId(0)}, voters(3)));
  n.step(2, append(1, at(1, 6), {}, 6));
  ASSERT_EQ(n.fetches.size(), 1u);
  EXPECT_EQ(n.fetches[0].first, Index(1));
  EXPECT_EQ(n.fetches[0].last, Index(6));
  EXPECT_EQ(n.fetches[0].max_bytes, 200u);
  n.core.entries_read(n.fetches[0].number, {entry(1, 1), entry(1, 2)});
  n.take();
  EXPECT_EQ(n.applied.size(), 2u);
  ASSERT_EQ(n.fetches.size(), 2u);
  EXPECT_EQ(n.fetches[1].first, Index(3));
  n.core.read_failed(n.fetches[1].number);
  n.take();
  EXPECT_EQ(n.fetches.size(), 2u) << "not again at once";
  n.tick();
  ASSERT_EQ(n.fetches.size(), 3u);
  n.core.entries_read(n.fetches[2].number, {entry(1, 3), entry(1, 4)});
  n.take();
  EXPECT_EQ(n.applied.size(), 4u);
  EXPECT_EQ(n.fetches.size(), 3u) << "more than half of the room is taken";
  n.core.applied(Index(4));
  n.take();
  EXPECT_EQ(n.fetches.back().first, Index(5));
}

TEST(Replication, AReadOfEntriesThatWereTruncatedMeanwhileIsIgnored) {
  Options o = Lone::options(1);
  Lone n(o, restored({1, 1, 1, 1}, {Term(1), NodeId(0)}, voters(3)));
  n.win(2);
  n.step(3, vote_request(2, at(0, 0)));  // answered, no more
  n.ack(2, 0);
  ASSERT_FALSE(n.fetches.empty()) << "entries 1..4 for node 2 are on disk only";
  const Fetch f = n.fetches.back();
  n.step(3, append(9, at(1, 1), {entry(9, 2)}));
  n.core.entries_read(f.number, {entry(1, 1), entry(1, 2)});
  n.take();
  EXPECT_EQ(n.core.last_log_id(), at(9, 2));
}

TEST(Replication, M05TruncationBringsThePreviousMembershipBack) {
  Lone n(1, 3, {1}, 1);
  Entry change = entry(2, 2);
  change.kind = EntryKind::membership;
  change.payload = Bytes(encode_membership(voters(5)));
  n.step(2, append(2, at(1, 1), {change}));
  EXPECT_EQ(n.core.membership().voters.size(), 5u) << "from the moment it is appended (Raft 6)";
  n.step(3, append(3, at(1, 1), {entry(3, 2)}));
  EXPECT_EQ(n.core.membership(), voters(3));
}

}  // namespace
}  // namespace kiwi::raft
