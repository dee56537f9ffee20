#include "statemachine/command_table.hpp"

#include <algorithm>
#include <set>

#include "tests/unit/server/server_fixture.hpp"

namespace kiwi::testing {
namespace {

TEST(CommandTable, FindsEveryCommandInAnyCase) {
  for (const auto& spec : all_commands()) {
    std::string upper(spec.name);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char c) { return std::toupper(c); });
    EXPECT_EQ(find_command_name(spec.name), &spec) << spec.name;
    EXPECT_EQ(find_command_name(upper), &spec) << spec.name;
    EXPECT_EQ(find_command_name(upper + "x"), nullptr) << spec.name;
    EXPECT_EQ(find_command_name(spec.name.substr(1)) == &spec, false);
  }
  EXPECT_EQ(find_command_name(""), nullptr);
  EXPECT_EQ(find_command_name(std::string(1000, 'g')), nullptr);
  EXPECT_EQ(find_command_name(std::string_view("get\0", 4)), nullptr);
}

TEST(CommandTable, IsSortedWithoutDoubles) {
  auto names = [](std::span<const CommandSpec> specs) {
    std::vector<std::string_view> out;
    for (const auto& s : specs) out.push_back(s.name);
    return out;
  };
  auto check = [](const std::vector<std::string_view>& sorted) {
    EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
    EXPECT_EQ(std::set<std::string_view>(sorted.begin(), sorted.end()).size(), sorted.size());
  };
  check(names(all_commands()));
  for (const auto& spec : all_commands()) {
    EXPECT_EQ(spec.has_subcommands, !subcommands_of(spec.name).empty()) << spec.name;
    check(names(subcommands_of(spec.name)));
    for (const auto& sub : subcommands_of(spec.name)) EXPECT_EQ(sub.container, spec.name);
  }
}

TEST(CommandTable, EveryRowIsWhole) {
  auto check = [](const CommandSpec& spec) {
    SCOPED_TRACE(full_name(spec));
    EXPECT_NE(spec.arity, 0);
    EXPECT_FALSE(spec.summary.empty() || spec.since.empty() || spec.group.empty() || spec.complexity.empty());
    EXPECT_FALSE(spec.categories.empty());
    EXPECT_EQ(spec.first_key == 0, spec.key_flags.empty());
    EXPECT_EQ(spec.first_key == 0, spec.key_step == 0);
    EXPECT_EQ((spec.flags & kFlagWrite) != 0, spec.place == CommandPlace::write);
    EXPECT_TRUE((spec.flags & kFlagReadonly) == 0 || spec.place == CommandPlace::read);
    EXPECT_EQ(spec.deprecated_since.empty(), spec.replaced_by.empty());
  };
  for (const auto& spec : all_commands()) {
    check(spec);
    for (const auto& sub : subcommands_of(spec.name)) check(sub);
  }
}

TEST(CommandTable, ContainersLookAtTheSecondWord) {
  EXPECT_EQ(full_name(*find_command(command("client LIST"))), "client|list");
  EXPECT_EQ(full_name(*find_command(command("CLIENT"))), "client");
  EXPECT_EQ(find_command(command("CLIENT nosuch")), nullptr);
  EXPECT_EQ(full_name(*find_command(command("get LIST"))), "get");
  EXPECT_EQ(full_name(*find_command(command("RAFT.DIGEST get 1"))), "raft.digest|get");
  EXPECT_EQ(full_name(*find_full_name("Client|List")), "client|list");
  EXPECT_EQ(find_full_name("client|"), nullptr);
  EXPECT_EQ(find_full_name("get|x"), nullptr);
}

TEST(CommandTable, KeysAreWhereRedisSeesThem) {
  auto keys = [](std::string_view line) {
    const auto c = command(line);
    return key_positions(*find_command(c), c);
  };
  using At = std::vector<std::size_t>;
  EXPECT_EQ(keys("GET a"), At({1}));
  EXPECT_EQ(keys("MSET a 1 b 2"), At({1, 3}));
  EXPECT_EQ(keys("MSET a 1 b"), At({1, 3}));
  EXPECT_EQ(keys("DEL a b c"), At({1, 2, 3}));
  EXPECT_EQ(keys("RENAME a b"), At({1, 2}));
  EXPECT_EQ(keys("OBJECT ENCODING a"), At({2}));
  EXPECT_EQ(keys("DBSIZE"), At());
}

TEST(CommandTable, Arity) {
  const auto* get = find_command_name("get");
  EXPECT_FALSE(arity_fits(*get, 1));
  EXPECT_TRUE(arity_fits(*get, 2));
  EXPECT_FALSE(arity_fits(*get, 3));
  const auto* set = find_command_name("set");
  EXPECT_FALSE(arity_fits(*set, 2));
  EXPECT_TRUE(arity_fits(*set, 3));
  EXPECT_TRUE(arity_fits(*set, 100));
}

TEST(CommandTable, ErrorsQuoteNoMoreThanRedisDoes) {
  RedisCommand c{{Bytes::copy_of(std::string(300, 'f')), Bytes::copy_of("a")}};
  EXPECT_EQ(unknown_command_error(c),
            "ERR unknown command '" + std::string(128, 'f') + "', with args beginning with: 'a' ");
  // As redis-server 7.0.15 cuts it.
  c = command("FoO ab cc " + std::string(130, 'x') + " d e");
  EXPECT_EQ(unknown_command_error(c), "ERR unknown command 'FoO', with args beginning with: 'ab' 'cc' '" +
                                          std::string(118, 'x') + "' ");
  c = RedisCommand{{Bytes::copy_of("client"), Bytes::copy_of(std::string(300, 's'))}};
  EXPECT_EQ(unknown_command_error(c),
            "ERR unknown subcommand '" + std::string(128, 's') + "'. Try CLIENT HELP.");
}

}  // namespace
}  // namespace kiwi::testing
