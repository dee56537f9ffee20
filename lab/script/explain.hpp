#pragma once

#include <string>

#include "lab/script/ast.hpp"

namespace kiwi::lab::script {

/// What a scenario will do, in plain English, a line for each line of it. Ends with a line feed.
std::string explain(const Scenario& scenario);
std::string explain(const VerbCall& call);
std::string explain(const Predicate& predicate);
std::string explain(const Selector& selector);

}  // namespace kiwi::lab::script
