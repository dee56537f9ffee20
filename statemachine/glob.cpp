#include "statemachine/glob.hpp"

#include <algorithm>
#include <cstddef>

namespace kiwi {
namespace {

/// What one element of a pattern (not '*') says about one byte, and where the next element begins.
struct Element {
  bool matches;
  std::size_t next;
};

Element match_set(std::string_view pattern, std::size_t at, unsigned char byte) {
  const auto in = [&](std::size_t i) { return static_cast<unsigned char>(pattern[i]); };
  ++at;
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated)
    ++at;
  bool found = false;
  for (; at < pattern.size() && pattern[at] != ']'; ++at) {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      ++at;
      found = found || in(at) == byte;
    } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
      const auto low = std::min(in(at), in(at + 2));
      const auto high = std::max(in(at), in(at + 2));
      found = found || (low <= byte && byte <= high);
      at += 2;
    } else {
      found = found || in(at) == byte;
    }
  }
  return {found != negated, std::min(at + 1, pattern.size())};
}

Element match_one(std::string_view pattern, std::size_t at, char byte) {
  switch (pattern[at]) {
    case '?':
      return {true, at + 1};
    case '[':
      return match_set(pattern, at, static_cast<unsigned char>(byte));
    case '\\':
      if (at + 1 < pattern.size())
        ++at;
      [[fallthrough]];
    default:
      return {pattern[at] == byte, at + 1};
  }
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  // Only the last '*' passed can usefully take more bytes: whatever an earlier one could give up, the later
  // one can take. So one place to come back to is enough, and nothing is tried exponentially often.
  constexpr auto kNone = std::string_view::npos;
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = kNone;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    if (p < pattern.size()) {
      const auto element = match_one(pattern, p, text[t]);
      if (element.matches) {
        p = element.next;
        ++t;
        continue;
      }
    }
    if (star == kNone)
      return false;
    p = star;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace kiwi
