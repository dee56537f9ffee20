#pragma once

// The tables of a page, as HTML.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lab/report/focus.hpp"
#include "lab/run/record.hpp"

namespace kiwi::lab::report {

/// A table with a line of heads; cells are HTML. With `numbers` all columns but the first stand to the right.
std::string table(const std::vector<std::string>& heads, const std::vector<std::vector<std::string>>& rows,
                  bool numbers);

/// "<b>what</b> value" pairs, for figures and marks; names are text.
std::string pairs(const std::vector<std::pair<std::string, std::uint64_t>>& values);

std::string checks_table(const RunRecord& record);
std::string operations_table(const RunRecord& record);
std::string faults_table(const RunRecord& record);

/// A script with numbered lines; of that of the run, when each line was first done, and the failing one.
std::string script_lines(const std::string& script, const RunRecord* run, const Focus* focus);

}  // namespace kiwi::lab::report
