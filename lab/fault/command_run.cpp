#include <chrono>
#include <iostream>
#include <memory>

#include "lab/fault/campaign.hpp"
#include "lab/fault/commands.hpp"
#include "lab/fault/files.hpp"
#include "lab/fault/mutant.hpp"
#include "lab/fault/report_folder.hpp"
#include "lab/fault/shrink_runs.hpp"
#include "lab/fault/tally.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab {
namespace {

struct RunArguments {
  std::vector<std::string> files;
  std::string seed;
  std::string seeds;
  std::vector<std::string> params;
  std::string mutant;
  bool shrink = false;
  std::string tally;
  CampaignOptions campaign;
};

int error(const std::string& text) {
  std::cerr << text << (text.empty() || text.back() != '\n' ? "\n" : "");
  return exit_code(Outcome::error);
}

void shrink_one(const std::string& folder, std::size_t jobs) {
  ShrinkRuns runs;
  runs.jobs = jobs;
  const auto start = std::chrono::steady_clock::now();
  const auto shrunk = shrink_folder(folder, runs);
  if (!shrunk) {
    std::cerr << folder << ": not shrunk: " << shrunk.error() << std::endl;
    return;
  }
  const auto took = std::chrono::steady_clock::now() - start;
  tell(*shrunk, std::chrono::duration_cast<std::chrono::milliseconds>(took),
       "kiwi-fault replay " + script::word_text((std::filesystem::path(folder) / "shrunk").string()));
}

int run(const RunArguments& arguments) {
  if (arguments.shrink && arguments.campaign.backend != "sim") {
    return error("kiwi-fault: --shrink is for the simulator: processes do not repeat a run");
  }
  if (arguments.campaign.twice && arguments.campaign.backend == "process") {
    return error("kiwi-fault: --twice is for the simulator: processes do not repeat a run");
  }
  if (auto done = switch_on_mutant(arguments.mutant); !done) {
    return error("kiwi-fault: " + done.error());
  }
  std::optional<SeedRange> seeds;
  if (!arguments.seed.empty() || !arguments.seeds.empty()) {
    const auto range = parse_seeds(arguments.seed.empty() ? arguments.seeds : arguments.seed);
    if (!range) {
      return error("kiwi-fault: " + range.error());
    }
    seeds = *range;
  }
  std::map<std::string, std::string> params;
  for (const std::string& param : arguments.params) {
    const auto equals = param.find('=');
    if (equals == std::string::npos) {
      return error("kiwi-fault: --param " + param + ": wants name=value");
    }
    params[param.substr(0, equals)] = param.substr(equals + 1);
  }
  const auto files = find_scenarios(arguments.files);
  if (!files) {
    return error("kiwi-fault: " + files.error());
  }
  std::vector<script::Scenario> cases;
  bool mistakes = false;
  for (const auto& file : *files) {
    auto more = cases_of(file, seeds, params);
    if (!more) {
      error(more.error());
      mistakes = true;
      continue;
    }
    std::move(more->begin(), more->end(), std::back_inserter(cases));
  }
  const auto start = std::chrono::steady_clock::now();
  const Campaign campaign = run_campaign(cases, arguments.campaign);
  const auto took = std::chrono::steady_clock::now() - start;
  if (cases.size() > 1) {
    tell_page(write_campaign_page(campaign, arguments.campaign, "kiwi-fault run",
                                  std::chrono::duration_cast<std::chrono::milliseconds>(took)));
  }
  if (arguments.shrink) {
    for (const std::string& folder : campaign.failed) {
      shrink_one(folder, arguments.campaign.jobs);
    }
  } else if (!campaign.failed.empty() && arguments.campaign.backend == "sim") {
    std::cerr << "to make it small: kiwi-fault shrink " << campaign.failed.front() << std::endl;
  }
  if (cases.size() > 1) {
    const std::string text = to_text(campaign, std::chrono::duration_cast<std::chrono::milliseconds>(took));
    std::cout << text.substr(0, text.find('\n') + 1);
  }
  if (!arguments.tally.empty()) {
    if (const auto written = write_tally(campaign, arguments.tally); !written) {
      return error("kiwi-fault: " + written.error());
    }
  }
  return exit_code(mistakes ? Outcome::error : campaign.worst);
}

}  // namespace

void add_run_command(CLI::App& app, int& exit) {
  const auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "Run scenarios; one line for each verdict");
  command->add_option("files", arguments->files, "Scenario files, or folders of them")->required();
  command->add_option("--backend", arguments->campaign.backend, "Where to run: sim or process")
      ->check(CLI::IsMember({"sim", "process"}))
      ->capture_default_str();
  command
      ->add_option("--node", arguments->campaign.node,
                   "With --backend process: the program to run (default: kiwi-node-fault of this build)")
      ->type_name("PATH");
  auto* seed = command->add_option("--seed", arguments->seed, "This seed instead of the one in the file");
  command->add_option("--seeds", arguments->seeds, "Each of these seeds: A..B")->excludes(seed);
  command->add_option("--param", arguments->params, "name=value: a param or matrix of the script");
  command->add_option("--jobs,-j", arguments->campaign.jobs, "Runs at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command
      ->add_option("--report", arguments->campaign.report, "Folder for the folders of runs that do not pass")
      ->capture_default_str();
  command->add_flag("--keep-all,--report-always", arguments->campaign.keep_all,
                    "A folder for every run, also if it passes");
  command->add_flag("--skip-unsupported", arguments->campaign.skip_unsupported,
                    "Scripts that the backend cannot play do not count in the exit code beside others");
  command->add_option("--tally", arguments->tally, kTallyHelp);
  command->add_flag("--twice", arguments->campaign.twice, "Run each case twice and compare the traces");
  command->add_flag("--shrink", arguments->shrink,
                    "Make each script that failed on the simulator small: shrunk.scenario in its folder");
  add_mutant_option(*command, arguments->mutant);
  command->callback([arguments, &exit] { exit = run(*arguments); });
}

}  // namespace kiwi::lab
