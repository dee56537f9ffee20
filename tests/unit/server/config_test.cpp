#include "tests/unit/server/server_fixture.hpp"

namespace kiwi::testing {
namespace {

TEST(Config, ParametersByName) {
  Server s;
  EXPECT_EQ(s.says("CONFIG GET maxmemory save"),
            "*4\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n$4\r\nsave\r\n$0\r\n\r\n");
  EXPECT_EQ(s.says("CONFIG GET port"), "*2\r\n$4\r\nport\r\n$4\r\n7001\r\n");
  EXPECT_EQ(s.says("CONFIG GET dir"), "*2\r\n$3\r\ndir\r\n$5\r\n/data\r\n");
  EXPECT_EQ(s.says("CONFIG GET databases"), "*2\r\n$9\r\ndatabases\r\n$1\r\n1\r\n");
  EXPECT_EQ(s.says("CONFIG GET nosuch"), "*0\r\n");
  EXPECT_EQ(s.says("CONFIG GET MAXMEMORY maxmemory"), "*2\r\n$9\r\nMAXMEMORY\r\n$1\r\n0\r\n");
}

TEST(Config, ParametersByPattern) {
  Server s;
  EXPECT_EQ(s.says("CONFIG GET *MAX-bulk-len"), "*2\r\n$18\r\nproto-max-bulk-len\r\n$8\r\n33554432\r\n");
  EXPECT_EQ(s.reply("CONFIG GET *").elements.size(), 2 * s.environment->config.size());
  EXPECT_EQ(s.reply("CONFIG GET * port").elements.size(), 2 * s.environment->config.size());
}

TEST(Config, Errors) {
  Server s;
  EXPECT_EQ(s.says("CONFIG GET"), "-ERR wrong number of arguments for 'config|get' command\r\n");
  EXPECT_EQ(s.says("CONFIG SET maxmemory 1"), "-ERR unknown subcommand 'SET'. Try CONFIG HELP.\r\n");
  s.says("HELLO 3");
  EXPECT_EQ(s.says("CONFIG GET port"), "%1\r\n$4\r\nport\r\n$4\r\n7001\r\n");
}

}  // namespace
}  // namespace kiwi::testing
