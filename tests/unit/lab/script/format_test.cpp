// fmt: the canonical form.

#include "lab/script/format.hpp"

#include "tests/unit/lab/script/script_testing.hpp"

namespace kiwi::lab::script {
namespace {

std::string formatted(std::string_view text) {
  const auto result = fmt(source_of(text));
  EXPECT_TRUE(result.has_value()) << to_string(result.error());
  return result.value_or("");
}

constexpr std::string_view kMessy = R"(

# about it all
scenario x   # its name
about   some   text # and this
   more
cluster nodes = 5   seed=7
   disk=hostile
load L1 mix = "get 5,  set 5"
param  who=one  follower
noise 1s..2s,4s..5s

! 2.000000s   cut n1->n2 , n3   # line 12
at  1s crash   $who
   # a comment in a body
   after 5s   restart {n1,n2}
       cut n1<->others  except  n2
   expect within 2s leader!=n1,role ( n1 )=follower


   do SET  a=b   "x  y"  ->  OK # done
when  msg append n1->n3(index=41)  fail n3 sync nth = 2
fuzz 3s faults {cut 3,crash} gap = 1s..2s
# last
finally served(L1,during = cut), fired( cut )
)";

constexpr std::string_view kTidy = R"(# about it all
scenario  x  # its name
about     some   text # and this
          more
cluster   nodes=5 seed=7
          disk=hostile
load      L1 mix="get 5,  set 5"
param     who = one follower
noise     1s..2s, 4s..5s

! 2.000000s  cut n1 -> n2,n3  # line 12
at 1s     crash $who
          # a comment in a body
          after 5s restart {n1, n2}
            cut n1 <-> others except n2
          expect within 2s leader != n1, role(n1) = follower

          do SET a=b "x  y" -> OK  # done
when msg append n1 -> n3 (index = 41) fail n3 sync nth=2
fuzz 3s faults { cut 3, crash } gap=1s..2s
# last
finally   served(L1, during=cut), fired(cut)
)";

TEST(Format, IsCanonicalAndKeepsComments) {
  EXPECT_EQ(formatted(kMessy), kTidy);
  EXPECT_EQ(formatted(kTidy), kTidy) << "again changes nothing";
}

TEST(Format, MeansTheSame) {
  Scenario messy = parsed(kMessy);
  Scenario tidy = parsed(kTidy);
  EXPECT_EQ(messy.params.at("who"), "one  follower") << "as written";
  messy.params = tidy.params;
  EXPECT_TRUE(messy == tidy);
}

TEST(Format, DoesNotGuessWhereALineBelongs) {
  const auto result = fmt(source_of("scenario x\nat 1s crash n1\n      crash n2\n    crash n3\n"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().at(0).hint, "begin it in column 7, or below a time word");
}

TEST(Format, LeavesTheExampleOfTheDesignAsItIs) { EXPECT_EQ(formatted(kLeaderCut), kLeaderCut); }

TEST(Format, RefusesWhatIsNoWords) {
  const auto result = fmt(source_of("scenario x\nat 1s note \"open\n\tcrash n1\n"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().size(), 2U);
}

TEST(Format, WhatAScenarioSaysAsText) {
  Scenario s = parsed(kLeaderCut);
  const std::string text = to_text(s);
  EXPECT_EQ(parsed(text), s);
  EXPECT_EQ(formatted(text), text);
}

}  // namespace
}  // namespace kiwi::lab::script
