// What is kept of a hunt for a mutant, and when it counts as found.

#include "lab/mutants/hunt.hpp"

#include <gmock/gmock.h>

#include "lab/script/parse.hpp"
#include "lab/script/settings.hpp"
#include "messages/fault_tables.hpp"
#include "tests/unit/lab/run/fake_backend.hpp"

namespace kiwi::lab::mutants {
namespace {

using testing::HasSubstr;
using testing::Not;

tl::expected<script::Scenario, std::string> scenario(std::uint64_t seed) {
  script::ParseOptions options;
  options.params["seed"] = std::to_string(seed);
  auto cases =
      script::expand({"t.scenario", "scenario t\nabout it\ncluster nodes=3\nat 1s note it\n"}, options);
  if (!cases)
    return tl::unexpected(script::to_string(cases.error()));
  return cases->front();
}

/// A cluster that keeps all promises, but breaks invariant 7 from `seed` on, with the mutant only or always.
MakeBackend breaks_from(std::uint64_t seed, bool only_with_mutant) {
  return [=](const script::Scenario& s,
             Listener& listener) -> tl::expected<std::unique_ptr<Backend>, std::string> {
    const bool on = fault::switched_on(fault::Mutant::second_vote) || !only_with_mutant;
    auto cluster = std::make_unique<FakeBackend>(script::cluster_settings(s).nodes, listener);
    if (on && script::cluster_settings(s).seed >= seed) {
      cluster->at(std::chrono::milliseconds(1), [broken = cluster.get()] { broken->break_invariant(); });
    }
    return cluster;
  };
}

TEST(Hunt, EndsAtTheFirstSeedThatFailsBecauseOfTheMutant) {
  std::vector<std::uint64_t> told;
  const Hunt found = hunt("second_vote", 1, 10, scenario, breaks_from(4, true),
                          [&](std::uint64_t seed) { told.push_back(seed); });
  EXPECT_TRUE(found.found);
  EXPECT_EQ(found.seed, 4u);
  EXPECT_EQ(found.tried, 4u);
  EXPECT_EQ(found.check, "invariant:7");
  EXPECT_THAT(told, testing::ElementsAre(1, 2, 3, 4));
  EXPECT_FALSE(fault::switched_on(fault::Mutant::second_vote));
}

TEST(Hunt, AFailureThatIsThereWithoutTheMutantFindsNothing) {
  const Hunt missed = hunt("second_vote", 1, 3, scenario, breaks_from(2, false), [](std::uint64_t) {});
  EXPECT_FALSE(missed.found);
  EXPECT_EQ(missed.tried, 3u);
  EXPECT_THAT(missed.problem, HasSubstr("without it too"));
}

TEST(Hunt, AMutantThatNothingFindsIsNotFound) {
  const Hunt missed = hunt("second_vote", 5, 3, scenario, breaks_from(100, true), [](std::uint64_t) {});
  EXPECT_FALSE(missed.found);
  EXPECT_EQ(missed.tried, 3u);
  EXPECT_EQ(missed.problem, "");
  EXPECT_THAT(to_table({missed}), HasSubstr("NOT FOUND"));
  EXPECT_THAT(to_recorded({missed}), Not(HasSubstr("second_vote")));
}

TEST(Hunt, TravelsBetweenProcesses) {
  Hunt one;
  one.name = "second_vote";
  one.found = true;
  one.check = "invariant:9";
  one.why = "two votes, \"n1\" and n2\nin term 3";
  one.seed = 17;
  one.tried = 12;
  one.took = std::chrono::milliseconds(345);
  const auto back = hunt_from(to_line(one));
  ASSERT_TRUE(back);
  EXPECT_EQ(to_line(*back), to_line(one));
  EXPECT_EQ(back->why, one.why);
  EXPECT_EQ(back->took, one.took);
  EXPECT_FALSE(hunt_from(""));
  EXPECT_FALSE(hunt_from("second_vote"));
}

TEST(Recorded, ReadsWhatWasWritten) {
  Hunt one;
  one.name = "second_vote";
  one.found = true;
  one.check = "invariant:9";
  one.seed = 17;
  const auto read =
      parse_recorded(to_recorded({one}) + "\n# a comment\nlog_sync_skipped 3  # and one here\n");
  ASSERT_TRUE(read) << read.error();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at(0).name, "second_vote");
  EXPECT_EQ(read->at(0).seed, 17u);
  EXPECT_EQ(read->at(1).name, "log_sync_skipped");
}

TEST(Recorded, SaysWhichLineIsWrong) {
  EXPECT_EQ(parse_recorded("second_vote 1\nno_such_thing 2\n").error(),
            "line 2: there is no mutant 'no_such_thing'");
  EXPECT_EQ(parse_recorded("second_vote\n").error(), "line 1: want NAME SEED");
  EXPECT_EQ(parse_recorded("second_vote 1\nsecond_vote 2\n").error(), "line 2: 'second_vote' a second time");
}

}  // namespace
}  // namespace kiwi::lab::mutants
