#pragma once

// Scenarios as text.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "lab/script/ast.hpp"
#include "lab/script/error.hpp"
#include "lab/script/parse.hpp"

namespace kiwi::lab::script {

/// The canonical form of a script, comments, params, matrices and includes kept; it means the same, and
/// formatting it again changes nothing. Refused when a line cannot be read as words, or does not stand below
/// its neighbours; other mistakes are left as they are.
tl::expected<std::string, Errors> fmt(const Source& source);

/// The scenario as a script that parses to an equal value (`params` and `which` are written out in what they
/// gave).
std::string to_text(const Scenario& scenario);

std::string to_text(const Selector& selector);
std::string to_text(const Link& link);
std::string to_text(const Predicate& predicate);
std::string to_text(const Event& event);
std::string to_text(const VerbCall& call);
std::string to_text(const Expect& expect);
std::string to_text(const When& when);
std::string_view to_text(Compare compare);

}  // namespace kiwi::lab::script
