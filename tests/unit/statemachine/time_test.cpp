// Time is in the log (rule 8): what exists is decided by stamps, bytes go later, and a query that would see a
// deadline pass asks for a tick first.

#include "tests/unit/statemachine/machine_fixture.hpp"

namespace kiwi::test {
namespace {

using Time = MachineTest;

TEST_F(Time, AKeyVanishesWithTheStampOfAnEntry) {
  const auto start = machine.now_ms;
  write("SET k v PX 100");
  EXPECT_EQ(machine.next_deadline_ms, start + 100);
  machine.now_ms = start + 99;
  EXPECT_EQ(write("APPEND k w"), "(integer) 2");
  machine.now_ms = start + 100;
  EXPECT_EQ(write("APPEND k x"), "(integer) 1");
  EXPECT_EQ(read("TTL k"), "(integer) -1");
  EXPECT_EQ(machine.next_deadline_ms, 0u);
}

TEST_F(Time, AReplyThatMeetsAPassedDeadlineIsWhatItWillBeAfterTheTick) {
  const auto start = machine.now_ms;
  write("SET k v PX 100");
  write("SET other v");
  EXPECT_EQ(machine.read_at(start + 99, "GET k"), "\"v\"");
  const auto tick = "(tick " + std::to_string(start + 150) + ") ";
  const std::vector<std::string> lines = {"GET k",  "MGET other k", "EXISTS k", "TTL k",
                                          "SCAN 0", "KEYS *",       "TYPE k",   "STRLEN k"};
  std::vector<std::string> before;
  for (const auto& line : lines) before.push_back(machine.read_at(start + 150, line));
  EXPECT_EQ(machine.read_at(start + 150, "GET other"), "\"v\"");
  machine.now_ms = start + 150;
  machine.tick();
  for (std::size_t i = 0; i < lines.size(); ++i)
    EXPECT_EQ(before[i], tick + machine.read_at(start + 150, lines[i])) << lines[i];
  EXPECT_EQ(machine.read_at(start + 150, "GET k"), "(nil)");
  EXPECT_EQ(machine.read_at(start + 150, "KEYS *"), "[\"other\"]");
}

TEST_F(Time, AStaleReadUsesTheAppliedStamp) {
  const auto start = machine.now_ms;
  write("SET k v PX 1000");
  machine.now_ms += 400;
  machine.tick();
  EXPECT_EQ(machine.read_at(0, "GET k"), "\"v\"");
  EXPECT_EQ(machine.read_at(0, "PTTL k"), "(integer) 600");
  EXPECT_EQ(machine.read_at(start + 700, "PTTL k"), "(integer) 300");
  EXPECT_EQ(machine.read_at(0, "TIME"), "[\"1700000000\", \"400000\"]");
  EXPECT_EQ(machine.read_at(start + 1'234'567, "TIME"), "[\"1700001234\", \"567000\"]");
}

TEST_F(Time, ClocksNeverGoBack) {
  write("SET k v PX 1000");
  machine.now_ms += 999;
  machine.tick();
  machine.now_ms -= 999;
  EXPECT_EQ(read("PTTL k"), "(integer) 1");
  EXPECT_EQ(machine->applied_state().stamp_ms, machine.now_ms + 999);
}

TEST_F(Time, BytesGoAtMostSixteenAnEntry) {
  for (int i = 0; i < 40; ++i) write("SET k" + std::to_string(i) + " v PX " + std::to_string(100 + i));
  write("SET stays v");
  EXPECT_EQ(read("DBSIZE"), "(integer) 41");
  machine.now_ms += 1000;
  for (const auto* left : {"25", "9", "1", "1"}) {
    machine.tick();
    EXPECT_EQ(read("KEYS *"), "[\"stays\"]");  // gone by comparison at once
    EXPECT_EQ(read("DBSIZE"), std::string("(integer) ") + left);
  }
  EXPECT_EQ(machine.next_deadline_ms, 0u);
  EXPECT_EQ(machine->stats().expired_keys, 40u);
  EXPECT_EQ(machine->stats().keys_with_expiry, 0u);
}

TEST_F(Time, NextDeadlineIsTheEarliestOfAll) {
  const auto start = machine.now_ms;
  write("SET a v PX 300");
  EXPECT_EQ(machine.next_deadline_ms, start + 300);
  write("SET b v PX 100");
  EXPECT_EQ(machine.next_deadline_ms, start + 100);
  write("SET c v PX 200");
  write("PERSIST b");
  EXPECT_EQ(machine.next_deadline_ms, start + 200);
  write("DEL c");
  EXPECT_EQ(machine.next_deadline_ms, start + 300);
  write("PEXPIRE a 500");
  EXPECT_EQ(machine.next_deadline_ms, start + 500);
  ASSERT_TRUE(machine->flush().has_value());
  machine.crash();
  machine.open();
  machine.tick();
  EXPECT_EQ(machine.next_deadline_ms, start + 500);
  write("SET a v");
  EXPECT_EQ(machine.next_deadline_ms, 0u);
}

TEST_F(Time, ADeadlineTakenAndGivenBackInOneBatch) {
  const auto start = machine.now_ms;
  write("SET a v PXAT " + std::to_string(start + 100));
  std::vector<Entry> batch;
  for (const auto& line : {std::string("PERSIST a"), "PEXPIREAT a " + std::to_string(start + 100),
                           std::string("PERSIST a"), "PEXPIREAT a " + std::to_string(start + 100)}) {
    batch.push_back(machine.entry_of(words_of(line)));
    batch.back().id.index = batch.front().id.index + (batch.size() - 1);
  }
  EXPECT_EQ(machine->apply(batch).value().next_deadline_ms, start + 100);
  machine.now_ms = start + 100;
  machine.tick();
  EXPECT_EQ(read("DBSIZE"), "(integer) 0");
}

TEST_F(Time, AnExpiredKeyThatIsStillThereIsReplacedCleanly) {
  for (int i = 0; i < 40; ++i) write("SET k" + std::to_string(i) + " v PX 100");
  machine.now_ms += 100;
  // Not all are removed yet; SET NX must see none of them, and the counters must stay right.
  for (int i = 0; i < 40; ++i) EXPECT_EQ(write("SET k" + std::to_string(i) + " w NX"), "OK");
  EXPECT_EQ(read("DBSIZE"), "(integer) 40");
  EXPECT_EQ(machine->stats().keys_with_expiry, 0u);
  EXPECT_EQ(write("DEL k0"), "(integer) 1");
}

}  // namespace
}  // namespace kiwi::test
