// Stories of single commands. Every reply here is what redis-server 7.0 answers, unless a line says otherwise.

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
  EXPECT_EQ(read("EXISTS k k nope"), "(integer) 2");
}

TEST_F(Strings, Incr) {
  EXPECT_EQ(write("INCR n"), "(integer) 1");
  EXPECT_EQ(write("INCR n"), "(integer) 2");
  EXPECT_EQ(write("DEL n"), "(integer) 1");
  EXPECT_EQ(write("DEL n"), "(integer) 0");
  EXPECT_EQ(read("DBSIZE"), "(integer) 0");
}

TEST_F(Strings, Restart) {
  write("SET a 1");
  EXPECT_EQ(machine->flush().value(), Index(1));
  write("SET b 2");
  machine.crash();
  machine.open();
  EXPECT_EQ(machine->applied_state().applied, (LogId{Term(1), Index(1)}));
  EXPECT_EQ(read("GET a"), "\"1\"");
  EXPECT_EQ(read("GET b"), "(nil)");
}

}  // namespace
}  // namespace kiwi::test
