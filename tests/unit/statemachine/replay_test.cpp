// Replicas agree: the same entries give the same replies and the same bytes, however they are cut into
// batches and whatever crashes came between.

#include <algorithm>

#include "tests/unit/statemachine/machine_fixture.hpp"
#include "tests/unit/statemachine/random_history.hpp"

namespace kiwi::test {
namespace {

constexpr std::size_t kEntries = 3000;

struct Outcome {
  std::vector<Reply> replies;
  std::vector<std::uint64_t> deadlines;  // by index of the last entry of a batch; 0 elsewhere
  std::string digest;
};

/// Applies entries [from, end) in batches of up to `max_batch`.
void apply_all(Machine& machine, const std::vector<Entry>& entries, std::size_t from, std::size_t max_batch,
               std::mt19937_64& random, Outcome& outcome) {
  outcome.replies.resize(entries.size());
  while (from < entries.size()) {
    const auto size = std::min(entries.size() - from, 1 + random() % max_batch);
    const std::vector<Entry> batch(entries.begin() + static_cast<std::ptrdiff_t>(from),
                                   entries.begin() + static_cast<std::ptrdiff_t>(from + size));
    auto result = machine->apply(batch);
    ASSERT_TRUE(result.has_value()) << to_string(result.error());
    ASSERT_EQ(result->replies.size(), size);
    std::move(result->replies.begin(), result->replies.end(),
              outcome.replies.begin() + static_cast<std::ptrdiff_t>(from));
    machine.next_deadline_ms = result->next_deadline_ms;
    from += size;
  }
}

Outcome run(const std::vector<Entry>& entries, std::size_t max_batch, std::uint64_t seed,
            std::size_t cached_records = 1000) {
  Folder folder;
  Machine machine(folder.path("data"), cached_records);
  std::mt19937_64 random(seed);
  Outcome outcome;
  apply_all(machine, entries, 0, max_batch, random, outcome);
  outcome.deadlines.push_back(machine.next_deadline_ms);
  outcome.digest = machine.digest();
  return outcome;
}

TEST(Replay, BatchBoundariesNeverMatter) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto entries = random_history(seed, kEntries);
    const auto one_by_one = run(entries, 1, seed);
    ASSERT_FALSE(one_by_one.digest.empty());
    for (const std::size_t max_batch : {7u, 100u, 3000u}) {
      const auto batched = run(entries, max_batch, seed * 100 + max_batch);
      EXPECT_EQ(batched.digest, one_by_one.digest) << "seed " << seed << " batches of " << max_batch;
      EXPECT_EQ(batched.replies, one_by_one.replies) << "seed " << seed << " batches of " << max_batch;
      EXPECT_EQ(batched.deadlines, one_by_one.deadlines) << "seed " << seed << " batches of " << max_batch;
    }
  }
}

TEST(Replay, WhatIsCachedNeverMatters) {
  const auto entries = random_history(5, kEntries);
  const auto cached = run(entries, 20, 1);
  for (const std::size_t lines : {0u, 1u, 7u}) {
    const auto hardly = run(entries, 20, 2, lines);
    EXPECT_EQ(hardly.digest, cached.digest) << lines;
    EXPECT_EQ(hardly.replies, cached.replies) << lines;
  }
}

TEST(Replay, DifferentHistoriesHaveDifferentDigests) {
  EXPECT_NE(run(random_history(1, 500), 10, 1).digest, run(random_history(2, 500), 10, 1).digest);
}

TEST(Replay, CrashesAtAnyPointAndReplayGiveTheSameState) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto entries = random_history(seed, kEntries);
    const auto undisturbed = run(entries, 50, seed);

    Folder folder;
    Machine machine(folder.path("data"));
    std::mt19937_64 random(seed);
    Outcome outcome;
    Index durable(0);
    for (int crashes = 0; crashes < 15; ++crashes) {
      const auto from = machine->applied_state().applied.index.value;
      const auto to = std::min(entries.size(), from + random() % 500);
      apply_all(machine, {entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(to)}, from, 30,
                random, outcome);
      if (random() % 2 == 0) {
        durable = machine->flush().value();
        EXPECT_EQ(durable, Index(to));
        EXPECT_EQ(machine->stats().durable_applied, durable);
      }
      machine.crash();
      machine.open();
      // Without a write-ahead log nothing after the last flush survives, and no flush came by itself.
      ASSERT_EQ(machine->applied_state().applied.index, durable);
    }
    apply_all(machine, entries, machine->applied_state().applied.index.value, 30, random, outcome);
    EXPECT_EQ(outcome.replies, undisturbed.replies) << "seed " << seed;
    EXPECT_EQ(machine.digest(), undisturbed.digest) << "seed " << seed;
  }
}

TEST(Replay, CountersFitTheRows) {
  const auto entries = random_history(9, kEntries);
  Folder folder;
  Machine machine(folder.path("data"));
  std::mt19937_64 random(9);
  Outcome outcome;
  apply_all(machine, entries, 0, 40, random, outcome);
  // Let everything that has a deadline go, so that only keys without one are left.
  machine.now_ms = entries.back().stamp_ms + 3'600'000;
  while (machine->stats().keys_with_expiry > 0) {
    const auto before = machine->stats().keys_with_expiry;
    machine.tick();
    ASSERT_LT(machine->stats().keys_with_expiry, before);
  }
  EXPECT_EQ(machine.next_deadline_ms, 0u);
  const auto keys = machine.ask(machine.now_ms, {"KEYS", "*"}).reply.elements.size();
  EXPECT_EQ(machine.read("DBSIZE"), "(integer) " + std::to_string(keys));
}

TEST(Replay, AppliedStateHoldsMembershipAndItsEntry) {
  Folder folder;
  Machine machine(folder.path("data"));
  EXPECT_EQ(machine->applied_state().membership, three_nodes());
  EXPECT_EQ(machine->applied_state().membership_id, LogId{});
  const auto five = membership_of({{NodeId(5), {"five", 1, 2}}});
  machine.apply_one(machine.entry_of(EntryKind::membership, Bytes(encode_membership(five))));
  machine.write("SET k v");
  const auto before = machine->applied_state();
  EXPECT_EQ(before.membership, five);
  EXPECT_EQ(before.membership_id, (LogId{Term(1), Index(1)}));
  ASSERT_TRUE(machine->flush().has_value());
  machine.crash();
  machine.open();  // the initial membership that it is opened with counts no more
  EXPECT_EQ(machine->applied_state(), before);
}

TEST(Replay, DigestsAreOfTheStateAtTheirMarker) {
  Folder folder;
  Machine first(folder.path("first"));
  Machine second(folder.path("second"));
  for (auto* machine : {&first, &second}) machine->write("SET k v");
  const auto marker = first.entry_of(EntryKind::digest, Bytes(std::string(8, '\0')));
  // One digests at once; the other goes on before its background work gets a turn.
  for (auto* machine : {&first, &second}) machine->apply_one(marker);
  EXPECT_FALSE(first->digest(marker.id.index).has_value());
  while (first->background_work().value()) {
  }
  second.write("SET k other");
  second.write("FLUSHALL");
  while (second->background_work().value()) {
  }
  ASSERT_TRUE(first->digest(marker.id.index).has_value());
  EXPECT_EQ(first->digest(marker.id.index)->hex, second->digest(marker.id.index)->hex);
  EXPECT_EQ(first->digest(marker.id.index)->keys, 1u);
  EXPECT_FALSE(first->digest(Index(1)).has_value());
}

/// A node that joined applies the log from its beginning, and does not know who was there then.
TEST(Replay, AJoinedNodeHasTheDigestOfTheOthersBeforeItKnowsTheMembers) {
  Folder folder;
  Machine member(folder.path("member"));
  Machine joined(folder.path("joined"), 1000, Membership{});
  for (auto* machine : {&member, &joined}) machine->write("SET k v");
  EXPECT_EQ(member.digest(), joined.digest());
  for (auto* machine : {&member, &joined})
    machine->apply_one(machine->entry_of(EntryKind::membership, Bytes(encode_membership(three_nodes()))));
  EXPECT_EQ(member.digest(), joined.digest());
  Membership other = three_nodes();
  other.removed = {NodeId(9)};
  Machine differs(folder.path("differs"), 1000, Membership{});
  differs.write("SET k v");
  differs.digest();
  differs.apply_one(differs.entry_of(EntryKind::membership, Bytes(encode_membership(other))));
  EXPECT_NE(differs.digest(), joined.digest()) << "but a known membership counts";
}

TEST(Replay, OldDigestsAreForgotten) {
  Folder folder;
  Machine machine(folder.path("data"));
  for (std::size_t i = 0; i < kMaxDigests + 1; ++i) machine.digest();
  EXPECT_FALSE(machine->digest(Index(1)).has_value());
  EXPECT_TRUE(machine->digest(Index(2)).has_value());
}

TEST(Replay, DigestsOfManyKeysComeInSlices) {
  Folder folder;
  Machine machine(folder.path("data"));
  std::vector<std::string> words = {"MSET"};
  for (int i = 0; i < 5000; ++i) {
    words.push_back("key" + std::to_string(i));
    words.push_back("value");
  }
  machine.write(words);
  const auto marker = machine.entry_of(EntryKind::digest, Bytes(std::string(8, '\0')));
  machine.apply_one(marker);
  EXPECT_TRUE(machine->background_work().value());
  EXPECT_FALSE(machine->digest(marker.id.index).has_value());
  machine.crash();  // with a digest half done
}

}  // namespace
}  // namespace kiwi::test
