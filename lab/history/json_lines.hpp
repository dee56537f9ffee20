#pragma once

// Histories as files: a header line, then one JSON object a line. The format is documented in
// docs/history.md.

#include <cstdint>
#include <iosfwd>
#include <string>
#include <tl/expected.hpp>

#include "lab/history/history.hpp"

namespace kiwi::lab::history {

inline constexpr int kFormatVersion = 1;

struct ReadLimits {
  std::size_t line_bytes = std::size_t{16} << 20;
  std::size_t operations = 20'000'000;
};

struct ReadError {
  std::size_t line = 0;  // from 1
  std::string what;
  friend bool operator==(const ReadError&, const ReadError&) = default;
};
/// "line 3: ..."
std::string to_string(const ReadError& error);

/// The same history gives the same bytes. Whether writing worked is for the caller to ask the stream.
void write_json_lines(std::ostream& out, const History& history);

/// Strict: an unknown field, a doubled one, a missing one or one of the wrong type is an error, so that a
/// history is never read as less than it says. Reads what write_json_lines wrote back to an equal value.
tl::expected<History, ReadError> read_json_lines(std::istream& in, const ReadLimits& limits = {});

}  // namespace kiwi::lab::history
