// Random blocks.

#include "lab/run/fuzz_draw.hpp"
#include "lab/script/verbs.hpp"
#include "runs.hpp"

namespace kiwi::lab {
namespace {

std::string fuzz(std::uint64_t seed, const std::string& more = "") {
  return "scenario s\ncluster nodes=5 seed=" + std::to_string(seed) +
         "\nload L1 rate=100/s\nat 0s  start L1\n"
         "at 1s  fuzz 30s faults { crash 3, power-fail 2, pause 2, cut 4, clog 1, swizzle 1, delay 2 } "
         "gap=100ms..1s " +
         more + "\nat 40s  stop L1\n";
}

TEST(Fuzz, FaultsAreDrawnAndEndedAndAMajorityIsSpared) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    std::size_t most_down = 0;
    const RunRecord record = run_text(fuzz(seed), [&](FakeBackend& cluster) {
      for (int i = 0; i < 400; ++i) {
        cluster.at(std::chrono::milliseconds(100 * i), [&] {
          std::size_t down = 0;
          for (const NodeView& view : cluster.nodes()) {
            down += !view.up || view.paused ? 1 : 0;
          }
          most_down = std::max(most_down, down);
        });
      }
    });
    EXPECT_EQ(record.verdict.outcome, Outcome::pass)
        << seed << ": " << record.verdict.check << record.verdict.why;
    EXPECT_GT(record.figures.at("faults"), 15u) << seed;
    EXPECT_GT(most_down, 0u);
    EXPECT_LE(most_down, 2u);
    for (const FaultWindow& window : record.windows) {
      EXPECT_TRUE(window.until) << window.text;
    }
  }
}

TEST(Fuzz, WithoutSpareAMajorityMayGo) {
  std::size_t most_down = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    run_text(fuzz(seed, "spare=none lasts=1s..3s"), [&](FakeBackend& cluster) {
      for (int i = 0; i < 400; ++i) {
        cluster.at(std::chrono::milliseconds(100 * i), [&] {
          std::size_t down = 0;
          for (const NodeView& view : cluster.nodes()) {
            down += view.up ? 0 : 1;
          }
          most_down = std::max(most_down, down);
        });
      }
    });
  }
  EXPECT_GT(most_down, 2u);
}

TEST(Fuzz, SeedsDiffer) { EXPECT_NE(steps_of(run_text(fuzz(1))), steps_of(run_text(fuzz(2)))); }

TEST(Fuzz, EveryVerbOfRandomBlocksCanBeDrawnAndIsWellFormed) {
  std::vector<NodeView> nodes;
  std::vector<NodeId> present;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    nodes.push_back({});
    nodes.back().id = NodeId(i);
    nodes.back().up = true;
    present.push_back(NodeId(i));
  }
  for (const script::VerbRow& row : script::verbs()) {
    if (!row.in_fuzz) {
      continue;
    }
    int drawn = 0;
    for (std::uint64_t i = 0; i < 200; ++i) {
      ChanceStream chance = Chance(i).stream("test", row.name);
      const auto fault = draw_fault(std::string(row.name), chance, nodes, present, 2);
      if (!fault) {
        continue;
      }
      ++drawn;
      EXPECT_EQ(script::wrong_action(fault->action), "") << script::lower(fault->action);
      EXPECT_LE(fault->away.size(), 2u);
    }
    EXPECT_GT(drawn, 100) << row.name;
  }
}

}  // namespace
}  // namespace kiwi::lab
