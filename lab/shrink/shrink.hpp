#pragma once

// Makes a failing script small: fewer lines, loads, clients, keys, operations, nodes, less noise, simpler
// parameters, rounder times. Works on lowered scripts (lab/script/lower.hpp: `!` lines, and expectations as
// `at` blocks).
//
// A smaller script counts only when it fails by the SAME check (Verdict::check), twice. What that does not
// keep apart by itself:
//
//   - A check that an undisturbed cluster holds and the script's faults break (an expectation, liveness, a
//     `finally`) would soon fail for want of the load or the SET that it asks about. So for such a check a
//     candidate also runs without its faults, and must not fail there (the control).
//   - It would fail as well when a fault is not taken away in time. So there a line that ends a fault goes
//     only together with the fault.
//   - Checks of safety (invariants, clients' histories) are never right to break, so neither is asked there.
//
// Deterministic: the same script and the same results of runs give the same script, whatever `width` is; a
// stop before the end (`stop`) gives the best until then.

#include <cstdint>
#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "lab/run/verdict.hpp"
#include "lab/script/ast.hpp"
#include "lab/time.hpp"

namespace kiwi::lab {

/// What the shrinker needs to know about a run.
struct Trial {
  Verdict verdict;
  /// When the run ended: of a failure that ends a run, its moment.
  Time ended{0};
};

/// Runs each scenario with the seed of its cluster line, in whatever order or at the same time, and gives the
/// results in the order of the scenarios.
using RunTrials = std::function<std::vector<Trial>(const std::vector<script::Scenario>&)>;

/// The same from a function that runs one.
RunTrials one_by_one(std::function<Trial(const script::Scenario&)> run);

/// How much there is of a script.
struct ScriptSize {
  std::uint64_t lines = 0;  // `!` lines and expectations; neither head nor checks at the end
  std::uint64_t loads = 0;
  std::uint64_t clients = 0;  // of all loads
  std::uint64_t keys = 0;     // of all loads
  std::uint64_t nodes = 0;
  friend bool operator==(const ScriptSize&, const ScriptSize&) = default;
};
ScriptSize size_of(const script::Scenario& scenario);
/// "12 lines, 1 load, 2 clients, 1 key, 3 nodes".
std::string to_text(const ScriptSize& size);

/// A step that was accepted.
struct ShrinkStep {
  std::string what;         // "cut lines", "fewer clients", ...
  ScriptSize size;          // what is left
  std::uint64_t tries = 0;  // runs until now
};

struct ShrinkOptions {
  RunTrials run;
  /// So many candidates are given to `run` at a time; at least 1.
  std::size_t width = 1;
  /// Asked before each `run`; true: enough. Null: never.
  std::function<bool()> stop;
  /// Hears of each accepted step. Null: nobody.
  std::function<void(const ShrinkStep&)> accepted;
  /// A failure that needs a coincidence goes away with any line that goes, for all behind it happens
  /// otherwise then. So while there are more lines than `few_lines`, lines are taken away a second time, each
  /// candidate with so many other seeds as well: it is the same failure met by another road. 0: never.
  std::uint64_t other_seeds = 6;
  std::uint64_t few_lines = 12;
  /// At the end, nodes are named by their roles if it still fails so with each of that many other seeds; 0:
  /// never.
  std::uint64_t role_seeds = 20;
  /// For the comment: the command that runs the shrunk script again.
  std::string replay = "kiwi-fault replay THIS_FILE";
};

struct Shrunk {
  script::Scenario scenario;
  /// Names nodes as the shrunk script does, so it may differ from that of the whole script.
  Verdict verdict;
  ScriptSize before;
  ScriptSize after;
  std::uint64_t tries = 0;  // runs, those without faults and second ones included
  /// Nothing is left to try; else `stop` said so.
  bool finished = false;
  /// Nodes are named by their roles, and it fails with other seeds as well.
  bool roles = false;
  /// The script as a file, with a comment saying what failed; parses to `scenario`.
  std::string text;
};

/// Why this is no lowered script: empty when it is one.
std::string why_not_lowered(const script::Scenario& scenario);

/// Requires why_not_lowered() to be empty. The error: it does not fail, or not twice by the same check.
tl::expected<Shrunk, std::string> shrink(const script::Scenario& scenario, const ShrinkOptions& options);

}  // namespace kiwi::lab
