#include <iostream>
#include <memory>

#include "lab/fault/commands.hpp"
#include "lab/fault/tally.hpp"

namespace kiwi::lab {
namespace {

int tally(const std::vector<std::string>& files) {
  Campaign sum;
  for (const std::string& file : files) {
    if (const auto added = add_tally(sum, file); !added) {
      std::cerr << "kiwi-fault: " << added.error() << "\n";
      return exit_code(Outcome::error);
    }
  }
  std::cout << to_text(sum, sum.took);
  for (const ExcusedMark& mark : excused_marks()) {
    std::cout << "excused mark: " << mark.name << ": " << mark.why << "\n";
  }
  const std::vector<std::string> missing = unreached(sum);
  std::cout << "marks never reached: " << (missing.empty() ? "none" : listed(missing)) << "\n";
  return exit_code(missing.empty() ? Outcome::pass : Outcome::fail);
}

}  // namespace

void add_tally_command(CLI::App& app, int& exit) {
  const auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand(
      "tally", "Add up what runs did (run and fuzz --tally); fails when no run passed some mark");
  command->add_option("files", *files, "Files that --tally wrote")->required();
  command->callback([files, &exit] { exit = tally(*files); });
}

}  // namespace kiwi::lab
