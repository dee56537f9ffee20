#pragma once

// Tries candidates and keeps the best script so far: what a pass (passes.hpp) works with.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lab/script/ast.hpp"
#include "lab/shrink/shrink.hpp"

namespace kiwi::lab::shrinking {

/// Lines of comment that stand above a shrunk script; tried scripts have as many, so that their lines have
/// the numbers that they will have in the file.
inline constexpr int kCommentLines = 5;

/// A check of safety: wrong whatever the script does (shrink.hpp says what follows).
bool is_safety(const std::string& check);

struct Candidate {
  script::Scenario scenario;
  /// By which it must fail: that of the best unless the candidate names nodes otherwise.
  std::string check;
};

class Attempts {
 public:
  /// The i-th candidate, made from the best; nothing: there is none.
  using Make = std::function<std::optional<Candidate>(std::size_t)>;

  explicit Attempts(const ShrinkOptions& options) : options_(options) {}

  /// Runs the script that is to be made smaller. The error says why that is no use.
  tl::expected<void, std::string> begin(const script::Scenario& scenario);

  const script::Scenario& best() const { return best_; }
  const std::string& check() const { return trial_.verdict.check; }
  /// Of the best, by its last run.
  const Trial& trial() const { return trial_; }
  /// The check is one of safety.
  bool safety() const { return safety_; }
  std::uint64_t tries() const { return tries_; }
  bool stopped();

  /// Tries candidates from, from + 1, ... below count; the first of them that fails as it must is the best
  /// from then on. Returns its number; nothing: none, or stopped.
  std::optional<std::size_t> first(std::size_t from, std::size_t count, const Make& make,
                                   const std::string& what);
  /// From then on each candidate of first() is tried with its own seed and with so many others, in this
  /// order; what is accepted keeps the seed that it failed with.
  void try_other_seeds(std::uint64_t count) { other_seeds_ = count; }
  /// One candidate with the check of the best.
  bool one(script::Scenario candidate, const std::string& what);
  /// The best gets another form that was tried elsewhere; `trial` is its run.
  void adopt(script::Scenario scenario, Trial trial, const std::string& what);
  /// Runs without judging or remembering; nothing for what does not parse.
  std::vector<std::optional<Trial>> run(const std::vector<script::Scenario>& scenarios);

  /// The scenario as it will be read from its file; nothing: it does not parse.
  static std::optional<script::Scenario> as_file(const script::Scenario& scenario);

 private:
  struct Prepared {
    std::size_t number = 0;
    Candidate candidate;
    std::uint64_t hash = 0;
  };
  std::optional<std::size_t> first_of(std::size_t from, std::size_t count, const Make& make,
                                      const std::string& what);
  std::optional<Prepared> prepare(std::size_t number, Candidate candidate) const;
  bool fails_as(const Trial& trial, const std::string& check) const;
  /// The second run, and the control.
  bool confirm(const Candidate& candidate, Trial& trial);
  void accept(script::Scenario scenario, Trial trial, const std::string& what);
  std::vector<Trial> run_all(const std::vector<script::Scenario>& scenarios);

  const ShrinkOptions& options_;
  script::Scenario best_;
  Trial trial_;
  bool safety_ = false;
  bool controlled_ = false;
  std::uint64_t seed_ = 0;  // of the whole script
  std::uint64_t other_seeds_ = 0;
  std::uint64_t tries_ = 0;
  std::set<std::uint64_t> known_;  // hashes of texts that are of no use
};

}  // namespace kiwi::lab::shrinking
