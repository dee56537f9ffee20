// How durations, sizes and their like are read and written.

#include "lab/script/values.hpp"

#include <gtest/gtest.h>

#include "lab/script/error.hpp"
#include "lab/script/reply_pattern.hpp"

namespace kiwi::lab::script {
namespace {

using namespace std::chrono_literals;

TEST(Values, DurationsAreExact) {
  EXPECT_EQ(read_duration("0"), Time(0));
  EXPECT_EQ(read_duration("2s"), Time(2s));
  EXPECT_EQ(read_duration("1.5s"), Time(1500ms));
  EXPECT_EQ(read_duration("2.000000s"), Time(2s));
  EXPECT_EQ(read_duration("0.000000001s"), Time(1ns));
  EXPECT_EQ(read_duration("1.5h"), Time(90min));
  EXPECT_EQ(read_duration("12345678901234ns"), Time(12345678901234ns));
  EXPECT_EQ(read_duration("2400h"), Time(2400h));
  EXPECT_EQ(read_signed_duration("-20ms"), Time(-20ms));
  for (const auto* wrong : {"", "s", "2", "-2s", "+2s", "2 s", "2S", "1e3s", ".5s", "5.s", "02s", "1.5ns",
                            "2401h", "99999999999999999999s", "1.0000000001s", "2sx", "1..2s"}) {
    EXPECT_FALSE(read_duration(wrong)) << wrong;
  }
}

TEST(Values, DurationsAreWrittenInTheLargestExactUnit) {
  EXPECT_EQ(write_duration(0s), "0s");
  EXPECT_EQ(write_duration(90s), "90s");
  EXPECT_EQ(write_duration(1500ms), "1500ms");
  EXPECT_EQ(write_duration(7us), "7us");
  EXPECT_EQ(write_duration(-2s), "-2s");
  EXPECT_EQ(write_lowered_time(2s), "2.000000s");
  EXPECT_EQ(write_lowered_time(Time(2'000'000'001)), "2.000000001s");
  EXPECT_EQ(write_lowered_time(Time(1'000)), "0.000001s");
}

TEST(Values, TheOthers) {
  EXPECT_EQ(read_duration_range("150ms..300ms"), std::pair(Time(150ms), Time(300ms)));
  EXPECT_EQ(read_duration_range("5ms"), std::pair(Time(5ms), Time(5ms)));
  EXPECT_FALSE(read_duration_range("3s..2s"));
  EXPECT_EQ(read_probability("30%"), 0.3);
  EXPECT_EQ(read_probability("1"), 1.0);
  EXPECT_FALSE(read_probability("1.01"));
  EXPECT_FALSE(read_probability("101%"));
  EXPECT_EQ(read_bytes("64KB"), 65536U);
  EXPECT_EQ(read_bytes("3"), 3U);
  EXPECT_FALSE(read_bytes("9223372036854775807GB"));
  EXPECT_EQ(read_byte_rate("1MB/s"), 1048576U);
  EXPECT_FALSE(read_byte_rate("0/s"));
  EXPECT_EQ(read_rate("200/s"), 200.0);
  EXPECT_EQ(read_number("9223372036854775807"), 9223372036854775807U);
  EXPECT_FALSE(read_number("9223372036854775808"));
  EXPECT_EQ(read_weights("get 50,set"), (Weights{{"get", 50}, {"set", 1}}));
  for (const auto* wrong : {"", "get 0", "get 1, get 2", "get 1,", "get x", "1 get", "get 1000001"}) {
    EXPECT_FALSE(read_weights(wrong)) << wrong;
  }
  EXPECT_EQ(read_node("n12"), 12U);
  EXPECT_FALSE(read_node("n0"));
  EXPECT_FALSE(read_node("n100"));
}

TEST(Values, WordsAreQuotedWhenTheyMust) {
  EXPECT_EQ(word_text("log/000004.log"), "log/000004.log");
  EXPECT_EQ(word_text("a b"), "\"a b\"");
  EXPECT_EQ(word_text(""), "\"\"");
  EXPECT_EQ(word_text("a\n\x01$x\"\\"), "\"a\\n\\x01\\$x\\\"\\\\\"");
}

TEST(Values, ReplyPatterns) {
  for (const auto* same : {"OK", "nil", "any", "none", "whatever", "42", "-7", "\"a  b\"", "error",
                           "error \"MOVED 1\"", "[]", "[1 \"a]\" [nil OK]]"}) {
    const auto pattern = read_reply_pattern(same);
    ASSERT_TRUE(pattern) << same;
    EXPECT_EQ(write_reply_pattern(*pattern), same);
  }
  EXPECT_EQ(read_reply_pattern("[[1]\"x\"]")->items.size(), 2U);
  for (const auto* wrong : {"", "[", "]", "[1", "1 2", "a-b", "[[[[[[[[[1]]]]]]]]]", "\"x"}) {
    EXPECT_FALSE(read_reply_pattern(wrong)) << wrong;
  }
}

TEST(Values, HintsNameTheNearestWordOrNothing) {
  const std::vector<std::string_view> known{"crash", "cut", "restart"};
  EXPECT_EQ(did_you_mean("crsah", known), "did you mean 'crash'?") << "neighbours swapped";
  EXPECT_EQ(did_you_mean("cit", known), "did you mean 'cut'?");
  EXPECT_EQ(did_you_mean("wipe", known), "");
  EXPECT_EQ(did_you_mean(std::string(5000, 'c'), known), "");
}

}  // namespace
}  // namespace kiwi::lab::script
