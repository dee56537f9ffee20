// Round times in the same order.

#include "lab/script/values.hpp"
#include "toy.hpp"

namespace kiwi::lab {
namespace {

using namespace std::chrono_literals;

Time time_of(const script::Scenario& scenario, std::string_view verb) {
  for (const script::Action& action : scenario.actions) {
    if (action.verb == verb) {
      return action.at;
    }
  }
  return Time{-1};
}

/// Crash, then pause, then cut, at different times.
bool in_order(const script::Scenario& s) {
  return time_of(s, "crash") >= Time{0} && time_of(s, "crash") < time_of(s, "pause") &&
         time_of(s, "pause") < time_of(s, "cut");
}

constexpr const char* kCrowded =
    "scenario s\ncluster nodes=3 run=9s\n! 4.012345s crash n1\n! 4.023456s pause n2\n"
    "! 4.034567s cut n3 -> n1\n";

TEST(ShrinkTimes, LinesCloseTogetherStayInTheirOrder) {
  const Shrunk result = shrunk(kCrowded, toy(in_order));
  ASSERT_EQ(result.after.lines, 3u);
  EXPECT_TRUE(in_order(result.scenario)) << result.text;
  for (const script::Action& action : result.scenario.actions) {
    EXPECT_EQ(action.at % 10ms, Time{0}) << result.text;
  }
}

TEST(ShrinkTimes, AMomentThatMattersIsKeptAndTheOthersAreRounded) {
  const auto broken = [](const script::Scenario& s) {
    return in_order(s) && time_of(s, "pause") == Time(4023456us);
  };
  const Shrunk result = shrunk(kCrowded, toy(broken));
  EXPECT_EQ(time_of(result.scenario, "pause"), Time(4023456us)) << result.text;
  EXPECT_EQ(time_of(result.scenario, "crash") % 10ms, Time{0}) << result.text;
  EXPECT_EQ(time_of(result.scenario, "cut") % 10ms, Time{0}) << result.text;
}

TEST(ShrinkTimes, LinesOfOneMomentStayTogether) {
  const auto broken = [](const script::Scenario& s) {
    return time_of(s, "crash") >= Time(1s) && time_of(s, "crash") == time_of(s, "pause");
  };
  const Shrunk result =
      shrunk("scenario s\ncluster nodes=3 run=9s\n! 4.012345s crash n1\n! 4.012345s pause n2\n", toy(broken));
  ASSERT_EQ(result.after.lines, 2u);
  EXPECT_EQ(time_of(result.scenario, "crash"), Time(1s)) << result.text;
}

TEST(ShrinkTimes, LongWaitsAreShortened) {
  const auto broken = [](const script::Scenario& s) {
    const Time crash = time_of(s, "crash");
    const Time pause = time_of(s, "pause");
    return crash >= Time{0} && pause >= Time{0} && pause - crash >= Time(400ms);
  };
  const Shrunk result = shrunk(
      "scenario s\ncluster nodes=3 run=60s\n! 20.000000s crash n1\n! 50.000000s pause n2\n", toy(broken));
  EXPECT_EQ(time_of(result.scenario, "pause") - time_of(result.scenario, "crash"), Time(500ms))
      << result.text;
  EXPECT_LT(time_of(result.scenario, "crash"), Time(1s));
}

TEST(ShrinkTimes, AnExpectationStaysBehindTheLineItFollows) {
  const auto run = one_by_one([](const script::Scenario& s) -> Trial {
    const bool after =
        !s.blocks.empty() && count(s, "crash") > 0 && s.blocks[0].when.time > time_of(s, "crash");
    return after ? failing("leader") : passing();
  });
  const Shrunk result =
      shrunk("scenario s\ncluster nodes=3\n! 2.511111s crash n1\nat 2511112us expect leader\n", run);
  EXPECT_EQ(result.after.lines, 2u);
  EXPECT_GT(result.scenario.blocks[0].when.time, time_of(result.scenario, "crash")) << result.text;
}

}  // namespace
}  // namespace kiwi::lab
