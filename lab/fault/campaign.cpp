#include "lab/fault/campaign.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>

#include "lab/fault/folder.hpp"
#include "lab/fault/jobs.hpp"
#include "lab/fault/process_runs.hpp"
#include "lab/fault/scratch.hpp"
#include "lab/fault/sim_backend.hpp"

namespace kiwi::lab {
namespace {

using Clock = std::chrono::steady_clock;

/// A case on the simulator that takes longer hangs in real time: its process is ended, which is a failure
/// that was found.
constexpr unsigned kHangsAfterSeconds = 300;

std::chrono::milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
}

void write(const RunRecord& record, const std::string& report, Summary& summary) {
  const auto folder = std::filesystem::path(report) / folder_name(record);
  if (auto written = write_folder(folder, record); !written) {
    summary.verdict = {Outcome::error, "laboratory", "the run's folder: " + written.error()};
    return;
  }
  summary.folder = folder.string();
}

void keep(const script::Scenario& scenario, const RunOptions& options, const MakeBackend& make,
          const std::string& report, Summary& summary) {
  // The same run again, with everything that a report wants to know.
  RunOptions detail = options;
  detail.detail = true;
  write(run_scenario(scenario, detail, make), report, summary);
}

std::uint64_t figure(const Summary& summary, const std::string& name) {
  const auto found = summary.figures.find(name);
  return found == summary.figures.end() ? 0 : found->second;
}

/// What passed must also have tested enough.
void hold_to_floors(Summary& summary, const CampaignOptions& options) {
  if (summary.verdict.outcome != Outcome::pass) {
    return;
  }
  const auto below = [&](std::uint64_t value, std::uint64_t floor, const std::string& what) {
    if (value < floor) {
      summary.verdict = {Outcome::vacuous, "vacuous: floor of the campaign",
                         std::to_string(value) + " " + what + ", the floor is " + std::to_string(floor)};
    }
  };
  const auto seconds = [](Time time) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
  };
  below(figure(summary, "operations done"), options.min_operations, "operations succeeded");
  below(figure(summary, "faults"), options.min_faults, "faults");
  below(seconds(summary.simulated), seconds(options.min_simulated), "simulated seconds");
}

Summary run_case(const script::Scenario& scenario, const CampaignOptions& options) {
  const auto start = Clock::now();
  RunOptions run_options;
  const auto made = make_backend(options, run_options);
  if (!made) {
    Summary summary;
    summary.verdict = {Outcome::error, "backend", made.error()};
    return summary;
  }
  const MakeBackend& make = *made;
  // Processes do not repeat a run: all that its folder may want is kept at once.
  run_options.detail = options.backend == "process";
  const RunRecord record = run_scenario(scenario, run_options, make);
  Summary summary = summary_of(record);
  hold_to_floors(summary, options);
  const bool ran =
      summary.verdict.outcome != Outcome::unsupported && summary.verdict.outcome != Outcome::error;
  if (options.twice && ran) {
    const RunRecord again = run_scenario(scenario, run_options, make);
    if (again.trace_hash != summary.trace_hash) {
      summary.verdict = {Outcome::error, "determinism",
                         "the same seed gave another run: trace " + std::to_string(summary.trace_hash) +
                             ", then " + std::to_string(again.trace_hash)};
    }
  }
  summary.took = since(start);
  const bool wrong = summary.verdict.outcome == Outcome::fail ||
                     summary.verdict.outcome == Outcome::unknown ||
                     summary.verdict.outcome == Outcome::vacuous;
  if (ran && (options.keep_all || wrong) && run_options.detail) {
    write(record, options.report, summary);
  } else if (ran && (options.keep_all || wrong)) {
    keep(scenario, run_options, make, options.report, summary);
  }
  return summary;
}

void count(Campaign& campaign, const Summary& summary, bool skip_unsupported) {
  const bool alone = campaign.runs == 0;
  ++campaign.runs;
  campaign.summaries.push_back(summary);
  campaign.summaries.back().marks.clear();
  ++campaign.verdicts[std::string(name_of(summary.verdict.outcome))];
  const bool skipped = skip_unsupported && summary.verdict.outcome == Outcome::unsupported;
  const bool only_skipped = skip_unsupported && campaign.worst == Outcome::unsupported;
  if (alone || only_skipped) {
    campaign.worst = summary.verdict.outcome;
  } else if (!skipped) {
    campaign.worst = worst(campaign.worst, summary.verdict.outcome);
  }
  campaign.traces += summary.trace_hash;
  campaign.simulated += summary.simulated;
  campaign.took += summary.took;
  if (summary.verdict.outcome == Outcome::fail && !summary.folder.empty()) {
    campaign.failed.push_back(summary.folder);
  }
  for (const auto& [name, value] : summary.figures) {
    campaign.figures[name] += value;
  }
  for (const auto& [mark, passed] : summary.marks) {
    campaign.marks[mark] += passed > 0 ? 1 : 0;
  }
  const auto least = [&](const char* name, std::uint64_t value) {
    const auto [at, first] = campaign.least.emplace(name, value);
    at->second = std::min(at->second, value);
  };
  least("operations done", figure(summary, "operations done"));
  least("faults", figure(summary, "faults"));
  least("simulated seconds",
        static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::seconds>(summary.simulated).count()));
}

}  // namespace

MakeBackend make_backend(const std::string& name) {
  return name == "sim" ? make_sim_backend() : MakeBackend();
}

tl::expected<MakeBackend, std::string> make_backend(const CampaignOptions& campaign, RunOptions& options) {
  options.backend = campaign.backend;
  return campaign.backend == "process" ? make_process_backend(campaign.node, campaign.scratch, options)
                                       : make_backend(campaign.backend);
}

Campaign run_campaign(const std::vector<script::Scenario>& cases, CampaignOptions options) {
  Campaign campaign;
  std::optional<Scratch> scratch;
  if (options.backend == "process") {
    options.scratch = scratch.emplace().path();
  }
  const auto start = Clock::now();
  auto shown = start;
  const bool progress = !options.every_line || isatty(STDERR_FILENO) != 0;
  const auto work = [&](std::size_t i) {
    alarm(options.backend == "sim" ? kHangsAfterSeconds : 0);
    try {
      std::string line = to_line(run_case(cases[i], options));
      alarm(0);
      return line;
    } catch (const std::exception& problem) {
      Summary summary;
      summary.verdict = {Outcome::error, "laboratory", std::string("exception: ") + problem.what()};
      return to_line(summary);
    }
  };
  const bool started = run_jobs(cases.size(), std::max<std::size_t>(options.jobs, 1), work,
                                [&](std::size_t i, const std::string& result, const std::string& died) {
                                  Summary summary;
                                  if (died.empty()) {
                                    summary = summary_from(result);
                                  } else {
                                    // An assertion of the product, most likely: that is a failure that was
                                    // found.
                                    summary.verdict = {Outcome::fail, "died", died};
                                  }
                                  summary.scenario = cases[i].name;
                                  summary.which = cases[i].which;
                                  summary.seed = script::cluster_settings(cases[i]).seed;
                                  count(campaign, summary, options.skip_unsupported);
                                  campaign.twice += options.twice ? 1 : 0;
                                  if (options.every_line || summary.verdict.outcome != Outcome::pass) {
                                    std::cout << to_text(summary) << std::endl;
                                  }
                                  if (progress && Clock::now() - shown > std::chrono::seconds(5)) {
                                    shown = Clock::now();
                                    std::cerr << campaign.runs << " of " << cases.size() << " runs, "
                                              << since(start).count() / 1000 << " s" << std::endl;
                                  }
                                });
  if (!started) {
    std::cerr << "kiwi-fault: no process could be started\n";
    campaign.worst = Outcome::error;
  }
  return campaign;
}

std::string to_text(const Campaign& campaign, std::chrono::milliseconds real_time) {
  std::ostringstream out;
  out << campaign.runs << " runs:";
  for (const auto& [name, count] : campaign.verdicts) {
    out << " " << count << " " << name;
  }
  const double real = static_cast<double>(real_time.count()) / 1000;
  const double simulated = std::chrono::duration<double>(campaign.simulated).count();
  out << "; " << static_cast<std::uint64_t>(simulated) << " s simulated in "
      << static_cast<std::uint64_t>(real + 0.5) << " s";
  if (real > 0) {
    out << " (" << static_cast<std::uint64_t>(simulated / real) << " times as fast)";
  }
  out << "\n";
  if (campaign.twice > 0) {
    out << campaign.twice << " of them twice\n";
  }
  if (campaign.traces != 0) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(campaign.traces));
    out << "traces of all runs together: " << text << "\n";
  }
  for (const auto& [name, value] : campaign.least) {
    out << "fewest " << name << " in a run: " << value << "\n";
  }
  for (const auto& [name, value] : campaign.figures) {
    out << "  " << name << ": " << value << "\n";
  }
  if (!campaign.marks.empty()) {
    out << "marks, and the runs that passed them:\n";
    for (const auto& [mark, runs] : campaign.marks) {
      out << "  " << mark << ": " << runs << "\n";
    }
  }
  return out.str();
}

}  // namespace kiwi::lab
