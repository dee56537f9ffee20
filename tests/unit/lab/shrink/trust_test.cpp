// What may not be believed: other failures, failures that come and go, failures that are no failures.

#include <set>

#include "lab/script/settings.hpp"
#include "toy.hpp"

namespace kiwi::lab {
namespace {

using namespace std::chrono_literals;

ShrinkOptions with(RunTrials run) {
  ShrinkOptions options;
  options.run = std::move(run);
  return options;
}

TEST(ShrinkTrust, AScriptThatPassesCannotBeShrunk) {
  const auto result = shrink(scenario_of(hundred_lines()), with(toy([](const auto&) { return false; })));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().find("does not fail"), std::string::npos);
}

TEST(ShrinkTrust, AScriptThatFailsOnlyOnceCannotBeShrunk) {
  int runs = 0;
  const auto result =
      shrink(scenario_of(hundred_lines()), with(toy([&](const auto&) { return runs++ == 0; })));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().find("twice"), std::string::npos);
}

TEST(ShrinkTrust, AnotherCheckIsAnotherFailure) {
  // Without the pause it fails as well, by another invariant.
  const auto run = one_by_one(
      [](const script::Scenario& s) { return count(s, "pause") > 0 ? failing() : failing("invariant:8"); });
  const Shrunk result = shrunk(hundred_lines(), run);
  EXPECT_EQ(result.verdict.check, kCheck);
  EXPECT_EQ(count(result.scenario, "pause"), 1u);
}

TEST(ShrinkTrust, UnknownAndVacuousAreNoFailures) {
  const auto run = one_by_one([](const script::Scenario& s) -> Trial {
    if (count(s, "pause") > 0) {
      return failing();
    }
    return {{count(s, "cut") > 0 ? Outcome::unknown : Outcome::vacuous, kCheck, ""}, 1s};
  });
  EXPECT_EQ(count(shrunk(hundred_lines(), run).scenario, "pause"), 1u);
}

TEST(ShrinkTrust, AFailureThatDoesNotComeAgainIsNotBelieved) {
  // Whatever has lost its crashes fails the first time it is run, and never again.
  std::set<std::string> seen;
  const auto run = one_by_one([&](const script::Scenario& s) {
    const bool first = seen.insert(script::to_text(s)).second;
    return count(s, "crash") > 0 || first ? failing() : passing();
  });
  EXPECT_EQ(count(shrunk(hundred_lines(), run).scenario, "crash"), 1u);
}

TEST(ShrinkTrust, AFailureThatNeedsACoincidenceIsFoundWithAnotherSeed) {
  // With its own seed it needs every line, for all that follows one happens otherwise without it.
  const auto run = toy([](const script::Scenario& s) {
    const bool own_seed = script::cluster_settings(s).seed != 8;
    return count(s, "pause") > 0 && (!own_seed || s.actions.size() == 100);
  });
  ShrinkOptions own_seed_only;
  own_seed_only.other_seeds = 0;
  EXPECT_GT(shrunk(hundred_lines(), run, own_seed_only).after.lines, 12u);
  const Shrunk result = shrunk(hundred_lines(), run);
  EXPECT_LE(result.after.lines, 12u) << result.text;
  EXPECT_EQ(result.verdict.check, kCheck);
  EXPECT_EQ(count(result.scenario, "pause"), 1u);
  EXPECT_NE(result.text.find("# Seed 8."), std::string::npos) << result.text;
}

TEST(ShrinkTrust, AnExpectationThatFailsWithoutFaultsTellsNothing) {
  // Nobody wrote the key: it fails, too, and not for what the script did.
  const std::string text =
      "scenario s\ncluster nodes=3\n! 1.000000s do SET k v\n! 2.000000s crash n1\n! 3.000000s restart n1\n"
      "at 4s expect key k = v\n";
  const auto run = one_by_one([](const script::Scenario& s) {
    const bool written = count(s, "do") > 0;
    const bool asked = !s.blocks.empty();
    return asked && (!written || count(s, "crash") > 0) ? failing("key k = v") : passing();
  });
  const Shrunk result = shrunk(text, run);
  EXPECT_EQ(count(result.scenario, "do"), 1u) << result.text;
  EXPECT_EQ(count(result.scenario, "crash"), 1u) << result.text;
}

TEST(ShrinkTrust, AnExpectationIsNotBrokenByAFaultThatNothingEndsAnyMore) {
  const std::string text =
      "scenario s\ncluster nodes=3\n! 1.000000s cut n1 -> n2,n3\n! 1.500000s crash n3\n! 2.000000s heal n1\n"
      "! 2.500000s restart n3\nat 4s expect leader\n";
  // The crash breaks it; so would a cut that is never healed.
  const auto run = one_by_one([](const script::Scenario& s) {
    const bool cut_for_good = count(s, "cut") > 0 && count(s, "heal") == 0;
    return !s.blocks.empty() && (count(s, "crash") > 0 || cut_for_good) ? failing("leader") : passing();
  });
  const Shrunk result = shrunk(text, run);
  EXPECT_EQ(count(result.scenario, "crash"), 1u) << result.text;
  EXPECT_EQ(count(result.scenario, "restart"), 1u) << result.text;
  EXPECT_EQ(count(result.scenario, "cut"), 0u) << result.text;
}

TEST(ShrinkTrust, TheSameScriptComesOutHoweverManyRunAtATime) {
  const auto broken = [](const script::Scenario& s) {
    // A ragged rule, so that the order of tries matters.
    std::uint64_t sum = 0;
    for (const script::Action& action : s.actions) {
      sum += static_cast<std::uint64_t>(action.at / 100ms) % 7 + action.verb.size();
    }
    return count(s, "crash") > 0 && count(s, "cut") > 0 && (sum % 3 == 0 || s.actions.size() > 40);
  };
  const Shrunk one =
      shrunk(hundred_lines(), toy([&](const auto& s) { return broken(s) || size_of(s).lines == 100; }));
  for (const std::size_t width : {2u, 3u, 8u}) {
    ShrinkOptions options;
    options.width = width;
    const Shrunk more = shrunk(
        hundred_lines(), toy([&](const auto& s) { return broken(s) || size_of(s).lines == 100; }), options);
    EXPECT_EQ(more.text, one.text) << "width " << width;
  }
}

TEST(ShrinkTrust, NothingIsTriedTwiceExceptToConfirm) {
  std::map<std::string, int> runs;
  shrunk(hundred_lines(), one_by_one([&](const script::Scenario& s) {
           ++runs[script::to_text(s)];
           return count(s, "crash") > 0 && count(s, "pause", 2) > 0 ? failing() : passing();
         }));
  for (const auto& [text, times] : runs) {
    EXPECT_LE(times, 2) << text;
  }
}

TEST(ShrinkTrust, WhenTimeIsUpTheBestSoFarIsGiven) {
  std::uint64_t runs = 0;
  ShrinkOptions options;
  options.stop = [&] { return runs > 30; };
  const Shrunk result =
      shrunk(hundred_lines(), one_by_one([&](const script::Scenario& s) {
               ++runs;
               return count(s, "crash") > 0 && count(s, "pause", 2) > 0 ? failing() : passing();
             }),
             options);
  EXPECT_FALSE(result.finished);
  EXPECT_LT(runs, 36u);
  EXPECT_LT(result.after.lines, 100u);
  EXPECT_GT(count(result.scenario, "crash"), 0u);
  EXPECT_NE(result.text.find("no time"), std::string::npos);
}

TEST(ShrinkTrust, TheFileIsTheScenarioAndSaysWhatFailed) {
  const Shrunk result = shrunk(hundred_lines(), toy([](const auto& s) { return count(s, "crash") > 0; }));
  EXPECT_EQ(scenario_of(result.text), [&] {
    script::Scenario scenario = result.scenario;
    scenario.files = {"toy.scenario"};
    return scenario;
  }());
  EXPECT_NE(result.text.find("# What fails: invariant:7"), std::string::npos) << result.text;
  EXPECT_NE(result.text.find("Seed 3"), std::string::npos);
  EXPECT_NE(result.text.find("kiwi-fault replay"), std::string::npos);
}

TEST(ShrinkTrust, ScriptsThatAreNotLoweredAreRefused) {
  EXPECT_EQ(why_not_lowered(scenario_of(hundred_lines())), "");
  EXPECT_NE(why_not_lowered(scenario_of("scenario s\ncluster nodes=3\nat 1s crash leader\n")), "");
  EXPECT_NE(why_not_lowered(scenario_of("scenario s\ncluster nodes=3\nat 1s fuzz 5s faults { crash 1 }\n")),
            "");
}

}  // namespace
}  // namespace kiwi::lab
