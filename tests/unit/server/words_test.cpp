#include "server/words.hpp"

#include <gtest/gtest.h>

namespace kiwi {
namespace {

TEST(Words, IntegersAreReadAsRedisReadsThem) {
  EXPECT_EQ(read_integer("0"), 0);
  EXPECT_EQ(read_integer("-7"), -7);
  EXPECT_EQ(read_integer("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(read_integer("-9223372036854775808"), INT64_MIN);
  for (const auto* wrong : {"", "-", "+1", "01", "-0", " 1", "1 ", "1.0", "0x1", "9223372036854775808"})
    EXPECT_FALSE(read_integer(wrong)) << '"' << wrong << '"';
}

TEST(Words, CaseIsAsciiOnly) {
  EXPECT_EQ(to_lower("AbC\xc4"), "abc\xc4");
  EXPECT_EQ(to_upper("AbC|1"), "ABC|1");
  EXPECT_TRUE(same_word("GeT", "get"));
  EXPECT_FALSE(same_word("gets", "get"));
}

TEST(Words, NamesArePlainAndNotTooLong) {
  EXPECT_EQ(name_error("", "X"), "");
  EXPECT_EQ(name_error("a!~", "X"), "");
  EXPECT_EQ(name_error("a b", "X"), "ERR X cannot contain spaces, newlines or special characters.");
  EXPECT_EQ(name_error("\x7f", "X"), "ERR X cannot contain spaces, newlines or special characters.");
  EXPECT_EQ(name_error(std::string(kMaxNameBytes, 'a'), "X"), "");
  EXPECT_EQ(name_error(std::string(kMaxNameBytes + 1, 'a'), "X"), "ERR X cannot be longer than 1024 bytes");
}

}  // namespace
}  // namespace kiwi
