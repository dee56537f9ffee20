#pragma once

// The commands of kiwi-fault, one file each. Each adds its subcommand with its options; when it is chosen, it
// sets `exit_code` to what the process shall end with: of several runs the worst counts, in the order error
// 4, fail 1, unsupported 5, unknown 2, vacuous 3, pass 0.

#include <CLI/CLI.hpp>

namespace kiwi::lab {

void add_run_command(CLI::App& app, int& exit_code);
void add_fuzz_command(CLI::App& app, int& exit_code);
void add_replay_command(CLI::App& app, int& exit_code);
void add_shrink_command(CLI::App& app, int& exit_code);
void add_check_command(CLI::App& app, int& exit_code);
void add_explain_command(CLI::App& app, int& exit_code);
void add_fmt_command(CLI::App& app, int& exit_code);
void add_list_command(CLI::App& app, int& exit_code);
void add_mutants_command(CLI::App& app, int& exit_code);
void add_tally_command(CLI::App& app, int& exit_code);
void add_report_command(CLI::App& app, int& exit_code);
void add_help_command(CLI::App& app, int& exit_code);

}  // namespace kiwi::lab
