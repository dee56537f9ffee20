// How much the clients still do.

#include "lab/script/settings.hpp"
#include "lab/script/values.hpp"
#include "toy.hpp"

namespace kiwi::lab {
namespace {

std::uint64_t number(const script::Scenario& scenario, const char* key, std::uint64_t fallback) {
  if (scenario.loads.empty()) {
    return 0;
  }
  const auto options = script::load_options(scenario.loads.front());
  const auto found = options.find(key);
  return found == options.end() ? fallback : script::read_number(found->second).value_or(0);
}

constexpr const char* kTwoLoads =
    "scenario s\ncluster nodes=3 run=9s floor=500\n"
    "load L1 clients=12 keys=40 ops=3000 pipeline=4 mix=\"get 40, set 30, incr 15, del 5\" rate=400/s\n"
    "load L2 clients=3 keys=4\n"
    "! 0.000000s start L1\n! 0.100000s start L2\n! 1.000000s crash n2\n! 2.000000s stop L2\n"
    "finally linearizable(L1), linearizable(L2)\n";

TEST(ShrinkLoads, TheSmallestNumberOfOperationsIsFound) {
  const auto broken = [](const script::Scenario& s) {
    return count(s, "start") > 0 && number(s, "ops", 100'000) >= 37;
  };
  const Shrunk result = shrunk(kTwoLoads, toy(broken));
  ASSERT_EQ(result.after.loads, 1u) << result.text;
  EXPECT_EQ(number(result.scenario, "ops", 100'000), 37u);
}

TEST(ShrinkLoads, ClientsAndKeysThatMatterStay) {
  const auto broken = [](const script::Scenario& s) {
    return number(s, "clients", 8) >= 5 && number(s, "keys", 10) >= 3 && count(s, "crash") > 0;
  };
  const Shrunk result = shrunk(kTwoLoads, toy(broken));
  EXPECT_EQ(result.after.clients, 5u) << result.text;
  EXPECT_EQ(result.after.keys, 3u);
  EXPECT_EQ(number(result.scenario, "pipeline", 1), 1u);
}

TEST(ShrinkLoads, OfTheMixOnlyWhatMattersStays) {
  const auto broken = [](const script::Scenario& s) {
    const auto options =
        s.loads.empty() ? std::map<std::string, std::string>() : script::load_options(s.loads.front());
    const auto mix = options.find("mix");
    return mix != options.end() && mix->second.find("incr") != std::string::npos;
  };
  const Shrunk result = shrunk(kTwoLoads, toy(broken));
  ASSERT_EQ(result.after.loads, 1u);
  EXPECT_EQ(script::load_options(result.scenario.loads.front()).at("mix"),
            script::write_weights({{"incr", 1}}));
}

TEST(ShrinkLoads, ALoadThatAnExpectationNamesIsNotTornOutFromUnderIt) {
  // The script would not be one any more.
  const Shrunk result = shrunk(
      "scenario s\ncluster nodes=3\nload L1 clients=2\n! 0.000000s start L1\n! 1.000000s crash n1\n"
      "finally served(L1, at-least=5)\n",
      one_by_one([](const script::Scenario& s) {
        const bool asked = !s.finally.empty();
        return asked && count(s, "crash") > 0 && number(s, "clients", 8) > 0
                   ? failing("finally served(L1, at-least=5)")
                   : passing();
      }));
  EXPECT_EQ(result.after.loads, 1u) << result.text;
  EXPECT_EQ(result.scenario.finally.size(), 1u);
}

}  // namespace
}  // namespace kiwi::lab
