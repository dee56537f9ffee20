#include "server/words.hpp"

#include <algorithm>
#include <charconv>

namespace kiwi {

namespace {
constexpr char lower_of(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr char upper_of(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
}  // namespace

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower_of);
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), upper_of);
  return out;
}

bool same_word(std::string_view given, std::string_view lower) {
  return given.size() == lower.size() && std::equal(given.begin(), given.end(), lower.begin(),
                                                    [](char a, char b) { return lower_of(a) == b; });
}

std::optional<std::int64_t> read_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc() || stop != end || std::to_string(value) != text)
    return std::nullopt;
  return value;
}

std::string name_error(std::string_view text, std::string_view what) {
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; }))
    return "ERR " + std::string(what) + " cannot contain spaces, newlines or special characters.";
  if (text.size() > kMaxNameBytes)
    return "ERR " + std::string(what) + " cannot be longer than " + std::to_string(kMaxNameBytes) + " bytes";
  return {};
}

}  // namespace kiwi
