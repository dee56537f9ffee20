#include "lab/fault/shrink_runs.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <utility>

#include "lab/fault/files.hpp"
#include "lab/fault/jobs.hpp"
#include "lab/fault/report_folder.hpp"
#include "lab/fault/sim_backend.hpp"
#include "lab/fault/summary.hpp"
#include "lab/run/runner.hpp"
#include "lab/script/parse.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab {
namespace {

using Clock = std::chrono::steady_clock;

/// A run that takes longer hangs: no candidate.
constexpr unsigned kRunLimitSeconds = 60;

std::string died_of_alarm() { return "signal " + std::to_string(SIGALRM) + " "; }

class Runs {
 public:
  explicit Runs(const ShrinkRuns& runs) : runs_(runs), start_(Clock::now()) {}

  std::vector<Trial> trials(const std::vector<script::Scenario>& scenarios) {
    std::vector<Trial> trials(scenarios.size());
    const auto work = [&](std::size_t i) {
      alarm(limit());
      const std::string line = to_line(summary(scenarios[i]));
      alarm(0);
      return line;
    };
    const auto done = [&](std::size_t i, const std::string& result, const std::string& died) {
      if (died.empty()) {
        const Summary summary = summary_from(result);
        trials[i] = {summary.verdict, summary.simulated};
      } else if (died.find(died_of_alarm()) != std::string::npos) {
        trials[i].verdict = {Outcome::unknown, "endless", "the run took too long"};
      } else {
        trials[i].verdict = {Outcome::fail, "died", died};
      }
    };
    if (!run_jobs(scenarios.size(), width(), work, done)) {
      problem_ = "no process could be started";
    }
    return trials;
  }

  /// What a scenario lowers to, as it runs.
  tl::expected<script::Scenario, std::string> lowered(const script::Scenario& scenario) {
    std::string text;
    std::string why;
    const auto work = [&](std::size_t) {
      alarm(limit());
      std::string result = run_scenario(scenario, {}, make_sim_backend()).lowered;
      alarm(0);
      return result;
    };
    const auto done = [&](std::size_t, const std::string& result, const std::string& died) {
      text = result;
      why = died;
    };
    if (!run_jobs(1, 1, work, done) || !why.empty()) {
      return tl::unexpected("the run left no lowered script: " + why);
    }
    auto parsed = script::parse({scenario.name, text});
    if (!parsed) {
      return tl::unexpected("the lowered script cannot be read: " + script::to_string(parsed.error()));
    }
    return std::move(*parsed);
  }

  bool stop() const { return !problem_.empty() || left() <= std::chrono::milliseconds(0); }
  const std::string& problem() const { return problem_; }
  std::size_t width() const { return std::max<std::size_t>(runs_.jobs, 1); }

  void tell(const ShrinkStep& step) const {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%6.1f s",
                  std::chrono::duration<double>(Clock::now() - start_).count());
    std::cerr << seconds << "  " << step.what << ": " << to_text(step.size) << " (" << step.tries << " tries)"
              << std::endl;
  }

 private:
  static Summary summary(const script::Scenario& scenario) {
    try {
      return summary_of(run_scenario(scenario, {}, make_sim_backend()));
    } catch (const std::exception& problem) {
      Summary summary;
      summary.verdict = {Outcome::error, "laboratory", std::string("exception: ") + problem.what()};
      return summary;
    }
  }
  std::chrono::milliseconds left() const {
    return runs_.budget - std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start_);
  }
  /// Seconds of real time for one run.
  unsigned limit() const {
    const auto seconds = std::max<std::int64_t>(left().count() / 1000 + 2, 2);
    return std::min<unsigned>(kRunLimitSeconds, static_cast<unsigned>(seconds));
  }

  const ShrinkRuns& runs_;
  const Clock::time_point start_;
  std::string problem_;
};

}  // namespace

tl::expected<Shrunk, std::string> shrink_on_simulator(const script::Scenario& scenario,
                                                      const ShrinkRuns& wanted) {
  Runs runs(wanted);
  tl::expected<script::Scenario, std::string> lowered = scenario;
  if (!why_not_lowered(scenario).empty()) {
    lowered = runs.lowered(scenario);
  }
  if (!lowered) {
    return tl::unexpected(lowered.error());
  }
  ShrinkOptions options;
  options.run = [&](const std::vector<script::Scenario>& scenarios) { return runs.trials(scenarios); };
  options.width = runs.width();
  options.stop = [&] { return runs.stop(); };
  options.accepted = [&](const ShrinkStep& step) { runs.tell(step); };
  options.replay = wanted.replay;
  auto shrunk = shrink(*lowered, options);
  if (!runs.problem().empty()) {
    return tl::unexpected(runs.problem());
  }
  return shrunk;
}

bool shrink_folder(const std::string& folder, std::size_t jobs) {
  const std::filesystem::path output = std::filesystem::path(folder) / "shrunk.scenario";
  const auto fail = [&](const std::string& why) {
    std::cerr << folder << ": not shrunk: " << why << std::endl;
    return false;
  };
  const auto cases = cases_of(std::filesystem::path(folder) / "replay.scenario", std::nullopt, {});
  if (!cases) {
    return fail(cases.error());
  }
  ShrinkRuns runs;
  runs.jobs = jobs;
  runs.replay = "kiwi-fault replay " + script::word_text(output.string());
  const auto shrunk = shrink_on_simulator(cases->front(), runs);
  if (!shrunk) {
    return fail(shrunk.error());
  }
  if (auto written = write_file(output, shrunk->text); !written) {
    return fail(written.error());
  }
  if (const auto page = remake_report(folder); !page) {
    std::cerr << folder << ": the page does not show the shrunk script: " << page.error() << std::endl;
  }
  std::cout << "shrunk      " << to_text(shrunk->before) << " -> " << to_text(shrunk->after) << ": "
            << output.string() << std::endl;
  return true;
}

}  // namespace kiwi::lab
