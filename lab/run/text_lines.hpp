#pragma once

#include <map>
#include <string>

#include "lab/script/ast.hpp"

namespace kiwi::lab {

/// Line of the scenario's own file -> line of `text`, which is to_text(scenario). Lines of included files are
/// left out.
std::map<int, int> text_lines(const script::Scenario& scenario, const std::string& text);

}  // namespace kiwi::lab
