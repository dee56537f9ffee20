// Stories of commands that work on keys of any type. Replies as of redis-server 7.0, unless a line says
// otherwise.

#include <set>

#include "tests/unit/statemachine/machine_fixture.hpp"

namespace kiwi::test {
namespace {

using Keys = MachineTest;

TEST_F(Keys, DeleteAndCount) {
  write("MSET a 1 b 2 c 3");
  EXPECT_EQ(read("DBSIZE"), "(integer) 3");
  EXPECT_EQ(read("EXISTS a a nope"), "(integer) 2");
  EXPECT_EQ(read("TOUCH a b nope"), "(integer) 2");
  EXPECT_EQ(write("DEL a a nope"), "(integer) 1");
  EXPECT_EQ(write("UNLINK b c"), "(integer) 2");
  EXPECT_EQ(read("DBSIZE"), "(integer) 0");
  EXPECT_EQ(read("RANDOMKEY"), "(nil)");
}

TEST_F(Keys, TypeAndObject) {
  write("MSET n 42 short abc long 123456789012345678901234567890123456789012345");
  EXPECT_EQ(read("TYPE n"), "string");
  EXPECT_EQ(read("TYPE nope"), "none");
  EXPECT_EQ(read("OBJECT ENCODING n"), "\"int\"");
  EXPECT_EQ(read("OBJECT encoding short"), "\"embstr\"");
  EXPECT_EQ(read("OBJECT ENCODING long"), "\"raw\"");
  write("APPEND n 1");
  EXPECT_EQ(read("OBJECT ENCODING n"), "\"raw\"");
  write("INCR n");
  EXPECT_EQ(read("OBJECT ENCODING n"), "\"int\"");
  write("SETRANGE short 0 x");
  EXPECT_EQ(read("OBJECT ENCODING short"), "\"raw\"");
  EXPECT_EQ(read("OBJECT ENCODING nope"), "(nil)");
  EXPECT_EQ(read("OBJECT REFCOUNT n"), "(integer) 1");
  EXPECT_EQ(
      read("OBJECT FREQ n"),
      "(error) ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "
      "when switching between policies at runtime LRU and LFU data will take some time to adjust.");
  EXPECT_EQ(read("OBJECT what n"), "(error) ERR unknown subcommand 'what'. Try OBJECT HELP.");
  EXPECT_EQ(read("OBJECT ENCODING"), "(error) ERR wrong number of arguments for 'object|encoding' command");
  EXPECT_EQ(machine.ask(machine.now_ms, {"OBJECT", "HELP"}).reply.type, Reply::Type::array);
}

TEST_F(Keys, IdleTimeCountsFromTheLastWrite) {
  write("SET k v");
  machine.now_ms += 5'900;
  EXPECT_EQ(read("GET k"), "\"v\"");
  EXPECT_EQ(read("OBJECT IDLETIME k"), "(integer) 5");  // a Redis would count from the GET
  write("APPEND k w");
  EXPECT_EQ(read("OBJECT IDLETIME k"), "(integer) 0");
}

TEST_F(Keys, Rename) {
  EXPECT_EQ(write("RENAME a b"), "(error) ERR no such key");
  write("SET a 1 EX 100");
  write("SET b 2 EX 50");
  EXPECT_EQ(write("RENAME a b"), "OK");
  EXPECT_EQ(read("MGET a b"), "[(nil), \"1\"]");
  EXPECT_EQ(read("TTL b"), "(integer) 100");
  EXPECT_EQ(write("RENAME b b"), "OK");
  EXPECT_EQ(write("RENAMENX b b"), "(integer) 0");
  EXPECT_EQ(write("RENAMENX b c"), "(integer) 1");
  EXPECT_EQ(write("RENAMENX nope c"), "(error) ERR no such key");
  EXPECT_EQ(read("TTL c"), "(integer) 100");
  EXPECT_EQ(machine->stats().keys, 1u);
  EXPECT_EQ(machine->stats().keys_with_expiry, 1u);
}

TEST_F(Keys, Copy) {
  write("SET a 1 EX 100");
  EXPECT_EQ(write("COPY a b"), "(integer) 1");
  EXPECT_EQ(read("TTL b"), "(integer) 100");
  EXPECT_EQ(write("COPY a b"), "(integer) 0");
  write("SET a 2");
  EXPECT_EQ(write("COPY a b DB 0 REPLACE"), "(integer) 1");
  EXPECT_EQ(read("GET b"), "\"2\"");
  EXPECT_EQ(write("COPY nope b REPLACE"), "(integer) 0");
  EXPECT_EQ(write("COPY a a"), "(error) ERR source and destination objects are the same");
  EXPECT_EQ(write("COPY a b DB 1"), "(error) ERR DB index is out of range");  // Redis has 16
  EXPECT_EQ(write("COPY a b DB x"), "(error) ERR value is not an integer or out of range");
  EXPECT_EQ(write("COPY a b DB"), "(error) ERR syntax error");
}

TEST_F(Keys, ExpireConditions) {
  EXPECT_EQ(write("EXPIRE k 10"), "(integer) 0");
  write("SET k v");
  EXPECT_EQ(write("EXPIRE k 10 XX"), "(integer) 0");
  EXPECT_EQ(write("EXPIRE k 10 GT"), "(integer) 0");  // no deadline is later than any
  EXPECT_EQ(write("EXPIRE k 10 LT"), "(integer) 1");
  EXPECT_EQ(write("EXPIRE k 20 NX"), "(integer) 0");
  EXPECT_EQ(write("EXPIRE k 20 GT XX"), "(integer) 1");
  EXPECT_EQ(write("EXPIRE k 20 GT"), "(integer) 0");
  EXPECT_EQ(write("PEXPIRE k 1500 lt"), "(integer) 1");
  EXPECT_EQ(read("PTTL k"), "(integer) 1500");
  EXPECT_EQ(write("EXPIREAT k 1700000100"), "(integer) 1");
  EXPECT_EQ(read("EXPIRETIME k"), "(integer) 1700000100");
  EXPECT_EQ(write("PEXPIREAT k 1700000000600"), "(integer) 1");
  EXPECT_EQ(read("PEXPIRETIME k"), "(integer) 1700000000600");
  EXPECT_EQ(read("EXPIRETIME k"), "(integer) 1700000001");
  EXPECT_EQ(write("PERSIST k"), "(integer) 1");
  EXPECT_EQ(write("PERSIST k"), "(integer) 0");
  EXPECT_EQ(read("EXPIRETIME k"), "(integer) -1");
  EXPECT_EQ(read("PEXPIRETIME nope"), "(integer) -2");
  EXPECT_EQ(read("TTL nope"), "(integer) -2");
  EXPECT_EQ(write("EXPIRE k -1"), "(integer) 1");
  EXPECT_EQ(read("EXISTS k"), "(integer) 0");
}

TEST_F(Keys, ExpireErrors) {
  write("SET k v");
  EXPECT_EQ(write("EXPIRE k x"), "(error) ERR value is not an integer or out of range");
  EXPECT_EQ(write("EXPIRE k 9223372036854776"), "(error) ERR invalid expire time in 'expire' command");
  EXPECT_EQ(write("PEXPIRE k 9223372036854775807"), "(error) ERR invalid expire time in 'pexpire' command");
  EXPECT_EQ(write("EXPIRE k 1 what"), "(error) ERR Unsupported option what");
  EXPECT_EQ(write("EXPIRE k 1 NX GT"),
            "(error) ERR NX and XX, GT or LT options at the same time are not compatible");
  EXPECT_EQ(write("EXPIRE k 1 GT LT"), "(error) ERR GT and LT options at the same time are not compatible");
  EXPECT_EQ(read("TTL k"), "(integer) -1");
}

TEST_F(Keys, KeysByPattern) {
  write("MSET hello 1 hallo 2 hxllo 3 world 4");
  EXPECT_EQ(read("KEYS w*"), "[\"world\"]");
  EXPECT_EQ(machine.ask(machine.now_ms, {"KEYS", "h?llo"}).reply.elements.size(), 3u);
  EXPECT_EQ(machine.ask(machine.now_ms, {"KEYS", "h[ae]llo"}).reply.elements.size(), 2u);
  EXPECT_EQ(read("KEYS h[^ae]llo"), "[\"hxllo\"]");
  EXPECT_EQ(read("KEYS x*"), "[]");
}

TEST_F(Keys, ScanReturnsEachKeyOnceAndSurvivesChanges) {
  std::set<std::string> stay;
  for (int i = 0; i < 500; ++i) {
    stay.insert("stay" + std::to_string(i));
    write("SET stay" + std::to_string(i) + " v");
    write("SET go" + std::to_string(i) + " v");
  }
  std::multiset<std::string> seen;
  std::string cursor = "0";
  int steps = 0;
  do {
    const auto reply = machine.ask(machine.now_ms, {"SCAN", cursor, "COUNT", "7", "MATCH", "stay*"}).reply;
    cursor = reply.elements.at(0).text.str();
    EXPECT_LT(std::stoull(cursor), 1ull << 53);
    for (const auto& key : reply.elements.at(1).elements) seen.insert(key.text.str());
    write("DEL go" + std::to_string(steps));
    write("SET late" + std::to_string(steps) + " v");
    ++steps;
  } while (cursor != "0");
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()), stay);
  EXPECT_EQ(seen.size(), stay.size());
  EXPECT_GT(steps, 100);
}

TEST_F(Keys, ScanArguments) {
  write("SET k v");
  EXPECT_EQ(read("SCAN 0"), "[\"0\", [\"k\"]]");
  EXPECT_EQ(read("SCAN 0 TYPE STRING COUNT 100"), "[\"0\", [\"k\"]]");
  EXPECT_EQ(read("SCAN 0 TYPE list"), "[\"0\", []]");
  EXPECT_EQ(read("SCAN 99999999999999999"), "[\"0\", []]");  // never given out: nothing lies behind it
  EXPECT_EQ(read("SCAN x"), "(error) ERR invalid cursor");
  EXPECT_EQ(read("SCAN 18446744073709551616"), "(error) ERR invalid cursor");
  EXPECT_EQ(read("SCAN 0 COUNT 0"), "(error) ERR syntax error");
  EXPECT_EQ(read("SCAN 0 COUNT x"), "(error) ERR value is not an integer or out of range");
  EXPECT_EQ(read("SCAN 0 MATCH"), "(error) ERR syntax error");
  EXPECT_EQ(read("SCAN 0 what 1"), "(error) ERR syntax error");
}

TEST_F(Keys, RandomKeyReachesAllKeys) {
  for (int i = 0; i < 8; ++i) write("SET k" + std::to_string(i) + " v");
  std::set<std::string> seen;
  for (std::uint64_t i = 0; i < 500; ++i) seen.insert(machine.read_at(machine.now_ms + i, "RANDOMKEY"));
  EXPECT_EQ(seen.size(), 8u);
}

TEST_F(Keys, Flush) {
  write("MSET a 1 b 2");
  write("SET t v EX 100");
  EXPECT_EQ(write("FLUSHALL what"), "(error) ERR syntax error");
  EXPECT_EQ(write("FLUSHDB SYNC ASYNC"), "(error) ERR syntax error");
  EXPECT_EQ(read("DBSIZE"), "(integer) 3");
  EXPECT_EQ(write("FLUSHALL ASYNC"), "OK");
  EXPECT_EQ(read("DBSIZE"), "(integer) 0");
  EXPECT_EQ(read("KEYS *"), "[]");
  EXPECT_EQ(machine.next_deadline_ms, 0u);
  EXPECT_EQ(machine->stats().keys_with_expiry, 0u);
  write("SET a 3");
  EXPECT_EQ(write("FLUSHDB sync"), "OK");
  EXPECT_EQ(read("GET a"), "(nil)");
  write("SET a 4");
  EXPECT_EQ(read("KEYS *"), "[\"a\"]");
}

TEST_F(Keys, FlushInTheMiddleOfABatch) {
  write("MSET old 1 both 1");
  write("SET t v EX 100");
  std::vector<Entry> batch;
  for (const auto* line :
       {"SET new 1", "FLUSHALL", "DBSIZE", "GET both", "SET both 2 EX 50", "KEYS *", "RANDOMKEY"}) {
    batch.push_back(machine.entry_of(words_of(line)));
    batch.back().id.index = batch.front().id.index + (batch.size() - 1);
  }
  const auto result = machine->apply(batch);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(show(result->replies[2]), "(integer) 0");
  EXPECT_EQ(show(result->replies[3]), "(nil)");
  EXPECT_EQ(show(result->replies[5]), "[\"both\"]");
  EXPECT_EQ(show(result->replies[6]), "\"both\"");
  EXPECT_EQ(result->next_deadline_ms, machine.now_ms + 50'000);
  EXPECT_EQ(read("KEYS *"), "[\"both\"]");
  EXPECT_EQ(read("DBSIZE"), "(integer) 1");
}

}  // namespace
}  // namespace kiwi::test
