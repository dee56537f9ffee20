#include "statemachine/command_docs.hpp"

#include "statemachine/command_arguments.hpp"
#include "tests/unit/server/server_fixture.hpp"

namespace kiwi::testing {
namespace {

TEST(CommandDocs, TheNotationOfArguments) {
  const auto parsed =
      parse_arguments("key:key condition:oneof?@2.6[nx=NX xx=XX@3] other#1:key* n:integer=COUNT");
  ASSERT_EQ(parsed.size(), 4u);
  EXPECT_EQ(parsed[0].name, "key");
  EXPECT_EQ(parsed[0].type, "key");
  EXPECT_FALSE(parsed[0].optional);
  EXPECT_EQ(parsed[1].type, "oneof");
  EXPECT_TRUE(parsed[1].optional);
  EXPECT_EQ(parsed[1].since, "2.6");
  ASSERT_EQ(parsed[1].arguments.size(), 2u);
  EXPECT_EQ(parsed[1].arguments[0].type, "pure-token");
  EXPECT_EQ(parsed[1].arguments[0].token, "NX");
  EXPECT_EQ(parsed[1].arguments[1].since, "3");
  EXPECT_EQ(parsed[2].key, 1);
  EXPECT_TRUE(parsed[2].multiple);
  EXPECT_EQ(parsed[3].token, "COUNT");
}

TEST(CommandDocs, ABrokenNotationIsABug) {
  EXPECT_DEATH(parse_arguments("a[b"), "brackets");
  EXPECT_DEATH(parse_arguments("a]"), "brackets");
  EXPECT_DEATH(parse_arguments(":key"), "an argument has a name");
}

TEST(CommandDocs, EveryRowHasAReadableNotation) {
  auto check = [](const CommandSpec& spec) {
    int keys = 0;
    for (const auto& argument : parse_arguments(spec.arguments))
      keys += argument.type == "key" || (argument.type == "block" && argument.name == "key_value") ? 1 : 0;
    EXPECT_EQ(spec.first_key > 0, keys > 0) << full_name(spec);
  };
  for (const auto& spec : all_commands()) {
    check(spec);
    for (const auto& sub : subcommands_of(spec.name)) check(sub);
  }
}

TEST(CommandDocs, Syntax) {
  auto syntax = [](std::string_view name) { return command_syntax(*find_full_name(name)); };
  EXPECT_EQ(syntax("get"), "GET <key>");
  EXPECT_EQ(syntax("setrange"), "SETRANGE <key> <offset> <value>");
  EXPECT_EQ(syntax("flushall"), "FLUSHALL [ASYNC|SYNC]");
  EXPECT_EQ(syntax("scan"), "SCAN <cursor> [MATCH <pattern>] [COUNT <count>] [TYPE <type>]");
  EXPECT_EQ(syntax("del"), "DEL <key> [<key> ...]");
  EXPECT_EQ(syntax("mset"), "MSET <key> <value> [<key> <value> ...]");
}

// The bytes are those of redis-server 7.0.15.
TEST(CommandDocs, InfoOfAPlainCommand) {
  EXPECT_EQ(
      wire(command_info(*find_command_name("get")), RespVersion::resp3),
      "*10\r\n$3\r\nget\r\n:2\r\n~2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n~3\r\n+@read\r\n+@string\r\n"
      "+@fast\r\n~0\r\n~1\r\n%3\r\n$5\r\nflags\r\n~2\r\n+RO\r\n+access\r\n$12\r\nbegin_search\r\n%2\r\n"
      "$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n%1\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n%2\r\n"
      "$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n%3\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n"
      "$5\r\nlimit\r\n:0\r\n~0\r\n");
  EXPECT_EQ(
      wire(command_info(*find_full_name("client|id"))),
      "*10\r\n$9\r\nclient|id\r\n:2\r\n*3\r\n+noscript\r\n+loading\r\n+stale\r\n:0\r\n:0\r\n:0\r\n*2\r\n"
      "+@slow\r\n+@connection\r\n*0\r\n*0\r\n*0\r\n");
}

TEST(CommandDocs, KeySpecificationsOfEveryKind) {
  auto specs = [](std::string_view name) {
    return command_info(*find_command_name(name)).elements[8].elements;
  };
  // begin, last and step, as they stand in the nested maps.
  auto begin = [](const Reply& spec) { return spec.elements[3].elements[3].elements[1].integer; };
  auto last = [](const Reply& spec) { return spec.elements[5].elements[3].elements[1].integer; };
  auto step = [](const Reply& spec) { return spec.elements[5].elements[3].elements[3].integer; };
  ASSERT_EQ(specs("mset").size(), 1u);
  EXPECT_EQ(begin(specs("mset")[0]), 1);
  EXPECT_EQ(last(specs("mset")[0]), -1);
  EXPECT_EQ(step(specs("mset")[0]), 2);
  ASSERT_EQ(specs("rename").size(), 2u);
  EXPECT_EQ(begin(specs("rename")[1]), 2);
  EXPECT_EQ(last(specs("rename")[1]), 0);
  ASSERT_EQ(specs("lcs").size(), 1u);
  EXPECT_EQ(last(specs("lcs")[0]), 1);
  EXPECT_EQ(specs("dbsize").size(), 0u);
}

TEST(CommandDocs, ContainersCarryTheirSubcommands) {
  const auto info = command_info(*find_command_name("object"));
  ASSERT_EQ(info.elements.size(), 10u);
  EXPECT_EQ(info.elements[9].elements.size(), subcommands_of("object").size());
  EXPECT_EQ(info.elements[9].elements[0].elements[0].text.str(), "object|encoding");
}

TEST(CommandDocs, DocsHaveRedisShape) {
  const auto docs = wire(command_docs(*find_command_name("getset")), RespVersion::resp3);
  EXPECT_THAT(docs, ::testing::StartsWith("%8\r\n$7\r\nsummary\r\n"));
  EXPECT_THAT(docs,
              ::testing::HasSubstr("$9\r\ndoc_flags\r\n~1\r\n+deprecated\r\n$16\r\ndeprecated_since\r\n$5\r\n"
                                   "6.2.0\r\n"));
  EXPECT_THAT(docs,
              ::testing::HasSubstr("$9\r\narguments\r\n*2\r\n%3\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n"
                                   "$3\r\nkey\r\n$14\r\nkey_spec_index\r\n:0\r\n"));
  const auto flush = wire(command_docs(*find_command_name("flushall")), RespVersion::resp3);
  EXPECT_THAT(flush, ::testing::HasSubstr("$5\r\nflags\r\n~1\r\n+optional\r\n$9\r\narguments\r\n*2\r\n%4\r\n"
                                          "$4\r\nname\r\n$5\r\nasync\r\n$4\r\ntype\r\n$10\r\npure-token\r\n"
                                          "$5\r\ntoken\r\n$5\r\nASYNC\r\n$5\r\nsince\r\n$5\r\n4.0.0\r\n"));
}

}  // namespace
}  // namespace kiwi::testing
