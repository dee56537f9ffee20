#pragma once

// Small readings of what a client wrote. ASCII only, as in Redis.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiwi {

std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
/// `lower` is in lower case already.
bool same_word(std::string_view given, std::string_view lower);
/// A 64-bit integer the way Redis writes it: no sign but '-', no leading zeros or blanks.
std::optional<std::int64_t> read_integer(std::string_view text);
/// Longest name that a client may give itself or its library; Redis has no such limit, but everything that a
/// connection holds is bounded here (rule 10).
inline constexpr std::size_t kMaxNameBytes = 1024;
/// Is `text` fit for a client's name and the like: printable ASCII without blanks, not too long? The error
/// begins with `what`, and is empty when it is fit.
std::string name_error(std::string_view text, std::string_view what);

}  // namespace kiwi
