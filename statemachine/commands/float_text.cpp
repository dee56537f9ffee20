#include "statemachine/commands/float_text.hpp"

#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace kiwi {
namespace {

/// Longer texts are no numbers, as in Redis.
constexpr std::size_t kMaxFloatChars = 5 * 1024;

}  // namespace

std::optional<long double> parse_float(std::string_view text) {
  if (text.empty() || text.size() >= kMaxFloatChars)
    return std::nullopt;
  const std::string terminated(text);
  if (std::isspace(static_cast<unsigned char>(terminated[0])) != 0)
    return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const auto value = std::strtold(terminated.c_str(), &end);
  const bool out_of_range = errno == ERANGE && (std::isinf(value) || value == 0);
  if (end != terminated.c_str() + terminated.size() || out_of_range || std::isnan(value))
    return std::nullopt;
  return value;
}

std::string format_float(long double value) {
  char buffer[kMaxFloatChars];
  const auto size = std::snprintf(buffer, sizeof buffer, "%.17Lf", value);
  std::string text(buffer, static_cast<std::size_t>(size));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.'))
    text.pop_back();
  return text == "-0" ? "0" : text;
}

}  // namespace kiwi
