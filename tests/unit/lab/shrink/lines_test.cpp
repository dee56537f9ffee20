// Which lines are left: the toys have known cores.

#include "toy.hpp"

namespace kiwi::lab {
namespace {

using namespace std::chrono_literals;

TEST(ShrinkLines, AHundredLinesComeDownToTheOneThatMatters) {
  const std::string text = hundred_lines();
  ASSERT_EQ(size_of(scenario_of(text)).lines, 100u);
  const Shrunk result = shrunk(text, toy([](const auto& s) { return count(s, "cut") >= 1; }));
  EXPECT_TRUE(result.finished);
  ASSERT_EQ(result.after.lines, 1u) << result.text;
  EXPECT_EQ(result.scenario.actions[0].verb, "cut");
  EXPECT_EQ(result.before.lines, 100u);
  EXPECT_LT(result.tries, 200u);
}

TEST(ShrinkLines, APairThatMustCoincideStays) {
  // A crash of n3 while n1 is cut off: both lines, and nothing between them heals the cut.
  const auto broken = [](const script::Scenario& s) {
    bool cut = false;
    for (const script::Action& action : s.actions) {
      cut = action.verb == "cut" || (cut && action.verb != "heal");
      if (cut && action.verb == "crash") {
        return true;
      }
    }
    return false;
  };
  std::string text = hundred_lines();
  text.insert(text.find("! 30.123456s"), "! 29.950000s  cut n1 -> n2\n! 29.960000s  crash n3\n");
  const Shrunk result = shrunk(text, toy(broken));
  ASSERT_EQ(result.after.lines, 2u) << result.text;
  EXPECT_EQ(result.scenario.actions[0].verb, "cut");
  EXPECT_EQ(result.scenario.actions[1].verb, "crash");
}

TEST(ShrinkLines, AHealingThatMattersStaysBesideItsFault) {
  const auto broken = [](const script::Scenario& s) {
    bool crashed = false;
    for (const script::Action& action : s.actions) {
      crashed = crashed || action.verb == "crash";
      if (crashed && action.verb == "restart") {
        return true;
      }
    }
    return false;
  };
  const Shrunk result = shrunk(hundred_lines(), toy(broken));
  ASSERT_EQ(result.after.lines, 2u) << result.text;
  EXPECT_EQ(result.scenario.actions[0].verb, "crash");
  EXPECT_EQ(result.scenario.actions[1].verb, "restart");
}

TEST(ShrinkLines, LinesThatOnlyGoTogetherGoTogether) {
  // A load that runs to the end without being stopped hides the failure: start and stop go as a pair.
  const auto broken = [](const script::Scenario& s) {
    return count(s, "crash", 2) >= 1 && count(s, "start") == count(s, "stop");
  };
  const Shrunk result = shrunk(
      "scenario s\ncluster nodes=3 run=9s\nload L1 clients=2\nload L2 clients=2\n"
      "! 0.000000s start L1\n! 0.500000s note hello\n! 1.000000s crash n2\n! 2.000000s stop L1\n"
      "at 3s expect leader\n",
      toy(broken));
  EXPECT_EQ(result.after.lines, 1u) << result.text;
  EXPECT_EQ(result.after.loads, 0u);
}

TEST(ShrinkLines, WhatComesAfterTheFailureIsCutOffFirst) {
  const auto run = one_by_one(
      [](const script::Scenario& s) { return count(s, "crash") > 0 ? failing(kCheck, 5s) : passing(); });
  std::vector<ShrinkStep> steps;
  ShrinkOptions options;
  options.accepted = [&](const ShrinkStep& step) { steps.push_back(step); };
  shrunk(hundred_lines(), run, options);
  ASSERT_FALSE(steps.empty());
  EXPECT_EQ(steps.front().what, "nothing after the failure");
  EXPECT_EQ(steps.front().size.lines, 9u);
}

TEST(ShrinkLines, EveryStepIsSmallerOrSimplerAndTellsHowMuchIsLeft) {
  std::vector<ShrinkStep> steps;
  ShrinkOptions options;
  options.accepted = [&](const ShrinkStep& step) { steps.push_back(step); };
  const Shrunk result =
      shrunk(hundred_lines(), toy([](const auto& s) { return count(s, "pause", 4) >= 1; }), options);
  ASSERT_GE(steps.size(), 2u);
  for (std::size_t i = 1; i < steps.size(); ++i) {
    EXPECT_LE(steps[i].size.lines, steps[i - 1].size.lines);
    EXPECT_LE(steps[i].size.nodes, steps[i - 1].size.nodes);
    EXPECT_GT(steps[i].tries, steps[i - 1].tries);
  }
  EXPECT_EQ(steps.back().size, result.after);
}

TEST(ShrinkLines, ChecksThatDidNotFailAreLeftOut) {
  const Shrunk result = shrunk(hundred_lines(), toy([](const auto& s) { return count(s, "crash") >= 1; }));
  EXPECT_TRUE(result.scenario.finally.empty());
}

}  // namespace
}  // namespace kiwi::lab
