#include <iostream>
#include <memory>

#include "lab/fault/campaign.hpp"
#include "lab/fault/commands.hpp"
#include "lab/fault/files.hpp"
#include "lab/fault/folder.hpp"
#include "lab/fault/jobs.hpp"
#include "lab/fault/mutant.hpp"
#include "lab/fault/scratch.hpp"

namespace kiwi::lab {
namespace {

struct ReplayArguments {
  std::string file;
  std::string report;
  std::string mutant;
  CampaignOptions campaign;
};

int play(const ReplayArguments& arguments, const std::vector<script::Scenario>& cases,
         const std::string& recorded) {
  RunOptions options;
  options.detail = !arguments.report.empty();
  const auto made = make_backend(arguments.campaign, options);
  if (!made) {
    std::cerr << "kiwi-fault: " << made.error() << "\n";
    return exit_code(Outcome::error);
  }
  const RunRecord record = run_scenario(cases.front(), options, *made);
  std::cout << to_text(summary_of(record)) << "\n";
  if (!record.verdict.check.empty()) {
    std::cout << "check: " << record.verdict.check << "\n";
  }
  if (!record.explanation.empty()) {
    std::cout << record.explanation << "\n";
  }
  const std::string hash = std::to_string(record.trace_hash);
  std::cout << "trace " << hash
            << (recorded.empty() ? "" : (recorded == hash ? ", as recorded" : ", recorded was " + recorded))
            << "\n";
  if (!arguments.report.empty()) {
    if (auto written = write_folder(std::filesystem::path(arguments.report) / folder_name(record), record);
        !written) {
      std::cerr << "kiwi-fault: " << written.error() << "\n";
      return exit_code(Outcome::error);
    }
  }
  return exit_code(record.verdict.outcome);
}

int replay(const ReplayArguments& arguments) {
  std::filesystem::path file = arguments.file;
  std::string recorded;
  std::string mutant = arguments.mutant;
  if (std::filesystem::is_directory(file)) {
    const Recorded before = recorded_in(file);
    recorded = before.trace_hash;
    mutant = mutant.empty() ? before.mutant : mutant;
    file /= "replay.scenario";
  }
  const auto cases = cases_of(file, std::nullopt, {});
  if (!cases) {
    std::cerr << cases.error();
    return exit_code(Outcome::error);
  }
  if (auto done = switch_on_mutant(mutant); !done) {
    std::cerr << "kiwi-fault: " << done.error() << "\n";
    return exit_code(Outcome::error);
  }
  const auto& backend = arguments.campaign.backend;
  if (backend == "sim") {
    return play(arguments, *cases, recorded);
  }
  // In a child, so that a signal ends all nodes before this program.
  ReplayArguments with_scratch = arguments;
  const Scratch scratch;
  with_scratch.campaign.scratch = scratch.path();
  int code = exit_code(Outcome::error);
  run_jobs(
      1, 1, [&](std::size_t) { return std::to_string(play(with_scratch, *cases, recorded)); },
      [&](std::size_t, const std::string& result, const std::string& died) {
        if (!died.empty()) {
          std::cerr << "kiwi-fault: " << died << "\n";
        } else {
          code = std::stoi(result);
        }
      });
  return code;
}

}  // namespace

void add_replay_command(CLI::App& app, int& exit) {
  const auto arguments = std::make_shared<ReplayArguments>();
  CLI::App* command =
      app.add_subcommand("replay", "Run a lowered script again, or the one in the folder of a run");
  command->add_option("file", arguments->file, "replay.scenario, or the folder it lies in")->required();
  command->add_option("--report", arguments->report, "Folder to leave the run's folder in");
  command->add_option("--backend", arguments->campaign.backend, "Where to run: sim or process")
      ->check(CLI::IsMember({"sim", "process"}))
      ->capture_default_str();
  command->add_option("--node", arguments->campaign.node, "With --backend process: the program to run")
      ->type_name("PATH");
  add_mutant_option(*command, arguments->mutant);
  command->callback([arguments, &exit] { exit = replay(*arguments); });
}

}  // namespace kiwi::lab
