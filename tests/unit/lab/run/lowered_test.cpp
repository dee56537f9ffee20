// A run writes itself down as a script that gives the same run again.

#include "lab/script/format.hpp"
#include "lab/script/verbs.hpp"
#include "runs.hpp"

namespace kiwi::lab {
namespace {

constexpr const char* kStory = R"(scenario leader_lost
cluster nodes=5 seed=9
load L1 clients=4 keys=5 rate=200/s mix="get 50, set 40, incr 10" timeout=500ms

at 0s   start L1
at 2s   let old = leader
        let keep = one followers
        cut old -> others except keep
        expect within 2s leader != old
        after 300ms heal all
        crash 1 of followers
        do SET here you-are -> OK
        expect key here = you-are
at 6s   every 500ms for 2s  pause one followers
        resume all
        restart down
at 8s   fuzz 10s faults { crash 3, cut 3, pause 2, swizzle 1 } lasts=200ms..1s
at 20s  stop L1
always  leaders <= 2
finally linearizable(L1), fired(cut, crash)
)";

TEST(Lowered, TheReplayIsTheSameRun) {
  const RunRecord first = run_text(kStory);
  ASSERT_EQ(first.verdict.outcome, Outcome::pass) << first.verdict.check << ": " << first.verdict.why;
  const RunRecord replay = run_text(first.lowered);
  EXPECT_EQ(replay.verdict.outcome, Outcome::pass) << replay.verdict.why;
  EXPECT_EQ(replay.trace_hash, first.trace_hash);
  EXPECT_EQ(replay.ended, first.ended);
  EXPECT_EQ(replay.history.operations(), first.history.operations());
  EXPECT_EQ(replay.lowered, first.lowered);
}

TEST(Lowered, TwiceIsTheSameAndAnotherSeedIsNot) {
  const RunRecord first = run_text(kStory);
  EXPECT_EQ(run_text(kStory).trace_hash, first.trace_hash);
  std::string other = kStory;
  other.replace(other.find("seed=9"), 6, "seed=8");
  EXPECT_NE(run_text(other).trace_hash, first.trace_hash);
}

TEST(Lowered, EverythingIsConcrete) {
  const RunRecord record = run_text(kStory);
  const auto scenario = script::parse({"replay", record.lowered});
  ASSERT_TRUE(scenario) << script::to_string(scenario.error());
  EXPECT_GT(scenario->actions.size(), 20u);
  for (const script::Action& action : scenario->actions) {
    EXPECT_EQ(script::wrong_action(action), "");
  }
  EXPECT_EQ(record.lowered.find("old"), std::string::npos);
}

TEST(Lowered, AFailureFailsAgainByTheSameCheck) {
  const std::string text =
      "scenario s\ncluster nodes=3\nload L1 rate=closed\nat 0s  start L1\nat 1s  let old = leader\n        "
      "crash old\n"
      "        expect within 100ms leader != old\n";
  const RunRecord first = run_text(text);
  ASSERT_EQ(first.verdict.outcome, Outcome::fail);
  const RunRecord replay = run_text(first.lowered);
  EXPECT_EQ(replay.verdict.outcome, Outcome::fail);
  EXPECT_EQ(replay.verdict.check, first.verdict.check);
  EXPECT_EQ(replay.trace_hash, first.trace_hash);
}

TEST(Lowered, DetailChangesNothing) {
  RunOptions detail;
  detail.detail = true;
  const RunRecord first = run_text(kStory);
  const RunRecord second = run_text(kStory, {}, detail);
  EXPECT_EQ(first.trace_hash, second.trace_hash);
  EXPECT_TRUE(first.views.empty());
  EXPECT_FALSE(second.views.empty());
}

}  // namespace
}  // namespace kiwi::lab
