#include "lab/process/means.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/script/parse.hpp"

namespace kiwi::lab {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

script::Scenario scenario(const std::string& lines) {
  const auto parsed = script::parse({"test", "scenario s\ncluster nodes=3\n" + lines}, {});
  EXPECT_TRUE(parsed) << lines << (parsed ? "" : script::to_string(parsed.error()));
  return parsed.value_or(script::Scenario{});
}

TEST(Means, signals_need_no_fault_build) {
  const auto s = scenario("at 1s crash n1\n      restart n1\n      pause n2\n");
  EXPECT_THAT(lacking(s, {"kiwi-node", false}), IsEmpty());
}

TEST(Means, links_clocks_and_disks_do) {
  const auto s = scenario("at 1s cut n1 -> n2\nat 2s fuzz 3s faults { clock-rate 1 }\n");
  EXPECT_THAT(lacking(s, {"kiwi-node", false}),
              ElementsAre("clock-rate (needs kiwi-node-fault)", "cut (needs kiwi-node-fault)"));
  EXPECT_THAT(lacking(s, {"kiwi-node-fault", true}), IsEmpty());
}

TEST(Means, some_things_no_process_has) {
  const auto s = scenario(
      "when disk sync any on n1\n      crash n1\nat 2s full n1 after=1KB\nat 3s power-fail n1 "
      "keep=\"nothing\"\n");
  EXPECT_THAT(lacking(s, {"kiwi-node-fault", true}),
              ElementsAre("when disk", "power-fail keep=", "full after="));
}

TEST(Means, the_cluster_line_asks_for_things_too) {
  const auto with = [](const std::string& keys) {
    const auto parsed =
        script::parse({"test", "scenario s\ncluster nodes=3 " + keys + "\nat 1s crash n1\n"}, {});
    EXPECT_TRUE(parsed) << keys;
    return parsed.value_or(script::Scenario{});
  };
  const Means release{"kiwi-node", false}, fault{"kiwi-node-fault", true};
  EXPECT_THAT(lacking(with("strategy=pct"), fault), ElementsAre("strategy="));
  EXPECT_THAT(
      lacking(with("net=lossy loss=1% sync=5ms latency=10ms cache=64KB election=300ms..400ms"), fault),
      IsEmpty());
  EXPECT_THAT(lacking(with("net=lossy sync=5ms latency=10ms cache=64KB election=300ms..400ms"), release),
              ElementsAre("net= (needs kiwi-node-fault)", "latency= (needs kiwi-node-fault)",
                          "sync= (needs kiwi-node-fault)", "cache= (needs kiwi-node-fault)",
                          "election= (needs kiwi-node-fault)"));
  EXPECT_THAT(lacking(with("election=250ms..500ms"), release), IsEmpty());
}

TEST(Means, a_program_is_asked_what_it_is) {
  EXPECT_FALSE(find_means("/nowhere/kiwi-node"));
  EXPECT_FALSE(find_means("/bin/true"));
}

}  // namespace
}  // namespace kiwi::lab
