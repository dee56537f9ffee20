#pragma once

// Bugs put back on purpose (messages/fault_tables.hpp): which run of a campaign finds each. A laboratory that
// misses one cannot be trusted with the bugs nobody knows.
//
// A mutant is found by a run that fails with it and does not fail without it, on the same seed.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "lab/run/runner.hpp"

namespace kiwi::lab::mutants {

/// What became of one mutant.
struct Hunt {
  std::string name;
  bool found = false;
  std::string check;  // what failed, as in Verdict::check
  std::string why;
  std::uint64_t seed = 0;   // where it was found
  std::uint64_t tried = 0;  // seeds, this one included
  std::chrono::milliseconds took{0};
  /// Not empty: nothing can be said, for instance because the seed fails without the mutant too.
  std::string problem;
};

/// The scenario of a seed. The error says what is wrong with it.
using ScenarioOf = std::function<tl::expected<script::Scenario, std::string>(std::uint64_t seed)>;
/// Told before each run, for who watches from outside.
using Progress = std::function<void(std::uint64_t seed)>;

/// Runs `first` and up to `count` seeds from there, until one finds the mutant. Requires a known name.
/// Mutants are off before and after. `took` is left to the caller, who has a clock.
Hunt hunt(std::string_view mutant, std::uint64_t first, std::uint64_t count, const ScenarioOf& scenario_of,
          const MakeBackend& make, const Progress& progress);

/// Names of all mutants, in the order of the table.
std::vector<std::string> all_mutants();

/// A table for people: one line for each, then a line about all.
std::string to_table(const std::vector<Hunt>& hunts);

/// Where each was found last: lines "NAME SEED CHECK"; text behind # is skipped.
struct Recorded {
  std::string name;
  std::uint64_t seed = 0;
};
std::string to_recorded(const std::vector<Hunt>& hunts);
/// Every line must name a mutant, no mutant twice. The error names the line.
tl::expected<std::vector<Recorded>, std::string> parse_recorded(const std::string& text);

/// One line of text and back, between processes.
std::string to_line(const Hunt& hunt);
std::optional<Hunt> hunt_from(const std::string& line);

}  // namespace kiwi::lab::mutants
