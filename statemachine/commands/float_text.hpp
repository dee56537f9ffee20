#pragma once

// Floating point as INCRBYFLOAT of Redis reads and prints it: 80-bit extended numbers, 17 digits after the
// point with trailing zeros cut. Results go into the replicated state, so every node must compute the same
// bits: the build refuses a platform whose long double is another format.

#include <cfloat>
#include <optional>
#include <string>
#include <string_view>

namespace kiwi {

static_assert(LDBL_MANT_DIG == 64 && LDBL_MAX_EXP == 16384, "INCRBYFLOAT needs x87 extended precision");

/// Decimal, hexadecimal, "inf"; no surrounding spaces; not NaN. What is out of range is no number.
std::optional<long double> parse_float(std::string_view text);
/// Requires a finite value.
std::string format_float(long double value);

}  // namespace kiwi
