#include "lab/run/timeline.hpp"

#include <gtest/gtest.h>

#include <string>

namespace kiwi::lab {
namespace {

TEST(Timeline, ScriptBeforeLoadsThenInTheOrderOfPlanning) {
  Timeline timeline;
  std::string fired;
  timeline.plan(Time{5}, [&] { fired += "a"; });
  timeline.plan(Time{5}, [&] { fired += "b"; });
  timeline.plan(
      Time{5}, [&] { fired += "S"; }, Timeline::Lane::script);
  timeline.plan(Time{4}, [&] { fired += "0"; });
  while (timeline.fire_one(Time{5})) {
  }
  EXPECT_EQ(fired, "0Sab");
}

TEST(Timeline, NothingFiresBeforeItsTimeAndNothingThatWasCancelled) {
  Timeline timeline;
  int fired = 0;
  const auto id = timeline.plan(Time{5}, [&] { ++fired; });
  timeline.plan(Time{7}, [&] { ++fired; });
  EXPECT_FALSE(timeline.fire_one(Time{4}));
  timeline.cancel(id);
  timeline.cancel(id);
  EXPECT_FALSE(timeline.fire_one(Time{6}));
  EXPECT_EQ(timeline.next(), Time{7});
  EXPECT_TRUE(timeline.fire_one(Time{7}));
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(timeline.next(), std::nullopt);
}

TEST(Timeline, AnEventMayPlanAnotherForTheSameMoment) {
  Timeline timeline;
  std::string fired;
  timeline.plan(Time{5}, [&] {
    fired += "a";
    timeline.plan(Time{5}, [&] { fired += "c"; });
  });
  timeline.plan(Time{5}, [&] { fired += "b"; });
  while (timeline.fire_one(Time{5})) {
  }
  EXPECT_EQ(fired, "abc");
}

}  // namespace
}  // namespace kiwi::lab
