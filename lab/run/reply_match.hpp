#pragma once

// Whether the result of a `do` line is what it says.

#include <string>
#include <vector>

#include "lab/run/commands.hpp"

namespace kiwi::lab {

/// `pattern` as in lab/script/reply_pattern.hpp; empty: any reply but an error. Empty when it matches, else
/// what came instead.
std::string wrong_result(const std::string& pattern, const CommandResult& result);

/// The words of a command on one line.
std::string text_of_words(const std::vector<std::string>& words);

}  // namespace kiwi::lab
