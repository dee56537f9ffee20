#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "lab/fault/commands.hpp"
#include "lab/history/check_command.hpp"

namespace kiwi::lab {
namespace {

struct CheckArguments {
  std::string file;
  bool stale = false;
  history::Options options;
};

int check(CheckArguments arguments) {
  arguments.options.linearizable = !arguments.stale;
  if (arguments.file == "-") {
    return history::check_command(std::cin, "standard input", arguments.options, std::cout, std::cerr);
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(arguments.file, ignored)) {
    arguments.file = (std::filesystem::path(arguments.file) / "history.jsonl").string();
  }
  std::ifstream in(arguments.file, std::ios::binary);
  if (!in) {
    std::cerr << arguments.file << ": cannot be read\n";
    return history::kExitUnreadable;
  }
  return history::check_command(in, arguments.file, arguments.options, std::cout, std::cerr);
}

}  // namespace

void add_check_command(CLI::App& app, int& exit) {
  const auto arguments = std::make_shared<CheckArguments>();
  CLI::App* command = app.add_subcommand("check", "Judge a recorded history (JSON lines, docs/history.md)");
  command->add_option("history", arguments->file, "The file, or the folder of a run; - for standard input")
      ->required();
  command->add_option("--load", arguments->options.load, "Only keys that this load touched");
  command->add_option("--budget", arguments->options.budget, "Steps of the search, about a million a second")
      ->capture_default_str();
  command->add_flag("--stale", arguments->stale,
                    "Reads may be old: only what holds for those too is checked");
  command->callback([arguments, &exit] { exit = check(*arguments); });
}

}  // namespace kiwi::lab
