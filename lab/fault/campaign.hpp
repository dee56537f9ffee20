#pragma once

// Many runs: cases spread over processes, a line for each verdict, folders of what went wrong, figures.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lab/fault/summary.hpp"
#include "lab/run/runner.hpp"
#include "lab/script/ast.hpp"

namespace kiwi::lab {

struct CampaignOptions {
  std::string backend = "sim";
  /// The program that backend "process" runs; empty: kiwi-node-fault beside this program.
  std::string node;
  /// Where processes leave their files while they run.
  std::filesystem::path scratch = std::filesystem::temp_directory_path();
  std::size_t jobs = 1;
  /// Each case runs a second time; another trace hash is an error of the laboratory.
  bool twice = false;
  /// Where folders of runs go; only of those that did not pass, unless `keep_all`.
  std::string report = "kiwi-fault-runs";
  bool keep_all = false;
  /// Scripts that the backend cannot play are told, and do not count in `Campaign::worst` beside others.
  bool skip_unsupported = false;
  /// A line on standard output for every run; otherwise only for those that did not pass, with progress on
  /// standard error.
  bool every_line = true;
  /// A run with less is vacuous.
  std::uint64_t min_operations = 0;
  std::uint64_t min_faults = 0;
  Time min_simulated{0};
};

struct Campaign {
  std::vector<Summary> summaries;                 // of all runs, as they ended; without their marks
  std::map<std::string, std::uint64_t> verdicts;  // by name of the outcome
  Outcome worst = Outcome::pass;
  std::uint64_t runs = 0;
  std::uint64_t twice = 0;
  /// Sum of all trace hashes: the same on every machine for the same cases and the same program.
  std::uint64_t traces = 0;
  Time simulated{0};
  std::chrono::milliseconds took{0};  // of all processes together
  std::map<std::string, std::uint64_t> figures;
  std::map<std::string, std::uint64_t> marks;  // in how many runs each was passed
  std::vector<std::string> failed;             // folders of the runs that failed
  std::map<std::string, std::uint64_t> least;  // per run: operations done, faults, simulated seconds
};

/// Null: this laboratory has no such backend.
MakeBackend make_backend(const std::string& name);
/// For "sim" or "process"; fills in the options that the backend decides.
tl::expected<MakeBackend, std::string> make_backend(const CampaignOptions& campaign, RunOptions& options);

/// `scratch` of the options is not looked at: a campaign has one of its own.
Campaign run_campaign(const std::vector<script::Scenario>& cases, CampaignOptions options);

/// Several lines about a campaign.
std::string to_text(const Campaign& campaign, std::chrono::milliseconds real_time);

}  // namespace kiwi::lab
