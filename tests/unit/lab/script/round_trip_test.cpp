// What is written reads back as what it was.

#include "lab/script/explain.hpp"
#include "lab/script/format.hpp"
#include "lab/script/lower.hpp"
#include "lab/script/verbs.hpp"
#include "tests/unit/lab/script/random_script.hpp"
#include "tests/unit/lab/script/script_testing.hpp"

namespace kiwi::lab::script {
namespace {

TEST(RoundTrip, RandomScenarios) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Scenario scenario = RandomScript(seed).scenario();
    const std::string text = to_text(scenario);
    const auto again = parse(source_of(text));
    ASSERT_TRUE(again.has_value()) << "seed " << seed << "\n" << to_string(again.error()) << text;
    ASSERT_TRUE(*again == scenario) << "seed " << seed << "\n" << text << "\nread as\n" << to_text(*again);
    const auto tidy = fmt(source_of(text));
    ASSERT_TRUE(tidy.has_value()) << "seed " << seed << "\n" << to_string(tidy.error()) << text;
    ASSERT_EQ(*tidy, text) << "seed " << seed << ": to_text() writes the canonical form";
    ASSERT_FALSE(explain(scenario).empty());
  }
}

TEST(RoundTrip, RandomActions) {
  RandomScript random(42);
  for (int i = 0; i < 20000; ++i) {
    const Action action = random.action();
    ASSERT_EQ(wrong_action(action), "");
    const std::string line = lower(action);
    const auto again = read_lowered(line);
    ASSERT_TRUE(again.has_value()) << to_string(again.error());
    ASSERT_TRUE(*again == action) << line << "\nread as\n" << lower(*again);
  }
}

TEST(RoundTrip, LoweredLinesReadLikeTheDesign) {
  Action cut{.at = std::chrono::seconds(2),
             .verb = "cut",
             .nodes = {NodeId(1)},
             .to = {NodeId(2), NodeId(3)},
             .both_ways = false,
             .words = {},
             .options = {},
             .line = 0};
  EXPECT_EQ(lower(cut), "! 2.000000s  cut n1 -> n2,n3");
  cut.both_ways = true;
  cut.line = 12;
  EXPECT_EQ(lower(cut), "! 2.000000s  cut n1 <-> n2,n3  # line 12");
  const Action power{.at = std::chrono::seconds(4),
                     .verb = "power-fail",
                     .nodes = {NodeId(1)},
                     .to = {},
                     .both_ways = false,
                     .words = {"torn"},
                     .options = {{"keep", "sectors:0,1 of write 3181"}},
                     .line = 0};
  EXPECT_EQ(lower(power), "! 4.000000s  power-fail n1 torn keep=\"sectors:0,1 of write 3181\"");
}

TEST(RoundTrip, WrongActionsAreNoticed) {
  const auto wrong = [](std::string verb, std::vector<NodeId> nodes, std::vector<std::string> words) {
    return wrong_action({.at = Time(0),
                         .verb = std::move(verb),
                         .nodes = std::move(nodes),
                         .to = {},
                         .both_ways = false,
                         .words = std::move(words),
                         .options = {},
                         .line = 0});
  };
  EXPECT_EQ(wrong("crush", {}, {}), "unknown verb 'crush'");
  EXPECT_EQ(wrong("crash", {}, {}), "crash: takes nodes");
  EXPECT_EQ(wrong("crash", {NodeId(2), NodeId(1)}, {}), "crash: nodes must ascend, from n1 to n99");
  EXPECT_EQ(wrong("crash", {NodeId(1)}, {"now"}), "crash: 'now' is too much");
  EXPECT_EQ(wrong("start", {}, {}), "start: takes the name of a load");
  EXPECT_EQ(wrong("cut", {NodeId(1)}, {}), "cut: takes a link");
  EXPECT_EQ(wrong("clock-rate", {NodeId(1)}, {"fast"}), "clock-rate: 'rate' must be a number such as 1.05");
}

}  // namespace
}  // namespace kiwi::lab::script
