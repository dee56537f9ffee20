#pragma once

// Text for HTML pages. Everything that came from a client, a script or a log is hostile until it went through
// escape() or script_json().

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "lab/time.hpp"

namespace kiwi::lab::report {

/// For the text of an element and for attribute values in double quotes. Bytes that are no UTF-8, control
/// characters and those that turn the direction of writing become visible escapes ("\x1b").
std::string escape(std::string_view text);

/// At most about `bytes` of it, cut between characters, then "...".
std::string shortened(std::string_view text, std::size_t bytes);

/// For the inside of a <script type="application/json">: ASCII, and nothing in it ends the element.
std::string script_json(const nlohmann::json& json);

/// Puts the values in the places of {{name}}, in one pass: what a value brings along is never a place.
/// Requires a value for every place.
std::string fill(std::string_view page, const std::map<std::string, std::string>& values);

/// "4.214 s", "0.000131 s".
std::string seconds_text(Time time);
/// "4.214000 s": for lists in which neighbours are close.
std::string exact_seconds_text(Time time);
/// "1.3 ms", "210 us", "12 s": three digits.
std::string duration_text(Time time);
/// Without superfluous zeroes, at most `digits` behind the point.
std::string decimal(double value, int digits);
/// "1,234,567".
std::string grouped(std::uint64_t number);

}  // namespace kiwi::lab::report
