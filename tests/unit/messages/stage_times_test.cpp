// How long each part of a command's way took.

#include "messages/stage_times.hpp"

#include <gtest/gtest.h>

namespace kiwi {
namespace {

TEST(LatencyHistogram, OfNothingIsEmpty) {
  const auto f = LatencyHistogram().figures();
  EXPECT_EQ(f.count, 0u);
  EXPECT_EQ(f.p50 + f.p99 + f.p999 + f.max, 0u);
}

TEST(LatencyHistogram, SmallValuesAreExact) {
  LatencyHistogram h;
  for (std::uint64_t us : {0, 1, 1, 2, 7}) h.record(us);
  const auto f = h.figures();
  EXPECT_EQ(f.count, 5u);
  EXPECT_EQ(f.p50, 1u);
  EXPECT_EQ(f.p99, 7u);
  EXPECT_EQ(f.max, 7u);
}

TEST(LatencyHistogram, PercentilesAreAtMostAnEighthTooHighAndNeverTooLow) {
  for (std::uint64_t us = 1; us < 4'000'000'000; us += us / 3 + 1) {
    LatencyHistogram h;
    for (int i = 0; i < 99; ++i) h.record(us);
    h.record(5'000'000'000);
    const auto f = h.figures();
    EXPECT_GE(f.p50, us);
    EXPECT_LE(f.p50, us + us / 8) << us;
    EXPECT_EQ(f.p99, f.p50);
    EXPECT_EQ(f.max, 5'000'000'000u);
  }
}

TEST(LatencyHistogram, RanksCountFromBelow) {
  LatencyHistogram h;
  for (std::uint64_t i = 0; i < 1000; ++i) h.record(i < 500 ? 3 : i < 990 ? 5 : i < 999 ? 6 : 7);
  const auto f = h.figures();
  EXPECT_EQ(f.p50, 3u);
  EXPECT_EQ(f.p99, 5u);
  EXPECT_EQ(f.p999, 6u);
  EXPECT_EQ(f.max, 7u);
}

TEST(StageTimes, CountFromAMomentOfTheirClock) {
  std::uint64_t now = 100;
  StageTimes times([&now] { return now; });
  const auto since = times.now();
  now = 107;
  times.record_since(Stage::apply, since);
  times.record_since(Stage::sync, 200);  // a clock that went back
  EXPECT_EQ(times.figures(Stage::apply).max, 7u);
  EXPECT_EQ(times.figures(Stage::sync).count, 1u);
  EXPECT_EQ(times.figures(Stage::sync).max, 0u);
  EXPECT_EQ(times.figures(Stage::parse).count, 0u);
}

}  // namespace
}  // namespace kiwi
