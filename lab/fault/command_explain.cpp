#include <iostream>
#include <memory>

#include "lab/fault/commands.hpp"
#include "lab/fault/files.hpp"
#include "lab/run/verdict.hpp"
#include "lab/script/explain.hpp"

namespace kiwi::lab {

void add_explain_command(CLI::App& app, int& exit) {
  const auto file = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("explain", "Say in plain words what a scenario will do");
  command->add_option("file", *file, "The scenario")->required();
  command->callback([file, &exit] {
    const auto cases = cases_of(*file, std::nullopt, {});
    if (!cases) {
      std::cerr << cases.error();
      exit = exit_code(Outcome::error);
      return;
    }
    for (const script::Scenario& scenario : *cases) {
      std::cout << script::explain(scenario);
    }
  });
}

}  // namespace kiwi::lab
