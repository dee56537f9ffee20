#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "lab/fault/commands.hpp"
#include "lab/run/verdict.hpp"
#include "lab/script/error.hpp"

namespace {

/// What is wrong with the first word, which must be a command; empty: nothing, or it is a flag.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "-";
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    names.push_back(command->get_name());
  }
  if (word.starts_with("-") || std::find(names.begin(), names.end(), word) != names.end()) {
    return "";
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string hint = kiwi::lab::script::did_you_mean(word, known);
  return "there is no command '" + word + "'" + (hint.empty() ? "" : "; " + hint);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "kiwi-fault runs written scenarios against a cluster and says whether its promises held.\n"
      "Exit codes: 0 pass, 1 fail, 2 unknown, 3 vacuous (nothing was tested), 4 a mistake in usage, script "
      "or\n"
      "laboratory, 5 unsupported by the backend. Of several runs the worst counts: 4, 1, 5, 2, 3, 0.",
      "kiwi-fault"};
  app.require_subcommand(1);
  int exit_code = 0;
  kiwi::lab::add_run_command(app, exit_code);
  kiwi::lab::add_fuzz_command(app, exit_code);
  kiwi::lab::add_replay_command(app, exit_code);
  kiwi::lab::add_shrink_command(app, exit_code);
  kiwi::lab::add_check_command(app, exit_code);
  kiwi::lab::add_explain_command(app, exit_code);
  kiwi::lab::add_fmt_command(app, exit_code);
  kiwi::lab::add_list_command(app, exit_code);
  kiwi::lab::add_mutants_command(app, exit_code);
  kiwi::lab::add_tally_command(app, exit_code);
  kiwi::lab::add_report_command(app, exit_code);
  kiwi::lab::add_help_command(app, exit_code);
  if (const std::string unknown = unknown_command(app, argc, argv); !unknown.empty()) {
    std::cerr << "kiwi-fault: " << unknown << "\nRun with --help for more information.\n";
    return kiwi::lab::exit_code(kiwi::lab::Outcome::error);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    const bool asked_for_help = problem.get_exit_code() == 0;
    app.exit(problem);
    return asked_for_help ? 0 : kiwi::lab::exit_code(kiwi::lab::Outcome::error);
  } catch (const std::exception& problem) {
    std::cerr << "kiwi-fault: " << problem.what() << "\n";
    return kiwi::lab::exit_code(kiwi::lab::Outcome::error);
  }
  return exit_code;
}
