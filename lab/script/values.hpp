#pragma once

// How values are written in scenarios: durations, numbers, probabilities, sizes, rates. Nothing here
// allocates more than its argument. Readers return nullopt for text that is not exactly one such value.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/time.hpp"

namespace kiwi::lab::script {

/// "2s", "1.5s", "150ms", "20us", "7ns", "3m", "1h", "0" (zero needs no unit). At most 100 days; not
/// negative.
std::optional<Time> read_duration(std::string_view text);
/// The same with an optional '-' in front.
std::optional<Time> read_signed_duration(std::string_view text);
/// The shortest exact form in one unit of s, ms, us, ns: "2s", "1500ms". Never m or h. Negative: "-2s".
std::string write_duration(Time time);
/// As lowered lines carry it: seconds, at least six digits after the point, nine when needed: "2.000000s".
std::string write_lowered_time(Time time);

/// "D1..D2" with D1 <= D2, or one duration for both.
std::optional<std::pair<Time, Time>> read_duration_range(std::string_view text);

/// Decimal, without sign and without superfluous zeroes in front: 0 ... 2^63-1.
std::optional<std::uint64_t> read_number(std::string_view text);
/// Decimal fraction without exponent: "1", "0.98", "1.25". Not negative, below 10^9, at most nine digits each
/// side.
std::optional<double> read_fraction(std::string_view text);
/// "0.3" or "30%"; from 0 to 1.
std::optional<double> read_probability(std::string_view text);
/// "512", "64KB", "1MB", "2GB" (powers of 1024): bytes.
std::optional<std::uint64_t> read_bytes(std::string_view text);
/// "200/s": per second.
std::optional<double> read_rate(std::string_view text);
/// "1MB/s": bytes per second, more than 0.
std::optional<std::uint64_t> read_byte_rate(std::string_view text);

/// "get 50, set 40, incr 10": names with weights of 1 to 1,000,000 (1 when left out), no name twice, not
/// empty.
using Weights = std::vector<std::pair<std::string, std::uint64_t>>;
std::optional<Weights> read_weights(std::string_view text);
std::string write_weights(const Weights& weights);

/// Names of loads, variables, marks and so on: a letter or '_', then letters, digits, '_', '-' and '.'; at
/// most 64 bytes; no '-' or '.' at the end.
bool is_name(std::string_view text);
/// "n1" ... "n99": the node of that number (no leading zero).
std::optional<std::uint64_t> read_node(std::string_view text);

/// Between double quotes, with \" \\ \n \r \t and \xHH where needed.
std::string quoted(std::string_view text);
/// As it is when it reads back as one word, else quoted().
std::string word_text(std::string_view text);

}  // namespace kiwi::lab::script
