// Text that wishes us ill: cut off, with bits flipped, endless, nested. It may be refused, never more than
// that.

#include "lab/script/format.hpp"
#include "lab/script/lower.hpp"
#include "tests/unit/lab/script/random_script.hpp"
#include "tests/unit/lab/script/script_testing.hpp"

namespace kiwi::lab::script {
namespace {

/// Reads it in every way there is. What parses must survive being written and read again.
void read(const std::string& text) {
  const auto scenario = parse(source_of(text));
  if (!scenario) {
    ASSERT_FALSE(scenario.error().empty());
    ASSERT_LE(scenario.error().size(), kMaxErrors);
    ASSERT_LT(to_string(scenario.error()).size(), kMaxErrors * 4 * kMaxLineBytes);
  } else {
    const auto again = parse(source_of(to_text(*scenario)));
    ASSERT_TRUE(again.has_value()) << text << "\nwritten as\n"
                                   << to_text(*scenario) << to_string(again.error());
    ASSERT_TRUE(again->blocks == scenario->blocks && again->actions == scenario->actions) << text;
  }
  const auto tidy = fmt(source_of(text));
  if (tidy) {
    const auto twice = fmt(source_of(*tidy));
    ASSERT_TRUE(twice.has_value()) << text << "\nformatted as\n" << *tidy << to_string(twice.error());
    ASSERT_EQ(*twice, *tidy) << text;
    const auto same = parse(source_of(*tidy));
    ASSERT_EQ(same.has_value(), scenario.has_value()) << text << "\nformatted as\n" << *tidy;
    ASSERT_TRUE(!same || (same->blocks == scenario->blocks && same->finally == scenario->finally)) << text;
  }
}

TEST(Hostile, CutOffAnywhere) {
  for (std::size_t size = 0; size <= kLeaderCut.size(); ++size) {
    ASSERT_NO_FATAL_FAILURE(read(std::string(kLeaderCut.substr(0, size))));
  }
}

TEST(Hostile, DamagedInAFewPlaces) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    RandomScript random(seed);
    std::string text = seed % 2 == 0 ? to_text(random.scenario()) : std::string(kLeaderCut);
    for (auto n = 1 + random.below(4); n > 0; --n) {
      const auto at = random.below(text.size());
      switch (random.below(4)) {
        case 0:
          text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
          break;
        case 1:
          text.erase(at, random.below(20));
          break;
        case 2:
          text.insert(at, text.substr(random.below(text.size()), random.below(40)));
          break;
        default:
          text.insert(at, 1, "\"{}(),=<>!#$ -\n"[random.below(15)]);
      }
    }
    ASSERT_NO_FATAL_FAILURE(read(text)) << "seed " << seed;
  }
}

TEST(Hostile, NestingEnds) {
  const auto error = [](const std::string& line) {
    const auto scenario = parse(source_of("scenario x\n" + line + "\n"));
    return scenario ? "" : scenario.error().front().message;
  };
  EXPECT_EQ(error("at 1s crash " + std::string(2000, '{') + "n1"), "selectors are nested too deep");
  std::string picks = "at 1s crash";
  std::string blocks = "at 1s";
  std::string excepts = "at 1s crash n1";
  std::string deep = "at 1s crash n1\n";
  for (int i = 0; i < 200; ++i) {
    picks += " one of";
    blocks += " after 1s";
    excepts += " except n1";
    deep += std::string(static_cast<std::size_t>(i) + 1, ' ') + "after 1s crash n1\n";
  }
  EXPECT_EQ(error(picks + " all"), "selectors are nested too deep");
  EXPECT_EQ(error(excepts), "selectors are nested too deep");
  EXPECT_EQ(error(blocks + " crash n1"), "blocks are nested too deep");
  EXPECT_EQ(error(deep), "blocks are nested too deep");
}

TEST(Hostile, SizeEnds) {
  EXPECT_EQ(
      errors_of("scenario x\n#" + std::string(kMaxLineBytes, 'x') + "\n"),
      "x.scenario:2:1: the line is too long\n  #" + std::string(159, 'x') + "\n  ^ at most 4096 bytes\n");
  EXPECT_EQ(errors_of(std::string(kMaxScriptBytes + 1, '\n')),
            "x.scenario: the scenario is too long\n  at most 16777216 bytes with its includes\n");
  const std::string big(1000, 'x');
  std::string pasted = "param p = " + big + "\nscenario x\nat 1s note \"";
  for (int i = 0; i < 1000; ++i) {
    pasted += "$p";
  }
  EXPECT_NE(errors_of(pasted + "\"\n").find("with its params this becomes too long"), std::string::npos);
  std::string cases = "scenario x\n";
  for (const auto* name : {"a", "b", "c", "d"}) {
    cases += std::string("matrix ") + name + " = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10\n";
  }
  EXPECT_EQ(to_string(expand(source_of(cases)).error()),
            "x.scenario: the matrices make more than 1000 cases\n");
}

}  // namespace
}  // namespace kiwi::lab::script
