#include "lab/fault/shrink_runs.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <utility>

#include "lab/fault/files.hpp"
#include "lab/fault/folder.hpp"
#include "lab/fault/jobs.hpp"
#include "lab/fault/mutant.hpp"
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

namespace {

/// The shrunk script as a run with a folder of its own, in a process that may die of it. The error says why
/// there is none.
tl::expected<void, std::string> leave_folder(const std::filesystem::path& folder, const std::string& text) {
  auto parsed = script::parse({"shrunk.scenario", text});
  if (!parsed) {
    return tl::unexpected(script::to_string(parsed.error()));
  }
  std::string why;
  const auto work = [&](std::size_t) {
    alarm(kRunLimitSeconds);
    RunOptions options;
    options.detail = true;
    const auto written = write_folder(folder, run_scenario(*parsed, options, make_sim_backend()));
    alarm(0);
    return written ? std::string() : written.error();
  };
  const auto done = [&](std::size_t, const std::string& result, const std::string& died) {
    why = died.empty() ? result : died;
  };
  if (!run_jobs(1, 1, work, done)) {
    why = "no process could be started";
  }
  return why.empty() ? tl::expected<void, std::string>() : tl::unexpected(why);
}

}  // namespace

std::string replay_command(const std::string& file, const std::string& mutant) {
  return "kiwi-fault replay " + script::word_text(file) + (mutant.empty() ? "" : " --mutant " + mutant);
}

tl::expected<Shrunk, std::string> shrink_folder(const std::filesystem::path& folder, ShrinkRuns runs) {
  const std::filesystem::path output = folder / "shrunk.scenario";
  const auto cases = cases_of(folder / "replay.scenario", std::nullopt, {});
  if (!cases) {
    return tl::unexpected(cases.error());
  }
  const std::string mutant = recorded_in(folder).mutant;
  if (auto on = switch_on_mutant(mutant); !on) {
    return tl::unexpected(on.error());
  }
  runs.replay = replay_command(output.string(), mutant);
  auto shrunk = shrink_on_simulator(cases->front(), runs);
  if (!shrunk) {
    return shrunk;
  }
  if (auto written = write_file(output, shrunk->text); !written) {
    return tl::unexpected(written.error());
  }
  if (auto left = leave_folder(folder / "shrunk", shrunk->text); !left) {
    std::cerr << folder.string() << ": the shrunk script has no folder: " << left.error() << std::endl;
  }
  if (const auto page = remake_report(folder); !page) {
    std::cerr << folder.string() << ": the page does not show the shrunk script: " << page.error()
              << std::endl;
  }
  return shrunk;
}

void tell(const Shrunk& shrunk, std::chrono::milliseconds took, const std::string& again) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f s", static_cast<double>(took.count()) / 1000);
  std::cout << "shrunk      " << to_text(shrunk.before) << "\n         to " << to_text(shrunk.after)
            << "\n         in " << shrunk.tries << " runs, " << seconds
            << (shrunk.finished ? "" : "; the budget ended it: more may be possible") << "\nfails by    "
            << shrunk.verdict.check << "\nagain       " << again << std::endl;
}

}  // namespace kiwi::lab
