#pragma once

// What `do ... -> REPLY` expects.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiwi::lab::script {

struct ReplyPattern {
  enum class Kind {
    any,       // any        whatever comes, errors included
    none,      // none       no reply: the connection is lost, or the time is over
    whatever,  // whatever   any reply, or none
    nil,       // nil
    status,    // OK         a simple string
    integer,   // 42
    text,      // "hello"    a bulk string
    error,     // error MOVED   an error that begins with these words; `error` alone: any
    list,      // [1 "a" nil]
  };
  Kind kind = Kind::any;
  std::string text;         // status, text, error
  std::int64_t number = 0;  // integer
  std::vector<ReplyPattern> items;
  friend bool operator==(const ReplyPattern&, const ReplyPattern&) = default;
};

/// Nothing: no such pattern. Lists in lists up to eight deep.
std::optional<ReplyPattern> read_reply_pattern(std::string_view text);
/// In its one canonical way; reads back as an equal pattern.
std::string write_reply_pattern(const ReplyPattern& pattern);

inline constexpr std::string_view kReplyExpectation =
    "OK, nil, any, none, whatever, a number, a text in quotes, a list in [ ], or 'error' with the first "
    "words of it";

}  // namespace kiwi::lab::script
