#include "messages/resp_inline.hpp"

#include <gtest/gtest.h>

#include <string>

namespace kiwi {
namespace {

/// "[a][b c]", or "unbalanced".
std::string split(std::string_view line) {
  const auto args = split_inline(line);
  if (!args)
    return "unbalanced";
  std::string text;
  for (const auto& arg : *args) text += "[" + arg.str() + "]";
  return text;
}

TEST(RespInline, WhiteSpaceParts) {
  EXPECT_EQ(split("SET a b"), "[SET][a][b]");
  EXPECT_EQ(split("  \t SET \r a\v\f b "), "[SET][a\v\f][b]");
  EXPECT_EQ(split("\v\fSET"), "[SET]");
  EXPECT_EQ(split(""), "");
  EXPECT_EQ(split("   "), "");
}

TEST(RespInline, DoubleQuotes) {
  EXPECT_EQ(split(R"(SET "a b" "")"), "[SET][a b][]");
  EXPECT_EQ(split(R"("\n\r\t\b\a\\\"\q")"), "[\n\r\t\b\a\\\"q]");
  EXPECT_EQ(split(R"("\x41\x7a\xFf")"), "[Az\xff]");
  EXPECT_EQ(split(R"("\x4g\x")"), "[x4gx]");
  EXPECT_EQ(split(R"("it's")"), "[it's]");
}

TEST(RespInline, SingleQuotes) {
  EXPECT_EQ(split(R"('a b' '')"), "[a b][]");
  EXPECT_EQ(split(R"('it\'s \n "x"')"), R"([it's \n "x"])");
}

TEST(RespInline, AQuoteMayBeginWithinAnArgument) {
  EXPECT_EQ(split(R"(foo"bar baz")"), "[foobar baz]");
  EXPECT_EQ(split(R"(foo'bar baz' x)"), "[foobar baz][x]");
}

TEST(RespInline, QuotesMustBeClosedAndFollowedBySpace) {
  EXPECT_EQ(split(R"("abc)"), "unbalanced");
  EXPECT_EQ(split(R"('abc)"), "unbalanced");
  EXPECT_EQ(split(R"("abc\")"), "unbalanced");
  EXPECT_EQ(split(R"('abc\')"), "unbalanced");
  EXPECT_EQ(split(R"("abc"d)"), "unbalanced");
  EXPECT_EQ(split(R"('abc'"d")"), "unbalanced");
  EXPECT_EQ(split("\""), "unbalanced");
  EXPECT_EQ(split("\"\\"), "unbalanced");
}

TEST(RespInline, AZeroByteEndsTheLine) {
  EXPECT_EQ(split(std::string_view("GET a\0b c", 9)), "[GET][a]");
  EXPECT_EQ(split(std::string_view("GET \"a\0b\"", 9)), "unbalanced");
}

TEST(RespInline, ArgumentsShareOneBuffer) {
  const auto args = split_inline("a b c");
  ASSERT_TRUE(args);
  EXPECT_EQ(args->at(0).owner(), args->at(2).owner());
}

}  // namespace
}  // namespace kiwi
