// Stories of the string commands. Every reply here is what redis-server 7.0 answers, unless a line says
// otherwise.

#include "messages/limits.hpp"
#include "tests/unit/statemachine/machine_fixture.hpp"

namespace kiwi::test {
namespace {

using Strings = MachineTest;

TEST_F(Strings, SetAndGet) {
  EXPECT_EQ(read("GET k"), "(nil)");
  EXPECT_EQ(write("SET k v"), "OK");
  EXPECT_EQ(read("GET k"), "\"v\"");
  EXPECT_EQ(write("set k ''"), "OK");
  EXPECT_EQ(read("get k"), "\"\"");
  EXPECT_EQ(read("STRLEN k"), "(integer) 0");
  EXPECT_EQ(read("STRLEN nope"), "(integer) 0");
}

TEST_F(Strings, BytesOfAllKindsAreKept) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  EXPECT_EQ(machine.write({"SET", all, all}), "OK");
  EXPECT_EQ(machine.ask(machine.now_ms, {"GET", all}).reply.text.view(), all);
  EXPECT_EQ(machine.write({"SET", "", "empty key"}), "OK");
  EXPECT_EQ(read("GET ''"), "\"empty key\"");
}

TEST_F(Strings, SetConditions) {
  EXPECT_EQ(write("SET k 1 XX"), "(nil)");
  EXPECT_EQ(write("SET k 1 NX"), "OK");
  EXPECT_EQ(write("SET k 2 nx"), "(nil)");
  EXPECT_EQ(write("SET k 2 NX GET"), "\"1\"");
  EXPECT_EQ(read("GET k"), "\"1\"");
  EXPECT_EQ(write("SET k 2 XX GET"), "\"1\"");
  EXPECT_EQ(write("SET new 1 GET"), "(nil)");
  EXPECT_EQ(read("MGET k new nope"), "[\"2\", \"1\", (nil)]");
}

TEST_F(Strings, SetRefusesWhatDoesNotGoTogether) {
  for (const auto* line :
       {"SET k v NX XX", "SET k v XX NX", "SET k v EX 1 PX 1", "SET k v EX 1 KEEPTTL", "SET k v KEEPTTL EX 1",
        "SET k v EX", "SET k v what", "SET k v EXAT 1 PXAT 1", "SET k v PERSIST"})
    EXPECT_EQ(write(line), "(error) ERR syntax error") << line;
  EXPECT_EQ(write("SET k v EX x"), "(error) ERR value is not an integer or out of range");
  EXPECT_EQ(write("SET k v EX 0"), "(error) ERR invalid expire time in 'set' command");
  EXPECT_EQ(write("SET k v PXAT -1"), "(error) ERR invalid expire time in 'set' command");
  EXPECT_EQ(write("SET k v EX 9223372036854776"), "(error) ERR invalid expire time in 'set' command");
  EXPECT_EQ(write("SET k v PX 9223372036854775807"), "(error) ERR invalid expire time in 'set' command");
  EXPECT_EQ(read("EXISTS k"), "(integer) 0");
}

TEST_F(Strings, SetAndDeadlines) {
  write("SET k v EX 10");
  EXPECT_EQ(read("TTL k"), "(integer) 10");
  write("SET k w KEEPTTL");
  EXPECT_EQ(read("TTL k"), "(integer) 10");
  write("SET k v");
  EXPECT_EQ(read("TTL k"), "(integer) -1");
  write("SET k v EX 1 EX 20");  // repeated: the last one counts
  EXPECT_EQ(read("TTL k"), "(integer) 20");
  write("SET k v PXAT 1700000005000");
  EXPECT_EQ(read("PTTL k"), "(integer) 5000");
  write("SET k v EXAT 1");  // passed already
  EXPECT_EQ(read("GET k"), "(nil)");
}

TEST_F(Strings, SetexFamily) {
  EXPECT_EQ(write("SETEX k 5 v"), "OK");
  EXPECT_EQ(read("PTTL k"), "(integer) 5000");
  EXPECT_EQ(write("PSETEX k 1500 v"), "OK");
  EXPECT_EQ(read("TTL k"), "(integer) 2");
  EXPECT_EQ(write("SETEX k 0 v"), "(error) ERR invalid expire time in 'setex' command");
  EXPECT_EQ(write("PSETEX k -1 v"), "(error) ERR invalid expire time in 'psetex' command");
  EXPECT_EQ(write("SETNX k other"), "(integer) 0");
  EXPECT_EQ(write("SETNX fresh v"), "(integer) 1");
  EXPECT_EQ(write("GETSET k new"), "\"v\"");
  EXPECT_EQ(read("TTL k"), "(integer) -1");
  EXPECT_EQ(write("GETDEL k"), "\"new\"");
  EXPECT_EQ(write("GETDEL k"), "(nil)");
}

TEST_F(Strings, Getex) {
  EXPECT_EQ(write("GETEX k EX 10"), "(nil)");
  write("SET k v");
  EXPECT_EQ(write("GETEX k EX 10"), "\"v\"");
  EXPECT_EQ(write("GETEX k"), "\"v\"");
  EXPECT_EQ(read("TTL k"), "(integer) 10");
  EXPECT_EQ(write("GETEX k PERSIST"), "\"v\"");
  EXPECT_EQ(read("TTL k"), "(integer) -1");
  EXPECT_EQ(write("GETEX k EX 10 PERSIST"), "(error) ERR syntax error");
  EXPECT_EQ(write("GETEX k EX 0"), "(error) ERR invalid expire time in 'getex' command");
  EXPECT_EQ(write("GETEX k PXAT 1"), "\"v\"");
  EXPECT_EQ(read("EXISTS k"), "(integer) 0");
}

TEST_F(Strings, ManyAtOnce) {
  EXPECT_EQ(write("MSET a 1 b 2 a 3"), "OK");
  EXPECT_EQ(read("MGET a b c"), "[\"3\", \"2\", (nil)]");
  EXPECT_EQ(write("MSETNX c 1 a 9"), "(integer) 0");
  EXPECT_EQ(read("EXISTS c"), "(integer) 0");
  EXPECT_EQ(write("MSETNX c 1 d 9"), "(integer) 1");
  EXPECT_EQ(write("MSET a 1 b"), "(error) ERR wrong number of arguments for 'mset' command");
  EXPECT_EQ(write("MSETNX a 1 b"), "(error) ERR wrong number of arguments for 'msetnx' command");
}

TEST_F(Strings, Counters) {
  EXPECT_EQ(write("INCR n"), "(integer) 1");
  EXPECT_EQ(write("INCRBY n 41"), "(integer) 42");
  EXPECT_EQ(write("DECR n"), "(integer) 41");
  EXPECT_EQ(write("DECRBY n -9"), "(integer) 50");
  EXPECT_EQ(write("INCRBY n 1.5"), "(error) ERR value is not an integer or out of range");
  write("SET n 9223372036854775807");
  EXPECT_EQ(write("INCR n"), "(error) ERR increment or decrement would overflow");
  EXPECT_EQ(write("DECRBY n -9223372036854775808"), "(error) ERR decrement would overflow");
  for (const auto* no_number : {"' 1'", "'1 '", "+1", "007", "-0", "''", "1e3", "9223372036854775808"}) {
    write(std::string("SET n ") + no_number);
    EXPECT_EQ(write("INCR n"), "(error) ERR value is not an integer or out of range") << no_number;
  }
  write("SET n 5 EX 100");
  write("INCR n");
  EXPECT_EQ(read("TTL n"), "(integer) 100");
}

TEST_F(Strings, Incrbyfloat) {
  EXPECT_EQ(write("INCRBYFLOAT f 10.50"), "\"10.5\"");
  EXPECT_EQ(write("INCRBYFLOAT f 0.1"), "\"10.6\"");
  EXPECT_EQ(write("INCRBYFLOAT f -5"), "\"5.6\"");
  write("SET f 5.0e3");
  EXPECT_EQ(write("INCRBYFLOAT f 2.0e2"), "\"5200\"");
  EXPECT_EQ(read("OBJECT ENCODING f"), "\"embstr\"");
  EXPECT_EQ(write("INCRBYFLOAT f x"), "(error) ERR value is not a valid float");
  EXPECT_EQ(write("INCRBYFLOAT f inf"), "(error) ERR increment would produce NaN or Infinity");
  write("SET f abc");
  EXPECT_EQ(write("INCRBYFLOAT f 1"), "(error) ERR value is not a valid float");
}

TEST_F(Strings, AppendAndRanges) {
  EXPECT_EQ(write("APPEND s Hello"), "(integer) 5");
  EXPECT_EQ(write("APPEND s ' World'"), "(integer) 11");
  EXPECT_EQ(read("GETRANGE s 0 4"), "\"Hello\"");
  EXPECT_EQ(read("SUBSTR s -5 -1"), "\"World\"");
  EXPECT_EQ(read("GETRANGE s -1 -5"), "\"\"");
  EXPECT_EQ(read("GETRANGE s 5 3"), "\"\"");
  EXPECT_EQ(read("GETRANGE s -100 100"), "\"Hello World\"");
  EXPECT_EQ(read("GETRANGE s 0 -9223372036854775808"), "\"H\"");
  EXPECT_EQ(read("GETRANGE s a 1"), "(error) ERR value is not an integer or out of range");
  EXPECT_EQ(write("SETRANGE s 6 Redis"), "(integer) 11");
  EXPECT_EQ(read("GET s"), "\"Hello Redis\"");
  EXPECT_EQ(write("SETRANGE s 3 ''"), "(integer) 11");
  EXPECT_EQ(write("SETRANGE nope 3 ''"), "(integer) 0");
  EXPECT_EQ(read("EXISTS nope"), "(integer) 0");
  EXPECT_EQ(write("SETRANGE pad 2 x"), "(integer) 3");
  EXPECT_EQ(machine.ask(machine.now_ms, {"GET", "pad"}).reply.text.view(), std::string_view("\0\0x", 3));
  EXPECT_EQ(write("SETRANGE s -1 x"), "(error) ERR offset is out of range");
}

TEST_F(Strings, NoStringAboveTheLimit) {
  const auto limit = std::to_string(kMaxStringBytes);
  const std::string too_long = "(error) ERR string exceeds maximum allowed size (proto-max-bulk-len)";
  EXPECT_EQ(write("SETRANGE s " + limit + " x"), too_long);
  EXPECT_EQ(write("SETRANGE s 9223372036854775807 x"), too_long);
  EXPECT_EQ(read("EXISTS s"), "(integer) 0");
  EXPECT_EQ(write("SETRANGE s " + std::to_string(kMaxStringBytes - 1) + " x"), "(integer) " + limit);
  EXPECT_EQ(write("APPEND s x"), too_long);
  EXPECT_EQ(write("APPEND s ''"), "(integer) " + limit);
}

TEST_F(Strings, LongestCommonSubsequence) {
  write("MSET a ohmytext b mynewtext");
  EXPECT_EQ(read("LCS a b"), "\"mytext\"");
  EXPECT_EQ(read("LCS a b LEN"), "(integer) 6");
  EXPECT_EQ(
      read("LCS a b IDX"),
      "{\"matches\", [[[(integer) 4, (integer) 7], [(integer) 5, (integer) 8]], [[(integer) 2, (integer) 3], "
      "[(integer) 0, (integer) 1]]], \"len\", (integer) 6}");
  EXPECT_EQ(read("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN"),
            "{\"matches\", [[[(integer) 4, (integer) 7], [(integer) 5, (integer) 8], (integer) 4]], \"len\", "
            "(integer) 6}");
  EXPECT_EQ(read("LCS a nope"), "\"\"");
  EXPECT_EQ(read("LCS a b LEN IDX"),
            "(error) ERR If you want both the length and indexes, please just use IDX.");
  EXPECT_EQ(read("LCS a b MINMATCHLEN"), "(error) ERR syntax error");
}

TEST_F(Strings, LcsRefusesMoreWorkThanTheLimit) {
  machine.write({"MSET", "a", std::string(4000, 'a'), "b", std::string(4000, 'b')});
  EXPECT_EQ(read("LCS a b"),
            "(error) ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  machine.write({"MSET", "a", std::string(2500, 'a'), "b", std::string(2500, 'b')});
  EXPECT_EQ(read("LCS a b LEN"), "(integer) 0");
}

TEST_F(Strings, WrongCommandsInTheLogAreRepliesNotFailures) {
  EXPECT_EQ(write("SET k"), "(error) ERR wrong number of arguments for 'set' command");
  EXPECT_EQ(write("NOSUCH a"), "(error) ERR unknown command 'NOSUCH', with args beginning with: 'a' ");
  EXPECT_EQ(read("NOSUCH"), "(error) ERR unknown command 'NOSUCH', with args beginning with: ");
  EXPECT_EQ(read("GET"), "(error) ERR wrong number of arguments for 'get' command");
  EXPECT_EQ(machine->applied_state().applied.index, Index(2));
}

TEST_F(Strings, AReadInTheLogSeesTheEntriesBeforeIt) {
  auto first = machine.entry_of({"SET", "k", "v"});
  auto second = machine.entry_of({"GET", "k"});
  auto third = machine.entry_of({"KEYS", "*"});
  second.id.index = first.id.index + 1;
  third.id.index = first.id.index + 2;
  const auto result = machine->apply({first, second, third});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(show(result->replies[1]), "\"v\"");
  EXPECT_EQ(show(result->replies[2]), "[\"k\"]");
}

}  // namespace
}  // namespace kiwi::test
