#include <iostream>
#include <memory>

#include "lab/fault/commands.hpp"
#include "lab/fault/files.hpp"
#include "lab/run/verdict.hpp"

namespace kiwi::lab {
namespace {

int list(const std::vector<std::string>& names) {
  const auto files = find_scenarios(names);
  if (!files) {
    std::cerr << "kiwi-fault: " << files.error() << "\n";
    return exit_code(Outcome::error);
  }
  int result = 0;
  for (const auto& file : *files) {
    const auto cases = cases_of(file, std::nullopt, {});
    if (!cases) {
      std::cerr << cases.error();
      result = exit_code(Outcome::error);
      continue;
    }
    const script::Scenario& scenario = cases->front();
    std::cout << file.string() << ": " << scenario.about
              << (cases->size() > 1 ? " (" + std::to_string(cases->size()) + " cases)" : "");
    if (const auto lacking = script::unsupported(scenario, "process"); !lacking.empty()) {
      std::cout << " [simulator only]";
    }
    std::cout << "\n";
  }
  return result;
}

}  // namespace

void add_list_command(CLI::App& app, int& exit) {
  const auto files = std::make_shared<std::vector<std::string>>(1, "tests/scenarios");
  CLI::App* command = app.add_subcommand("list", "List scenarios and what they are about");
  command->add_option("files", *files, "Scenario files, or folders of them")->capture_default_str();
  command->callback([files, &exit] { exit = list(*files); });
}

}  // namespace kiwi::lab
