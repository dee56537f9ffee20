#include <iostream>
#include <memory>

#include "lab/fault/commands.hpp"
#include "lab/fault/files.hpp"
#include "lab/run/verdict.hpp"
#include "lab/script/format.hpp"

namespace kiwi::lab {
namespace {

struct FmtArguments {
  std::vector<std::string> files;
  bool write = false;
  bool check = false;
};

int fmt(const FmtArguments& arguments) {
  const auto files = find_scenarios(arguments.files);
  if (!files) {
    std::cerr << "kiwi-fault: " << files.error() << "\n";
    return exit_code(Outcome::error);
  }
  Outcome outcome = Outcome::pass;
  for (const auto& file : *files) {
    const auto text = read_file(file);
    if (!text) {
      std::cerr << text.error() << "\n";
      outcome = Outcome::error;
      continue;
    }
    const auto formatted = script::fmt({file.string(), *text});
    if (!formatted) {
      std::cerr << script::to_string(formatted.error());
      outcome = Outcome::error;
    } else if (arguments.check) {
      if (*formatted != *text) {
        std::cout << file.string() << ": not formatted (kiwi-fault fmt -w)\n";
        outcome = worst(outcome, Outcome::fail);
      }
    } else if (!arguments.write) {
      std::cout << *formatted;
    } else if (*formatted != *text) {
      if (const auto written = write_file(file, *formatted); !written) {
        std::cerr << written.error() << "\n";
        outcome = Outcome::error;
      }
    }
  }
  return exit_code(outcome);
}

}  // namespace

void add_fmt_command(CLI::App& app, int& exit) {
  const auto arguments = std::make_shared<FmtArguments>();
  CLI::App* command = app.add_subcommand("fmt", "Show scenarios in their one canonical form");
  command->add_option("files", arguments->files, "Scenario files, or folders of them")->required();
  auto* write = command->add_flag("--write,-w", arguments->write, "Write the files instead");
  command->add_flag("--check", arguments->check, "Only say which files are not; exit code 1 if there is one")
      ->excludes(write);
  command->callback([arguments, &exit] { exit = fmt(*arguments); });
}

}  // namespace kiwi::lab
