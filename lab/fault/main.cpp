#include <exception>
#include <iostream>

#include "lab/fault/commands.hpp"
#include "lab/run/verdict.hpp"

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
  kiwi::lab::add_report_command(app, exit_code);
  kiwi::lab::add_help_command(app, exit_code);
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
