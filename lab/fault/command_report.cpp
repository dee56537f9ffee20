#include <iostream>
#include <memory>

#include "lab/fault/commands.hpp"
#include "lab/fault/report_folder.hpp"
#include "lab/run/verdict.hpp"

namespace kiwi::lab {

void add_report_command(CLI::App& app, int& exit) {
  const auto folders = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("report", "Make the page of a run again from its folder");
  command
      ->add_option("folders", *folders,
                   "Folders of runs; report.html is written into them. A folder with nothing but a "
                   "history.jsonl will do")
      ->required()
      ->check(CLI::ExistingDirectory);
  command->callback([folders, &exit] {
    for (const std::string& folder : *folders) {
      if (const auto page = remake_report(folder)) {
        std::cout << page->string() << "\n";
      } else {
        std::cerr << "kiwi-fault: " << page.error() << "\n";
        exit = exit_code(Outcome::error);
      }
    }
  });
}

}  // namespace kiwi::lab
