// Nearly full disks (raft/room.cpp): D07.

#include <gtest/gtest.h>

#include "tests/unit/raft/lone.hpp"

namespace kiwi::raft {
namespace {

Bytes text(const char* s) { return Bytes::copy_of(std::string(s)); }

/// A heartbeat's answer that says how full that disk is.
void beat(Lone& n, std::uint64_t from, DiskRoom room) {
  HeartbeatResponse m;
  m.term = n.core.term();
  m.room = room;
  m.formats = kKnownFormats;
  n.step(from, m);
}

/// Leader of three, its first entry committed, both others level.
Lone leader() {
  Lone n(1, 3, {}, 0);
  n.win(2);
  n.take();
  n.sync();
  n.ack(2, n.core.last_log_id().index.value);
  n.ack(3, n.core.last_log_id().index.value);
  EXPECT_TRUE(n.core.leader_ready());
  n.forget();
  return n;
}

tl::expected<Index, Refusal> propose(Lone& n, EntryKind kind = EntryKind::command) {
  auto index = n.core.propose(kind, kind == EntryKind::command ? text("x") : Bytes{});
  n.take();
  return index;
}

TEST(Room, ALeaderWithoutRoomRefusesCommandsAndAsksAFollowerWithRoomToLead) {
  Lone n = leader();
  beat(n, 2, DiskRoom::low);
  beat(n, 3, DiskRoom::enough);
  n.core.set_room(DiskRoom::low);
  n.take();
  ASSERT_FALSE(propose(n));
  EXPECT_EQ(propose(n).error(), Refusal::no_space);
  EXPECT_TRUE(n.got<TimeoutNowRequest>(2).empty()) << "it has no room itself";
  EXPECT_EQ(n.got<TimeoutNowRequest>(3).size(), 1u);
  EXPECT_EQ(n.core.counters().handovers, 1u);
}

TEST(Room, AHandOverThatFailsLeavesTimeForReadsBeforeItIsTriedAgain) {
  Lone n = leader();
  const int longest = static_cast<int>(n.core.options().election_ticks_max);
  const auto go_on = [&](int ticks) {
    for (int i = 0; i < ticks; ++i) {
      n.tick();
      beat(n, 2, DiskRoom::enough);
      beat(n, 3, DiskRoom::enough);
    }
  };
  go_on(1);
  n.core.set_room(DiskRoom::low);
  n.take();
  ASSERT_GE(n.got<TimeoutNowRequest>().size(), 1u);
  EXPECT_EQ(propose(n, EntryKind::tick).error(), Refusal::handing_over);
  go_on(longest);
  EXPECT_EQ(n.core.counters().transfers_aborted, 1u);
  EXPECT_EQ(n.core.counters().handovers, 1u);
  ASSERT_TRUE(propose(n, EntryKind::tick)) << "reads need the time to go on";
  n.sync();
  for (NodeId peer : {NodeId(2), NodeId(3)}) n.ack(peer.value, n.core.last_log_id().index.value);
  go_on(longest);
  EXPECT_EQ(n.core.counters().handovers, 1u);
  go_on(longest + 1);
  EXPECT_EQ(n.core.counters().handovers, 2u);
}

TEST(Room, OnlyASuccessorThatHasEverythingIsAsked) {
  Lone n = leader();
  beat(n, 2, DiskRoom::enough);
  beat(n, 3, DiskRoom::enough);
  ASSERT_TRUE(propose(n));
  n.core.set_room(DiskRoom::low);
  n.take();
  EXPECT_TRUE(n.got<TimeoutNowRequest>().empty());
  n.sync();
  n.ack(3, n.core.last_log_id().index.value);
  n.tick();
  EXPECT_EQ(n.got<TimeoutNowRequest>(3).size(), 1u);
}

TEST(Room, WhereNobodyHasRoomTheLeaderStaysAndAnswersReads) {
  Lone n = leader();
  beat(n, 2, DiskRoom::low);
  beat(n, 3, DiskRoom::none);
  n.core.set_room(DiskRoom::none);
  n.take();
  n.tick(3);
  EXPECT_TRUE(n.got<TimeoutNowRequest>().empty());
  EXPECT_EQ(n.core.role(), Role::leader);
  EXPECT_EQ(propose(n).error(), Refusal::no_space);
  ASSERT_TRUE(n.core.read(7, Index(0)));
  n.take();
  std::uint64_t round = 0;
  for (const auto& m : n.got<HeartbeatRequest>(2)) round = std::max(round, m.round);
  n.beat(2, round);
  ASSERT_EQ(n.reads.size(), 1u);
  EXPECT_EQ(n.reads[0].token, 7u);
}

TEST(Room, ALeaderWithRoomRefusesCommandsWhileAMajorityHasNone) {
  Lone n = leader();
  beat(n, 2, DiskRoom::low);
  EXPECT_TRUE(propose(n)) << "two of three have room";
  beat(n, 3, DiskRoom::low);
  EXPECT_EQ(propose(n).error(), Refusal::no_space);
  EXPECT_FALSE(n.core.takes_commands());
  beat(n, 2, DiskRoom::enough);
  EXPECT_TRUE(propose(n)) << "resumes by itself";
}

TEST(Room, AFollowerWithoutRoomIsSentNoCommandsButWhatRaftNeeds) {
  Lone n = leader();
  beat(n, 3, DiskRoom::none);
  ASSERT_TRUE(propose(n, EntryKind::tick));
  EXPECT_EQ(n.got<AppendRequest>(3).size(), 1u);
  n.sync();
  n.ack(3, n.core.last_log_id().index.value);
  n.forget();
  ASSERT_TRUE(propose(n));
  ASSERT_TRUE(propose(n, EntryKind::tick));
  for (int i = 0; i < 30; ++i) {
    n.tick();
    n.ack(2, n.core.last_log_id().index.value);
    beat(n, 3, DiskRoom::none);
  }
  ASSERT_EQ(n.core.role(), Role::leader);
  for (const auto& m : n.got<AppendRequest>(3)) EXPECT_TRUE(m.entries.empty()) << "a command is in front";
  n.forget();
  beat(n, 3, DiskRoom::low);
  n.take();
  EXPECT_FALSE(n.got<AppendRequest>(3).empty()) << "with room again it goes on where it was";
}

TEST(Room, AFollowerWithoutRoomTakesNoCommandsButVotesAndSaysWhy) {
  Lone n(1, 3, {1}, 1);
  n.core.set_room(DiskRoom::none);
  n.take();
  AppendRequest m;
  m.term = Term(2);
  m.previous = at(1, 1);
  m.sequence = 1;
  m.entries = {entry(2, 2)};
  n.step(2, m);
  n.sync();
  EXPECT_EQ(n.core.last_log_id(), at(1, 1));
  m.entries[0].kind = EntryKind::blank;
  n.step(2, m);
  n.sync();
  EXPECT_EQ(n.core.last_log_id(), at(2, 2)) << "a new leader's first entry is taken";
  HeartbeatRequest h;
  h.term = Term(2);
  n.step(2, h);
  ASSERT_FALSE(n.got<HeartbeatResponse>(2).empty());
  EXPECT_EQ(n.got<HeartbeatResponse>(2).back().room, DiskRoom::none);
  n.tick(20);
  VoteRequest v;
  v.term = Term(3);
  v.last_log_id = at(2, 2);
  n.step(3, v);
  n.sync();
  ASSERT_FALSE(n.got<VoteResponse>(3).empty());
  EXPECT_TRUE(n.got<VoteResponse>(3).back().granted);
}

TEST(Room, TheLittleThatAnEarlierLeaderAcceptedIsTakenAllTheSame) {
  Lone n(1, 3, {1}, 1);
  n.core.set_room(DiskRoom::none);
  n.take();
  AppendRequest m;
  m.term = Term(2);
  m.previous = at(1, 1);
  m.sequence = 1;
  m.entries = {entry(1, 2), entry(2, 3)};
  n.step(2, m);
  n.sync();
  EXPECT_EQ(n.core.last_log_id(), at(1, 1)) << "with a command of the leader's own term";
  m.entries[1].kind = EntryKind::blank;
  m.entries[0].payload = Bytes(std::string(65 << 10, 'x'));
  n.step(2, m);
  n.sync();
  EXPECT_EQ(n.core.last_log_id(), at(1, 1)) << "too much";
  m.entries[0].payload = text("x");
  n.step(2, m);
  n.sync();
  EXPECT_EQ(n.core.last_log_id(), at(2, 3));
}

TEST(Room, ANewLeaderSendsAFollowerWithoutRoomTheLittleThatItLacks) {
  Lone n(1, 3, {1}, 1);
  AppendRequest m;
  m.term = Term(1);
  m.previous = at(1, 1);
  m.sequence = 1;
  m.entries = {entry(1, 2)};  // which node 3 has refused
  n.step(2, m);
  n.sync();
  n.win(2);
  n.sync();
  beat(n, 3, DiskRoom::none);
  ASSERT_FALSE(n.got<AppendRequest>(3).empty());
  AppendResponse lacks;
  lacks.term = n.core.term();
  lacks.hint = at(0, 2);
  lacks.sequence = n.got<AppendRequest>(3).back().sequence;
  n.forget();
  n.step(3, lacks);
  n.tick();
  const auto sent = n.got<AppendRequest>(3);
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent.back().entries.size(), 2u) << "the command of term 1 and its own first entry";
  n.ack(3, 3);
  EXPECT_TRUE(n.core.leader_ready()) << "node 2 is away, and it commits";
}

TEST(Room, ANodeWithoutRoomLetsTheOthersStandFirst) {
  Lone roomy(1, 3, {1}, 1), tight(1, 3, {1}, 1);
  tight.core.set_room(DiskRoom::low);
  roomy.tick(static_cast<int>(roomy.core.options().election_ticks_max));
  tight.tick(static_cast<int>(tight.core.options().election_ticks_max));
  EXPECT_EQ(roomy.core.role(), Role::pre_candidate);
  EXPECT_EQ(tight.core.role(), Role::follower);
  tight.tick(2 * static_cast<int>(tight.core.options().election_ticks_max));
  EXPECT_EQ(tight.core.role(), Role::pre_candidate) << "but not for ever";
}

TEST(Room, ANodeWithoutRoomDoesNotTakeOverWhenItIsAsked) {
  Lone n(1, 3, {1}, 1);
  HeartbeatRequest h;
  h.term = Term(2);
  n.step(2, h);
  n.core.set_room(DiskRoom::low);
  TimeoutNowRequest m;
  m.term = Term(2);
  n.step(2, m);
  EXPECT_EQ(n.core.role(), Role::follower);
  n.core.set_room(DiskRoom::enough);
  n.step(2, m);
  EXPECT_EQ(n.core.role(), Role::candidate);
}

}  // namespace
}  // namespace kiwi::raft
