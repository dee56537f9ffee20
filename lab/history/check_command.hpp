#pragma once

// `kiwi-fault check FILE`: the judgement of a recorded history as text.

#include <iosfwd>
#include <string>

#include "lab/history/check.hpp"

namespace kiwi::lab::history {

/// The exit code for a file that is no history: a usage or laboratory error.
inline constexpr int kExitUnreadable = 4;

/// Reads a history from `in`, writes a line of verdict, figures, and the explanation of each finding to
/// `out`. A file that cannot be read as a history: one line to `errors`, which names it as `name`. Returns
/// the exit code.
int check_command(std::istream& in, const std::string& name, const Options& options, std::ostream& out,
                  std::ostream& errors);

/// The text alone, for the report and for the console.
void print(std::ostream& out, const CheckResult& result);

}  // namespace kiwi::lab::history
