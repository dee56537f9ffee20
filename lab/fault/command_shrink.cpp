#include <chrono>
#include <iostream>
#include <memory>

#include "lab/fault/commands.hpp"
#include "lab/fault/files.hpp"
#include "lab/fault/mutant.hpp"
#include "lab/fault/shrink_runs.hpp"
#include "lab/run/verdict.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab {
namespace {

struct ShrinkArguments {
  std::string file;
  std::string seed;
  std::string budget = "5m";
  std::string output;
  std::string mutant;
  ShrinkRuns runs;
};

int error(const std::string& text) {
  std::cerr << "kiwi-fault: " << text << (text.empty() || text.back() != '\n' ? "\n" : "");
  return exit_code(Outcome::error);
}

std::chrono::milliseconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

/// The folder of a run.
int shrink_recorded(const ShrinkArguments& arguments) {
  if (!arguments.seed.empty() || !arguments.mutant.empty() || !arguments.output.empty()) {
    return error("--seed, --mutant and --output go with a file; a folder says seed and mutant itself");
  }
  const auto start = std::chrono::steady_clock::now();
  const auto shrunk = shrink_folder(arguments.file, arguments.runs);
  if (!shrunk) {
    return error(arguments.file + ": " + shrunk.error());
  }
  tell(*shrunk, since(start),
       "kiwi-fault replay " + script::word_text((std::filesystem::path(arguments.file) / "shrunk").string()));
  return 0;
}

int shrink_file(ShrinkArguments arguments) {
  std::optional<SeedRange> seeds;
  if (!arguments.seed.empty()) {
    const auto range = parse_seeds(arguments.seed);
    if (!range || range->first != range->last) {
      return error("--seed " + arguments.seed + ": wants one seed");
    }
    seeds = *range;
  }
  const auto cases = cases_of(arguments.file, seeds, {});
  if (!cases) {
    return error(cases.error());
  }
  if (auto on = switch_on_mutant(arguments.mutant); !on) {
    return error(on.error());
  }
  const std::string again =
      replay_command(arguments.output.empty() ? "THIS_FILE" : arguments.output, arguments.mutant);
  arguments.runs.replay = again;
  const auto start = std::chrono::steady_clock::now();
  const auto shrunk = shrink_on_simulator(cases->front(), arguments.runs);
  if (!shrunk) {
    return error(arguments.file + ": " + shrunk.error());
  }
  if (arguments.output.empty()) {
    std::cout << shrunk->text;
    return 0;
  }
  if (auto written = write_file(arguments.output, shrunk->text); !written) {
    return error(written.error());
  }
  tell(*shrunk, since(start), again);
  return 0;
}

int run_shrink(ShrinkArguments arguments) {
  const auto budget = script::read_duration(arguments.budget);
  if (!budget || *budget == Time{0}) {
    return error("--budget " + arguments.budget + ": wants a duration such as 90s or 5m");
  }
  arguments.runs.budget = std::chrono::duration_cast<std::chrono::milliseconds>(*budget);
  return std::filesystem::is_directory(arguments.file) ? shrink_recorded(arguments)
                                                       : shrink_file(std::move(arguments));
}

}  // namespace

void add_shrink_command(CLI::App& app, int& exit) {
  const auto arguments = std::make_shared<ShrinkArguments>();
  CLI::App* command = app.add_subcommand(
      "shrink", "Make a failing script small: fewer lines, clients, keys, operations, nodes, rounder times");
  command
      ->add_option("file", arguments->file,
                   "A lowered script, a scenario (it is run first), or the folder of a run")
      ->required();
  command->add_option("--seed", arguments->seed, "This seed instead of the one in the file");
  command->add_option("--budget", arguments->budget, "Real time to spend")->capture_default_str();
  command
      ->add_option("--jobs,-j", arguments->runs.jobs, "Runs at the same time; changes nothing but the time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option(
      "--output,-o", arguments->output,
      "Of a file: where to write it (default: standard output). Of a folder it is shrunk.scenario there");
  add_mutant_option(*command, arguments->mutant);
  command->callback([arguments, &exit] { exit = run_shrink(*arguments); });
}

}  // namespace kiwi::lab
