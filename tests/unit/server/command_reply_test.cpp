// COMMAND and its subcommands, through a session.

#include "tests/unit/server/server_fixture.hpp"

namespace kiwi::testing {
namespace {

TEST(CommandCommand, CountInfoAndAll) {
  Server s;
  const auto count = all_commands().size();
  EXPECT_EQ(s.says("COMMAND COUNT"), ":" + std::to_string(count) + "\r\n");
  EXPECT_EQ(s.reply("COMMAND").elements.size(), count);
  EXPECT_EQ(s.reply("COMMAND INFO").elements.size(), count);
  EXPECT_EQ(s.says("COMMAND INFO nosuch"), "*1\r\n$-1\r\n");
  const auto some = s.reply("COMMAND INFO client|id nosuch GET");
  ASSERT_EQ(some.elements.size(), 3u);
  EXPECT_EQ(some.elements[0].elements[0].text.str(), "client|id");
  EXPECT_EQ(some.elements[2].elements[0].text.str(), "get");
}

TEST(CommandCommand, Docs) {
  Server s;
  EXPECT_EQ(s.says("COMMAND DOCS nosuch"), "*0\r\n");
  const auto docs = s.reply("COMMAND DOCS get nosuch client|id");
  ASSERT_EQ(docs.elements.size(), 4u);
  EXPECT_EQ(docs.elements[0].text.str(), "get");
  EXPECT_EQ(docs.elements[2].text.str(), "client|id");
  EXPECT_EQ(s.reply("COMMAND DOCS").elements.size(), 2 * all_commands().size());
}

TEST(CommandCommand, GetKeys) {
  Server s;
  EXPECT_EQ(s.says("COMMAND GETKEYS get x"), "*1\r\n$1\r\nx\r\n");
  EXPECT_EQ(s.says("COMMAND GETKEYS mset a 1 b 2"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(s.says("COMMAND GETKEYS object encoding x"), "*1\r\n$1\r\nx\r\n");
  EXPECT_EQ(s.says("COMMAND GETKEYS get x y"), "-ERR Invalid number of arguments specified for command\r\n");
  EXPECT_EQ(s.says("COMMAND GETKEYS nosuch x"), "-ERR Invalid command specified\r\n");
  EXPECT_EQ(s.says("COMMAND GETKEYS object foo x"), "-ERR Invalid command specified\r\n");
  EXPECT_EQ(s.says("COMMAND GETKEYS ping x"), "-ERR The command has no key arguments\r\n");
  EXPECT_EQ(s.says("COMMAND GETKEYS get"),
            "-ERR wrong number of arguments for 'command|getkeys' command\r\n");
}

TEST(CommandCommand, GetKeysAndFlags) {
  Server s;
  EXPECT_EQ(s.says("COMMAND GETKEYSANDFLAGS set x y"), "*1\r\n*2\r\n$1\r\nx\r\n*2\r\n+OW\r\n+update\r\n");
  EXPECT_EQ(s.says("COMMAND GETKEYSANDFLAGS set x y GET"),
            "*1\r\n*2\r\n$1\r\nx\r\n*3\r\n+RW\r\n+access\r\n+update\r\n");
  EXPECT_EQ(
      s.says("COMMAND GETKEYSANDFLAGS rename a b"),
      "*2\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+delete\r\n*2\r\n$1\r\nb\r\n*2\r\n+OW\r\n+update\r\n");
}

TEST(CommandCommand, List) {
  Server s;
  EXPECT_EQ(s.reply("COMMAND LIST").elements.size(), all_commands().size());
  EXPECT_EQ(s.says("COMMAND LIST FILTERBY pattern CLIENT|N*"), "*1\r\n$15\r\nclient|no-evict\r\n");
  EXPECT_EQ(s.says("COMMAND LIST FILTERBY PATTERN getrang?"), "*1\r\n$8\r\ngetrange\r\n");
  EXPECT_EQ(s.says("COMMAND LIST FILTERBY module foo"), "*0\r\n");
  EXPECT_EQ(s.says("COMMAND LIST FILTERBY aclcat nosuch"), "*0\r\n");
  EXPECT_EQ(s.reply("COMMAND LIST FILTERBY ACLCAT String").elements.size(), 22u);
  EXPECT_EQ(s.says("COMMAND LIST FILTERBY"), "-ERR syntax error\r\n");
  EXPECT_EQ(s.says("COMMAND LIST FILTERBY foo bar"), "-ERR syntax error\r\n");
}

TEST(CommandCommand, Errors) {
  Server s;
  EXPECT_EQ(s.says("COMMAND NOSUCH"), "-ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP.\r\n");
  EXPECT_EQ(s.says("COMMAND COUNT x"), "-ERR wrong number of arguments for 'command|count' command\r\n");
}

}  // namespace
}  // namespace kiwi::testing
