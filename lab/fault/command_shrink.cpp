#include <iostream>
#include <memory>

#include "lab/fault/commands.hpp"
#include "lab/fault/files.hpp"
#include "lab/fault/shrink_runs.hpp"
#include "lab/run/verdict.hpp"
#include "lab/script/values.hpp"
#include "messages/fault_tables.hpp"

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

int run_shrink(ShrinkArguments arguments) {
  const auto budget = script::read_duration(arguments.budget);
  if (!budget || *budget == Time{0}) {
    return error("--budget " + arguments.budget + ": wants a duration such as 90s or 5m");
  }
  std::optional<SeedRange> seeds;
  if (!arguments.seed.empty()) {
    const auto range = parse_seeds(arguments.seed);
    if (!range || range->first != range->last) {
      return error("--seed " + arguments.seed + ": wants one seed");
    }
    seeds = *range;
  }
  std::filesystem::path file = arguments.file;
  if (std::filesystem::is_directory(file)) {
    arguments.output = arguments.output.empty() ? (file / "shrunk.scenario").string() : arguments.output;
    file /= "replay.scenario";
  }
  const auto cases = cases_of(file, seeds, {});
  if (!cases) {
    return error(cases.error());
  }
  if (!arguments.mutant.empty()) {
    if (auto done = fault::switch_on(arguments.mutant); !done) {
      return error(done.error());
    }
  }
  arguments.runs.budget = std::chrono::duration_cast<std::chrono::milliseconds>(*budget);
  arguments.runs.replay = "kiwi-fault replay " +
                          (arguments.output.empty() ? "THIS_FILE" : script::word_text(arguments.output)) +
                          (arguments.mutant.empty() ? "" : " --mutant " + arguments.mutant);
  const auto shrunk = shrink_on_simulator(cases->front(), arguments.runs);
  if (!shrunk) {
    return error(file.string() + ": " + shrunk.error());
  }
  std::cerr << "from " << to_text(shrunk->before) << " to " << to_text(shrunk->after) << " in "
            << shrunk->tries << " runs" << (shrunk->finished ? "" : "; the budget ended it") << std::endl;
  if (arguments.output.empty()) {
    std::cout << shrunk->text;
    return 0;
  }
  if (auto written = write_file(arguments.output, shrunk->text); !written) {
    return error(written.error());
  }
  std::cout << arguments.output << "\n";
  return 0;
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
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option(
      "--output,-o", arguments->output,
      "Where to write it (default: shrunk.scenario in the folder of the run, or standard output)");
  command->add_option("--mutant", arguments->mutant,
                      "With this known bug put back (kiwi-fault mutants --list)");
  command->callback([arguments, &exit] { exit = run_shrink(*arguments); });
}

}  // namespace kiwi::lab
