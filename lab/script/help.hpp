#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace kiwi::lab::script {

/// All verbs by group, predicates, selectors, time words: one line each. For a terminal, at most 100 columns.
std::string help();
/// One verb, predicate, selector, time word or line of the head in full. The error says what was not found,
/// with a hint.
tl::expected<std::string, std::string> help(std::string_view word);
/// docs/lab-verbs.md as a whole. A test compares the file with this.
std::string reference_page();

}  // namespace kiwi::lab::script
