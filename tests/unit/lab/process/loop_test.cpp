#include "lab/process/loop.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace kiwi::lab {
namespace {

using std::chrono::milliseconds;

TEST(Loop, a_timer_of_the_past_runs_in_the_next_step_and_is_not_late) {
  Loop loop;
  loop.step(loop.now() + milliseconds(200));
  bool ran = false;
  const auto before = loop.now();
  loop.at(Time{0}, [&] { ran = true; });
  loop.step(loop.now() + milliseconds(1));
  EXPECT_TRUE(ran);
  EXPECT_LE(loop.take_lateness(), loop.now() - before) << "nobody kept it waiting before it was asked for";
}

TEST(Loop, a_handler_that_took_its_time_can_be_forgiven) {
  for (const bool forgiven : {false, true}) {
    Loop loop;
    int ran = 0;
    loop.at(loop.now() + milliseconds(10), [&] { ++ran; });
    std::this_thread::sleep_for(milliseconds(150));
    const auto before = loop.now();
    if (forgiven) {
      loop.forgive();
    }
    loop.step(loop.now());
    EXPECT_EQ(ran, 1);
    const auto late = loop.take_lateness();
    if (forgiven) {
      EXPECT_LE(late, loop.now() - before);
    } else {
      EXPECT_GE(late, milliseconds(130));
    }
  }
}

TEST(Loop, timers_run_in_the_order_of_their_times_and_can_be_cancelled) {
  Loop loop;
  std::vector<int> order;
  const auto begin = loop.now();
  loop.at(begin + milliseconds(20), [&] { order.push_back(2); });
  loop.at(begin + milliseconds(10), [&] { order.push_back(1); });
  loop.cancel(loop.at(begin + milliseconds(15), [&] { order.push_back(3); }));
  while (loop.now() < begin + milliseconds(30)) {
    loop.step(begin + milliseconds(30));
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace kiwi::lab
