#include "lab/report/text.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "lab/report/axis.hpp"

namespace kiwi::lab::report {
namespace {

using namespace std::chrono_literals;

TEST(Escape, LeavesNoCharacterThatHtmlReads) {
  EXPECT_EQ(escape("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
}

TEST(Escape, KeepsTextOfAnyLanguage) {
  EXPECT_EQ(escape("gr\u00fc\u00df \u732b \U0001F95D"), "gr\u00fc\u00df \u732b \U0001F95D");
}

TEST(Escape, ShowsBytesThatAreNoTextAndCharactersThatDeceive) {
  EXPECT_EQ(escape(std::string_view("a\0b\x1b[0m", 7)), "a\\x00b\\x1b[0m");
  EXPECT_EQ(escape("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");
  EXPECT_EQ(escape("\xe2\x82"), "\\xe2\\x82") << "the end of the text is not the end of the character";
  EXPECT_EQ(escape("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half a surrogate pair";
  EXPECT_EQ(escape("a\u202eb"), "a\\u202eb") << "would turn the direction of writing";
}

TEST(ScriptJson, CannotEndItsElement) {
  const nlohmann::json json = {"</script>", "<!--", "\u2028", "\xff"};
  const std::string text = script_json(json);
  EXPECT_EQ(text.find('<'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(text).at(0), "</script>");
}

TEST(Fill, NeverReadsPlacesInValues) {
  EXPECT_EQ(fill("<{{a}}|{{b}}>", {{"a", "{{b}}"}, {"b", "x"}}), "<{{b}}|x>");
}

TEST(FillDeathTest, WantsAValueForEveryPlace) { EXPECT_DEATH(fill("{{a}}", {}), "value"); }

TEST(Shortened, CutsBetweenCharacters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc...");
  EXPECT_EQ(shortened("a\u732bb", 2), "a...");
}

TEST(Texts, AreShortAndExact) {
  EXPECT_EQ(seconds_text(4214ms), "4.214 s");
  EXPECT_EQ(seconds_text(131us), "0.000131 s");
  EXPECT_EQ(duration_text(1300us), "1.3 ms");
  EXPECT_EQ(duration_text(12s), "12 s");
  EXPECT_EQ(duration_text(0ns), "0 us");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(decimal(-0.0001, 1), "0");
}

TEST(Axis, PlacesTimesAndMovesThoseOutsideToItsEnds) {
  const Axis axis(0s, 10s);
  EXPECT_EQ(axis.x(5s), kWidth / 2);
  EXPECT_EQ(axis.fraction(-1s), 0);
  EXPECT_EQ(axis.fraction(11s), 1);
  EXPECT_EQ(Axis(0s, 0s).fraction(0s), 0) << "a run of no length is no division by zero";
}

TEST(Axis, ChoosesRoundSteps) {
  EXPECT_DOUBLE_EQ(tick_step(60, 8), 10);
  EXPECT_DOUBLE_EQ(tick_step(0.9, 8), 0.2);
  EXPECT_GT(tick_step(0, 8), 0);
}

}  // namespace
}  // namespace kiwi::lab::report
