#include <iostream>
#include <memory>

#include "lab/fault/commands.hpp"
#include "lab/run/verdict.hpp"
#include "lab/script/help.hpp"

namespace kiwi::lab {

void add_help_command(CLI::App& app, int& exit) {
  const auto word = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("help", "Explain the language of scenarios: all of it, or one word");
  command->add_option("word", *word, "A verb, predicate, selector, time word or line of the head");
  const auto page = std::make_shared<bool>(false);
  command->add_flag("--page", *page, "The whole reference as Markdown (docs/lab-verbs.md)");
  command->callback([word, page, &exit] {
    if (*page) {
      std::cout << script::reference_page();
      return;
    }
    if (word->empty()) {
      std::cout << script::help();
      return;
    }
    const auto text = script::help(*word);
    if (!text) {
      std::cerr << "kiwi-fault: " << text.error() << "\n";
      exit = exit_code(Outcome::error);
      return;
    }
    std::cout << *text;
  });
}

}  // namespace kiwi::lab
