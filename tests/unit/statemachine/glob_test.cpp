#include "statemachine/glob.hpp"

#include <gtest/gtest.h>

#include <string>

namespace kiwi {
namespace {

struct Case {
  const char* pattern;
  const char* text;
  bool matches;
};

TEST(Glob, MatchesAsRedisDoes) {
  const Case cases[] = {
      {"*", "", true},
      {"*", "anything", true},
      {"", "", true},
      {"", "a", false},
      {"a", "a", true},
      {"a", "ab", false},
      {"?", "", false},
      {"h?llo", "hello", true},
      {"h*llo", "hllo", true},
      {"h*llo", "heeello", true},
      {"h[ae]llo", "hallo", true},
      {"h[ae]llo", "hillo", false},
      {"h[^e]llo", "hallo", true},
      {"h[^e]llo", "hello", false},
      {"h[a-b]llo", "hbllo", true},
      {"h[b-a]llo", "hallo", true},
      {"[a-c]x", "dx", false},
      {"\\*", "*", true},
      {"\\*", "x", false},
      {"a\\", "a\\", true},
      {"[\\]]", "]", true},
      {"[a", "a", true},
      {"[a", "b", false},
      {"[^a", "b", true},
      {"[]", "a", false},
      {"a*b*c", "axxbyyc", true},
      {"a*b*c", "axxbyy", false},
      {"**a**", "bab", true},
      {"K", "k", false},
      {"*[0-9]", "key7", true},
      {"*[0-9]", "key", false},
      {"[a-", "-", true},
      {"[a-]", "-", false},
  };
  for (const auto& c : cases)
    EXPECT_EQ(glob_matches(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
}

TEST(Glob, HostilePatternsCostNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  pattern += "*b";
  EXPECT_FALSE(glob_matches(pattern, std::string(20'000, 'a')));
}

}  // namespace
}  // namespace kiwi
