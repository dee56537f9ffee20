#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kiwi::lab::script {

/// One mistake in a script.
struct Error {
  std::string file;
  int line = 0;             // from 1; 0: about the file as a whole
  int column = 0;           // from 1, in bytes
  int length = 1;           // of what is underlined
  std::string message;      // "unknown verb 'crush'"
  std::string hint;         // "did you mean 'crash'?"; may be empty
  std::string source_line;  // the whole line, control characters shown as blanks; at most 160 bytes
  friend bool operator==(const Error&, const Error&) = default;
};
using Errors = std::vector<Error>;

/// Three lines and no line feed at the end:
///   leader.scenario:3:11: unknown verb 'crush'
///     at 2s     crush leader
///               ^~~~~ did you mean 'crash'?
std::string to_string(const Error& error);
/// One after the other, each with a line feed.
std::string to_string(const Errors& errors);

/// "did you mean 'crash'?" for the nearest of `known` within a third of the length, else empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace kiwi::lab::script
