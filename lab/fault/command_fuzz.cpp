#include <chrono>
#include <iostream>
#include <memory>

#include "lab/fault/campaign.hpp"
#include "lab/fault/canary.hpp"
#include "lab/fault/commands.hpp"
#include "lab/fault/files.hpp"
#include "lab/fault/mutant.hpp"
#include "lab/fault/report_folder.hpp"
#include "lab/fault/stock_scenario.hpp"
#include "lab/fault/tally.hpp"

namespace kiwi::lab {
namespace {

struct FuzzArguments {
  std::string file;
  std::string seeds = "1..100";
  std::uint64_t seconds = 60;
  bool canaries = true;
  std::string mutant;
  std::string tally;
  CampaignOptions campaign;
};

int error(const std::string& text) {
  std::cerr << text << (text.empty() || text.back() != '\n' ? "\n" : "");
  return exit_code(Outcome::error);
}

int fuzz(FuzzArguments& arguments) {
  const auto seeds = parse_seeds(arguments.seeds);
  if (!seeds) {
    return error("kiwi-fault: " + seeds.error());
  }
  if (auto done = switch_on_mutant(arguments.mutant); !done) {
    return error("kiwi-fault: " + done.error());
  }
  tl::expected<std::vector<script::Scenario>, std::string> cases;
  if (arguments.file.empty()) {
    script::ParseOptions options;
    // The script keeps some seconds for itself at both ends of the random block.
    options.params["faults"] = std::to_string(arguments.seconds - 3) + "s";
    arguments.campaign.min_simulated = std::chrono::seconds(arguments.seconds);
    cases = cases_of_text("stock.scenario", std::string(kStockScenario), *seeds, options);
  } else {
    cases = cases_of(arguments.file, *seeds, {});
  }
  if (!cases) {
    return error(cases.error());
  }
  const auto start = std::chrono::steady_clock::now();
  const Campaign campaign = run_campaign(*cases, arguments.campaign);
  const auto took = std::chrono::steady_clock::now() - start;
  std::cout << to_text(campaign, std::chrono::duration_cast<std::chrono::milliseconds>(took));
  tell_page(write_campaign_page(campaign, arguments.campaign,
                                "kiwi-fault fuzz, seeds " + arguments.seeds +
                                    (arguments.mutant.empty() ? "" : ", with the mutant " + arguments.mutant),
                                std::chrono::duration_cast<std::chrono::milliseconds>(took)));
  Outcome outcome = campaign.worst;
  const std::vector<std::string> missing = unreached(campaign);
  std::cout << "marks never reached: " << (missing.empty() ? "none" : listed(missing)) << "\n";
  if (!arguments.tally.empty()) {
    if (const auto written = write_tally(campaign, arguments.tally); !written) {
      return error("kiwi-fault: " + written.error());
    }
  }
  if (arguments.canaries && arguments.mutant.empty()) {
    const Canaries canaries = run_canaries(*cases, arguments.campaign.jobs);
    std::cout << "canaries: " << canaries.reported << " of " << canaries.runs << " reported\n";
    for (const std::string& silent : canaries.silent) {
      std::cout << "a canary was not reported: " << silent << "\n";
    }
    if (canaries.runs == 0 || canaries.reported < canaries.runs) {
      outcome = worst(outcome, Outcome::error);
    }
  }
  return exit_code(outcome);
}

}  // namespace

void add_fuzz_command(CLI::App& app, int& exit) {
  const auto arguments = std::make_shared<FuzzArguments>();
  arguments->campaign.every_line = false;
  arguments->campaign.min_operations = 500;
  arguments->campaign.min_faults = 10;
  CLI::App* command =
      app.add_subcommand("fuzz", "Run the stock campaign: random faults, one run for each seed");
  command->add_option("--seeds", arguments->seeds, "Seeds to run: A..B")->capture_default_str();
  command->add_option("--seconds", arguments->seconds, "Simulated time of a run, of the stock campaign only")
      ->check(CLI::Range(10, 100000))
      ->capture_default_str();
  command->add_option("--scenario", arguments->file, "This scenario instead of the stock campaign");
  command
      ->add_option("--min-operations", arguments->campaign.min_operations,
                   "Fewer operations in a run are vacuous")
      ->capture_default_str();
  command->add_option("--min-faults", arguments->campaign.min_faults, "Fewer faults in a run are vacuous")
      ->capture_default_str();
  command->add_option("--jobs,-j", arguments->campaign.jobs, "Runs at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command
      ->add_option("--report", arguments->campaign.report, "Folder for the folders of runs that do not pass")
      ->capture_default_str();
  command->add_option("--tally", arguments->tally, kTallyHelp);
  command->add_flag("--twice", arguments->campaign.twice, "Run each seed twice and compare the traces");
  command->add_flag("!--no-canaries", arguments->canaries,
                    "Leave out the runs, one in a hundred, with a lie built in that must be reported");
  add_mutant_option(*command, arguments->mutant);
  command->callback([arguments, &exit] { exit = fuzz(*arguments); });
}

}  // namespace kiwi::lab
