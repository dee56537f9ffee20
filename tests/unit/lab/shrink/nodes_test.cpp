// Fewer nodes under new numbers, simpler lines, roles.

#include "lab/script/settings.hpp"
#include "toy.hpp"

namespace kiwi::lab {
namespace {

std::uint64_t nodes(const script::Scenario& scenario) { return script::cluster_settings(scenario).nodes; }

TEST(ShrinkNodes, ThoseThatAreLeftAreNumberedAnew) {
  // n4 and n5 matter, under whatever names: a cut from the last but one to the last.
  const auto broken = [](const script::Scenario& s) {
    for (const script::Action& action : s.actions) {
      if (action.verb == "cut" && action.nodes.back() + 1 == action.to.front()) {
        return nodes(s) >= 3;
      }
    }
    return false;
  };
  const Shrunk result = shrunk(
      "scenario s\ncluster nodes=5\n! 1.000000s crash n2\n! 2.000000s cut n4 -> n5\n! 3.000000s heal n4\n",
      toy(broken));
  EXPECT_EQ(result.after.nodes, 3u) << result.text;
  ASSERT_EQ(result.after.lines, 1u);
  EXPECT_EQ(result.scenario.actions[0].nodes.front() + 1, result.scenario.actions[0].to.front());
  EXPECT_LE(result.scenario.actions[0].to.front(), NodeId(3));
}

TEST(ShrinkNodes, TheTextOfTheCheckFollowsTheNewNumbers) {
  // The check names n4; in three nodes it is another one, and still the same check.
  const auto run = one_by_one([](const script::Scenario& s) -> Trial {
    if (s.blocks.empty() || count(s, "crash") == 0) {
      return passing();
    }
    return failing(script::to_text(std::get<script::Expect>(s.blocks[0].body[0].value)));
  });
  const Shrunk result =
      shrunk("scenario s\ncluster nodes=5\n! 1.000000s crash n4\nat 2s expect within 1s leader != n4\n", run);
  EXPECT_LT(result.after.nodes, 5u) << result.text;
  EXPECT_EQ(result.after.lines, 2u);
  const std::string node = "n" + to_string(result.scenario.actions[0].nodes[0]);
  EXPECT_EQ(result.verdict.check,
            script::to_text(std::get<script::Expect>(result.scenario.blocks[0].body[0].value)));
  EXPECT_NE(result.text.find("What fails: " + result.verdict.check), std::string::npos);
}

TEST(ShrinkNodes, ACutBecomesOneWayAndATornTailALostOne) {
  const auto broken = [](const script::Scenario& s) {
    bool cut = false;
    bool lost = false;
    for (const script::Action& action : s.actions) {
      cut = cut || (action.verb == "cut" && action.nodes == std::vector{NodeId(1)} &&
                    std::find(action.to.begin(), action.to.end(), NodeId(3)) != action.to.end());
      lost = lost || (action.verb == "power-fail" && action.nodes == std::vector{NodeId(2)});
    }
    return cut && lost && nodes(s) == 5;
  };
  const Shrunk result = shrunk(
      "scenario s\ncluster nodes=5 disk=hostile\n! 1.000000s cut n1 <-> n2,n3,n4\n"
      "! 2.000000s power-fail n2 torn\n! 3.000000s heal n1 <-> n2,n3,n4\n",
      toy(broken));
  EXPECT_EQ(lines_of(result.scenario), (std::vector<std::string>{script::lower(result.scenario.actions[0]),
                                                                 script::lower(result.scenario.actions[1])}));
  EXPECT_FALSE(result.scenario.actions[0].both_ways);
  EXPECT_EQ(result.scenario.actions[0].to, std::vector{NodeId(3)});
  EXPECT_TRUE(result.scenario.actions[1].words.empty());
  EXPECT_EQ(script::cluster_settings(result.scenario).disk, script::DiskProfile::exact);
}

TEST(ShrinkNodes, ADiskThatMattersStaysAsMildAsItMay) {
  const auto broken = [](const script::Scenario& s) {
    return script::cluster_settings(s).disk != script::DiskProfile::exact && count(s, "power-fail") > 0;
  };
  const Shrunk result =
      shrunk("scenario s\ncluster nodes=3 disk=hostile\n! 2.000000s power-fail n2 torn\n", toy(broken));
  EXPECT_EQ(script::cluster_settings(result.scenario).disk, script::DiskProfile::ordered);
}

TEST(ShrinkNodes, NoiseIsTakenAwayOrNarrowed) {
  const auto crash = [](const script::Scenario& s) { return count(s, "crash") > 0; };
  const std::string text = "scenario s\ncluster nodes=3 run=10s\n! 2.000000s crash n2\n";
  const Shrunk without = shrunk(text, toy(crash));
  ASSERT_TRUE(without.scenario.noise);
  EXPECT_TRUE(without.scenario.noise->empty());

  using namespace std::chrono_literals;
  const auto noisy = [&](const script::Scenario& s) {
    // Noise matters at 4.25 s.
    const bool then =
        !s.noise || (!s.noise->empty() && s.noise->front().from <= 4250ms && s.noise->front().to > 4250ms);
    return crash(s) && then;
  };
  const Shrunk narrow = shrunk(text, one_by_one([&](const script::Scenario& s) {
                                 return noisy(s) ? failing(kCheck, 10s) : passing();
                               }));
  ASSERT_TRUE(narrow.scenario.noise);
  ASSERT_EQ(narrow.scenario.noise->size(), 1u);
  EXPECT_LE(narrow.scenario.noise->front().to - narrow.scenario.noise->front().from, 100ms);
}

TEST(ShrinkNodes, ADefectOfEverySeedIsToldByRoles) {
  const Shrunk result = shrunk(
      "scenario s\ncluster nodes=3 seed=5\n! 2.000000s crash n2\n! 3.000000s restart n2\n",
      toy([](const script::Scenario& s) { return script::to_text(s).find("crash") != std::string::npos; }));
  EXPECT_TRUE(result.roles);
  EXPECT_NE(result.text.find("let a = leader"), std::string::npos) << result.text;
  EXPECT_NE(result.text.find("crash a"), std::string::npos);
}

TEST(ShrinkNodes, ADefectOfOneSeedKeepsItsNodes) {
  const Shrunk result = shrunk(
      "scenario s\ncluster nodes=3 seed=5\n! 2.000000s crash n2\n", toy([](const script::Scenario& s) {
        return script::to_text(s).find("crash") != std::string::npos && script::cluster_settings(s).seed < 20;
      }));
  EXPECT_FALSE(result.roles);
  EXPECT_EQ(result.scenario.actions.size(), 1u);
}

}  // namespace
}  // namespace kiwi::lab
