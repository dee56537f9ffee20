#include "lab/run/selectors.hpp"

#include <gtest/gtest.h>

#include "lab/script/format.hpp"
#include "lab/script/parse.hpp"

namespace kiwi::lab {
namespace {

/// n1 led in term 3 and does not know better, n2 leads in term 4, n3 lags, n4 is down, n5 stands.
std::vector<NodeView> five() {
  std::vector<NodeView> nodes;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    NodeView node;
    node.id = NodeId(i);
    node.up = i != 4;
    node.role = NodeRole::follower;
    node.term = Term(4);
    node.applied = Index(i == 3 ? 5 : 10);
    node.voters = {NodeId(1), NodeId(2), NodeId(3), NodeId(4), NodeId(5)};
    nodes.push_back(node);
  }
  nodes[0].role = NodeRole::leader;
  nodes[0].term = Term(3);
  nodes[1].role = NodeRole::leader;
  nodes[4].role = NodeRole::candidate;
  return nodes;
}

std::string resolved(const std::string& text, std::uint64_t seed = 1) {
  const auto nodes = five();
  Kept kept;
  kept.nodes["keep"] = {NodeId(3)};
  ChanceStream stream = Chance(seed).stream("test", "x");
  LineSelectors line(nodes, kept, stream);
  const auto selector = script::parse_selector(text);
  EXPECT_TRUE(selector) << text;
  const auto result = line.resolve(*selector);
  return result ? to_text(*result) : result.error();
}

TEST(Selectors, Words) {
  EXPECT_EQ(resolved("leader"), "n2");
  EXPECT_EQ(resolved("candidate"), "n5");
  EXPECT_EQ(resolved("lagging"), "n3");
  EXPECT_EQ(resolved("all"), "n1,n2,n3,n4,n5");
  EXPECT_EQ(resolved("voters"), "n1,n2,n3,n4,n5");
  EXPECT_EQ(resolved("followers"), "n1,n3,n4,n5");
  EXPECT_EQ(resolved("learners"), "nobody");
  EXPECT_EQ(resolved("up"), "n1,n2,n3,n5");
  EXPECT_EQ(resolved("down"), "n4");
  EXPECT_EQ(resolved("keep"), "n3");
  EXPECT_EQ(resolved("{n5, leader, n5}"), "n2,n5");
  EXPECT_EQ(resolved("followers except {n1, keep}"), "n4,n5");
  EXPECT_EQ(resolved("nobody-kept-this"), "no line before has kept nodes as 'nobody-kept-this'");
}

TEST(Selectors, OthersAreNotOnTheLeftSideOfTheLink) {
  const auto nodes = five();
  const Kept kept;
  ChanceStream stream = Chance(1).stream("test", "x");
  LineSelectors line(nodes, kept, stream);
  line.set_left({NodeId(2), NodeId(4)});
  script::Selector others;
  others.kind = script::Selector::Kind::others;
  EXPECT_EQ(to_text(*line.resolve(others)), "n1,n3,n5");
}

TEST(Selectors, ChanceIsKeyedAndReachesEverybody) {
  std::set<std::string> ones;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    EXPECT_EQ(resolved("one follower", seed), resolved("one follower", seed));
    ones.insert(resolved("one follower", seed));
  }
  EXPECT_EQ(ones, (std::set<std::string>{"n1", "n3", "n4", "n5"}));
}

TEST(Selectors, MinorityIsTheRestOfTheMajorityOfItsLine) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto nodes = five();
    const Kept kept;
    ChanceStream stream = Chance(seed).stream("test", "x");
    LineSelectors line(nodes, kept, stream);
    const auto minority = line.resolve(*script::parse_selector("minority"));
    const auto majority = line.resolve(*script::parse_selector("majority"));
    ASSERT_EQ(minority->size(), 2u);
    ASSERT_EQ(majority->size(), 3u);
    for (const NodeId id : *minority) {
      EXPECT_EQ(std::count(majority->begin(), majority->end(), id), 0);
    }
  }
}

TEST(Selectors, FreezingKeepsWordsAndReplacesNamesAndChance) {
  const auto nodes = five();
  Kept kept;
  kept.nodes["old"] = {NodeId(1)};
  kept.numbers["i"] = 17;
  ChanceStream stream = Chance(1).stream("test", "x");
  LineSelectors line(nodes, kept, stream);
  EXPECT_EQ(script::to_text(*freeze(*script::parse_predicate("leader != old"), line, kept)), "leader != n1");
  EXPECT_EQ(script::to_text(*freeze(*script::parse_predicate("applied(followers) >= i"), line, kept)),
            "applied(followers) >= 17");
}

}  // namespace
}  // namespace kiwi::lab
