// What the machine does at once is what its owner would have done; what may take long it leaves to the owner.

#include <optional>
#include <random>

#include "tests/unit/statemachine/machine_fixture.hpp"
#include "tests/unit/statemachine/random_history.hpp"

namespace kiwi::test {
namespace {

class Prompt : public MachineTest {
 protected:
  /// "-": it is left to the owner.
  std::string write_at_once(const std::string& line) {
    const auto done = machine->apply_at_once({machine.entry_of(words_of(line))});
    return done ? show(done->result.replies.at(0)) : "-";
  }
  std::string read_at_once(const std::string& line) {
    const auto done =
        machine->query_at_once({{7, machine.now_ms, encode_request({command_of(words_of(line))})}});
    return done ? show(done->answers.at(0).reply) : "-";
  }
};

TEST_F(Prompt, CommandsOnOneKeyAreDoneAtOnce) {
  EXPECT_EQ(write_at_once("SET a 1"), "OK");
  EXPECT_EQ(write_at_once("INCR a"), "(integer) 2");
  EXPECT_EQ(write_at_once("SET b x EX 100"), "OK");
  EXPECT_EQ(write_at_once("APPEND b yz"), "(integer) 3");
  EXPECT_EQ(read_at_once("GET a"), "\"2\"");
  EXPECT_EQ(read_at_once("STRLEN b"), "(integer) 3");
  EXPECT_EQ(read_at_once("GET missing"), "(nil)");
  EXPECT_EQ(read_at_once("TTL b"), "(integer) 100");
  EXPECT_EQ(write_at_once("INCR b"), "(error) ERR value is not an integer or out of range");
  EXPECT_EQ(machine->applied_state().applied.index, Index(5));
  EXPECT_EQ(read("GET b"), "\"xyz\"");
}

TEST_F(Prompt, AnAnswerTellsWhatIsAppliedAndDurable) {
  write("SET a 1");
  ASSERT_TRUE(machine->flush().has_value());
  auto entry = machine.entry_of(words_of("SET b 2 PX 500"));
  entry.stamp_ms += 10;
  const auto done = machine->apply_at_once({entry});
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->applied, entry.id);
  EXPECT_EQ(done->stamp_ms, entry.stamp_ms);
  EXPECT_EQ(done->durable, Index(1));
  EXPECT_EQ(done->result.next_deadline_ms, entry.stamp_ms + 500);
  const auto asked =
      machine->query_at_once({{3, machine.now_ms, encode_request({command_of({"GET", "b"})})}});
  ASSERT_TRUE(asked.has_value());
  EXPECT_EQ(asked->applied, Index(2));
  EXPECT_EQ(asked->answers.at(0).token, 3u);
}

TEST_F(Prompt, WhatMayTakeLongIsLeftAndChangesNothing) {
  write("SET a 1");
  write("SET long " + std::string(5000, 'x'));
  const auto before = machine->applied_state().applied;
  for (const char* line : {"SETRANGE a 400000000 x", "MSET a 1 b 2", "DEL a", "FLUSHALL", "APPEND long y",
                           "NOSUCH a", "SET", "RENAME a b"})
    EXPECT_EQ(write_at_once(line), "-") << line;
  EXPECT_EQ(write_at_once("SET a " + std::string(5000, 'x')), "-");
  for (const char* line : {"KEYS *", "SCAN 0", "DBSIZE", "GET long", "MGET a b", "EXISTS a", "RANDOMKEY"})
    EXPECT_EQ(read_at_once(line), "-") << line;
  EXPECT_EQ(machine->applied_state().applied, before);
  EXPECT_EQ(read("GET a"), "\"1\"");
}

TEST_F(Prompt, OneCommandThatMustWaitHoldsUpTheWholeBatch) {
  auto first = machine.entry_of(words_of("SET a 1"));
  auto second = first;
  second.id.index = first.id.index + 1;
  second.payload = encode_request({command_of({"FLUSHALL"})});
  EXPECT_FALSE(machine->apply_at_once({first, second}).has_value());
  EXPECT_EQ(machine->applied_state().applied.index, Index(0));
  second.payload = encode_request({command_of({"APPEND", "a", "2"})});
  ASSERT_TRUE(machine->apply_at_once({first, second}).has_value());
  EXPECT_EQ(read("GET a"), "\"12\"");
}

TEST_F(Prompt, EntriesOfTheMachinesOwnBusinessAreLeft) {
  EXPECT_FALSE(
      machine->apply_at_once({machine.entry_of(EntryKind::digest, Bytes(std::string(8, '\0')))}).has_value());
  EXPECT_FALSE(
      machine
          ->apply_at_once({machine.entry_of(EntryKind::membership, Bytes(encode_membership(three_nodes())))})
          .has_value());
  EXPECT_TRUE(machine->apply_at_once({machine.entry_of(EntryKind::blank)}).has_value());
  EXPECT_TRUE(machine->apply_at_once({machine.entry_of(EntryKind::tick)}).has_value());
}

TEST_F(Prompt, ADeadlineThatPassesIsLeft) {
  write("SET a 1 PX 100");
  write("SET b 1");
  machine.now_ms += 99;
  EXPECT_EQ(write_at_once("SET b 2"), "OK");
  machine.now_ms += 1;
  EXPECT_EQ(write_at_once("SET b 3"), "-");
  EXPECT_EQ(read_at_once("GET b"), "\"2\"") << "a read removes nothing";
  write("SET b 3");
  EXPECT_EQ(write_at_once("SET b 4"), "OK") << "the deadline is gone";
}

TEST_F(Prompt, ADeadlineOfTheDatabaseStaysWithTheOwner) {
  write("SET a 1 EX 100");
  write("SET b 1");
  ASSERT_TRUE(machine->flush().has_value());
  EXPECT_EQ(write_at_once("SET b 2"), "OK");
  EXPECT_EQ(write_at_once("SET a 2"), "-") << "the next deadline may have to be looked for";
}

TEST_F(Prompt, WhatTheDatabaseStillHasOfAChangedKeyIsNotTakenForTheKey) {
  write("SET other 1 EX 1000");
  write("SET a old");
  ASSERT_TRUE(machine->flush().has_value());
  write("SET a new EX 500");
  EXPECT_EQ(read_at_once("GET a"), "-") << "its deadline is one too many to be sure";
  EXPECT_EQ(read("GET a"), "\"new\"");
  EXPECT_EQ(read("TTL a"), "(integer) 500");
  // Both generations that know better go.
  for (int i = 0; i < 2; ++i) {
    write("SET filler " + std::to_string(i));
    ASSERT_TRUE(machine->flush().has_value());
  }
  EXPECT_EQ(read("GET a"), "\"new\"");
}

TEST_F(Prompt, AFullGenerationIsLeftToTheOwner) {
  Machine small(folder.path("small"), 1000, three_nodes(), 8000);
  int at_once = 0;
  for (int i = 0; i < 100; ++i) {
    const auto entry = small.entry_of({"SET", "key" + std::to_string(i), std::string(100, 'v')});
    if (small->apply_at_once({entry}))
      ++at_once;
    else
      small.apply_one(entry);  // which begins a write-back now and then
  }
  EXPECT_GT(at_once, 50);
  EXPECT_LT(at_once, 100);
  EXPECT_EQ(small.read("DBSIZE"), "(integer) 100");
}

TEST_F(Prompt, WhatIsTakenOverFromTheGenerationBeforeDoesNotBeginAWriteBackHere) {
  // Each EXPIRE takes a value of the generation before over into this one: far more than the request's size.
  Machine small(folder.path("small"), 1000, three_nodes(), 60'000);
  for (int i = 0; i < 15; ++i) small.write({"SET", "key" + std::to_string(i), std::string(4000, 'v')});
  int at_once = 0;
  for (int round = 0; round < 4; ++round)
    for (int i = 0; i < 15; ++i) {
      const auto entry = small.entry_of({"EXPIRE", "key" + std::to_string(i), std::to_string(1000 + round)});
      if (small->apply_at_once({entry}))
        ++at_once;
      else
        small.apply_one(entry);
    }
  EXPECT_GT(at_once, 0);
  EXPECT_EQ(small.read("TTL key14"), "(integer) 1003");
}

TEST_F(Prompt, ADeadlineThatIsSetAndPassesInOneBatchIsLeftWhereTheDatabaseHasOthers) {
  write("SET other 1 EX 1000");
  ASSERT_TRUE(machine->flush().has_value());
  auto first = machine.entry_of(words_of("SET a 1 PX 5"));
  auto second = machine.entry_of(words_of("SET b 1"));
  second.id.index = first.id.index + 1;
  second.stamp_ms += 6;
  EXPECT_FALSE(machine->apply_at_once({first, second}).has_value());
  EXPECT_TRUE(machine->apply_at_once({first}).has_value());
  EXPECT_FALSE(machine->apply_at_once({second}).has_value());
  machine.now_ms += 6;
  EXPECT_EQ(write("SET b 1"), "OK");
  EXPECT_EQ(read("EXISTS a"), "(integer) 0");
}

TEST_F(Prompt, ADeadlineThatComesBackAndGoesInOneBatchIsLeft) {
  write("SET a 1");
  const auto deadline = std::to_string(machine.now_ms + 5000);
  write("PEXPIREAT a " + deadline);
  ASSERT_TRUE(machine->flush().has_value());
  write("PERSIST a");
  auto first = machine.entry_of({"PEXPIREAT", "a", deadline});
  auto second = machine.entry_of({"PERSIST", "a"});
  second.id.index = first.id.index + 1;
  EXPECT_FALSE(machine->apply_at_once({first, second}).has_value());
  EXPECT_EQ(read("TTL a"), "(integer) -1");
}

TEST_F(Prompt, WhatTheDatabaseHasInMemoryIsAtHandAndWhatItMustReadIsNot) {
  for (int i = 0; i < 3000; ++i) write("SET key" + std::to_string(i) + " " + std::string(200, 'v'));
  ASSERT_TRUE(machine->flush().has_value());
  machine.crash();
  machine.open();
  EXPECT_EQ(read_at_once("GET key17"), "-") << "no block of the table was read yet";
  EXPECT_EQ(write_at_once("INCR key17"), "-");
  read("GET key17");
  EXPECT_EQ(write_at_once("INCR key17"), "(error) ERR value is not an integer or out of range");
  EXPECT_EQ(write_at_once("SET key17 1"), "OK");
  EXPECT_EQ(read_at_once("GET key17"), "\"1\"");
}

/// As live_through in write_back_test, but whatever goes at once does.
struct Seen {
  std::vector<Reply> replies;
  std::vector<std::uint64_t> deadlines;
  std::string digest;
};

Seen live_through(const std::vector<Entry>& entries, std::uint64_t unwritten_bytes, bool prompt,
                  std::size_t& at_once) {
  Folder folder;
  Machine machine(folder.path("data"), 100, three_nodes(), unwritten_bytes);
  std::mt19937_64 random(11);
  Seen seen;
  for (std::size_t from = 0; from < entries.size();) {
    const auto size = std::min<std::size_t>(entries.size() - from, 1 + random() % 4);
    const std::vector<Entry> batch(entries.begin() + static_cast<std::ptrdiff_t>(from),
                                   entries.begin() + static_cast<std::ptrdiff_t>(from + size));
    from += size;
    ApplyResult result;
    if (auto done = prompt ? machine->apply_at_once(batch) : std::nullopt) {
      ++at_once;
      result = std::move(done->result);
    } else {
      auto owner = machine->apply(batch);
      if (!owner) {
        ADD_FAILURE() << to_string(owner.error());
        return seen;
      }
      result = std::move(*owner);
    }
    seen.replies.insert(seen.replies.end(), result.replies.begin(), result.replies.end());
    seen.deadlines.push_back(result.next_deadline_ms);
    if (random() % 60 == 0) {
      EXPECT_TRUE(machine->flush().has_value());
    }
    const auto now = machine->applied_state().stamp_ms;
    for (const char* key : {"key1", "key7", "key30"}) {
      const auto answer = machine.ask(now, {"GET", key});
      if (prompt) {
        const auto prompted = machine->query_at_once({{7, now, encode_request({command_of({"GET", key})})}});
        if (prompted) {
          EXPECT_EQ(prompted->answers.at(0).reply, answer.reply);
        }
      }
    }
  }
  seen.digest = machine.digest();
  return seen;
}

TEST(PromptHistories, NobodyCanTellWhoAppliedWhat) {
  std::size_t none = 0, at_once = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto entries = random_history(seed, 2500);
    const auto by_owner = live_through(entries, 100'000'000, false, none);
    ASSERT_FALSE(by_owner.digest.empty());
    for (const std::uint64_t bytes : {3000u, 100'000'000u}) {
      const auto seen = live_through(entries, bytes, true, at_once);
      EXPECT_EQ(seen.digest, by_owner.digest) << "seed " << seed << ", " << bytes;
      EXPECT_EQ(seen.deadlines, by_owner.deadlines) << "seed " << seed << ", " << bytes;
      ASSERT_EQ(seen.replies.size(), by_owner.replies.size());
      for (std::size_t i = 0; i < seen.replies.size(); ++i)
        EXPECT_EQ(show(seen.replies[i]), show(by_owner.replies[i])) << "entry " << i + 1 << ", seed " << seed;
    }
  }
  EXPECT_GT(at_once, 500u);
}

}  // namespace
}  // namespace kiwi::test
