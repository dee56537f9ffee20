#include "lab/script/reply_pattern.hpp"

#include <algorithm>

#include "lab/script/lexer.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab::script {
namespace {

constexpr int kMaxDepth = 8;

std::optional<std::int64_t> read_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  const auto number = read_number(negative ? text.substr(1) : text);
  if (!number || (negative && *number == 0)) {
    return std::nullopt;
  }
  const auto value = static_cast<std::int64_t>(*number);
  return negative ? -value : value;
}

using Pattern = std::optional<ReplyPattern>;

Pattern read_one(Lexer& lexer, const Token& token, int depth);

Pattern read_list(Lexer& lexer, int depth) {
  ReplyPattern list{ReplyPattern::Kind::list, {}, 0, {}};
  while (true) {
    const Token token = lexer.next_reply();
    if (token.is_word("]")) {
      return list;
    }
    const auto item = token.is_value() ? read_one(lexer, token, depth + 1) : std::nullopt;
    if (!item) {
      return std::nullopt;
    }
    list.items.push_back(*item);
  }
}

Pattern read_one(Lexer& lexer, const Token& token, int depth) {
  using Kind = ReplyPattern::Kind;
  if (token.kind == Token::Kind::text) {
    return ReplyPattern{Kind::text, token.text, 0, {}};
  }
  if (token.text == "[") {
    return depth < kMaxDepth ? read_list(lexer, depth) : std::nullopt;
  }
  if (token.text == "nil" || token.text == "any") {
    return ReplyPattern{token.text == "nil" ? Kind::nil : Kind::any, {}, 0, {}};
  }
  if (depth == 0 && (token.text == "none" || token.text == "whatever")) {
    return ReplyPattern{token.text == "none" ? Kind::none : Kind::whatever, {}, 0, {}};
  }
  if (const auto number = read_integer(token.text)) {
    return ReplyPattern{Kind::integer, {}, *number, {}};
  }
  const bool plain = std::ranges::all_of(
      token.text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  if (!plain) {
    return std::nullopt;
  }
  return ReplyPattern{
      token.text == "error" ? Kind::error : Kind::status, token.text == "error" ? "" : token.text, 0, {}};
}

Pattern read_all(Lexer& lexer) {
  const Token first = lexer.next_reply();
  auto pattern = first.is_value() ? read_one(lexer, first, 0) : std::nullopt;
  Token token = lexer.next_reply();
  if (pattern && pattern->kind == ReplyPattern::Kind::error) {
    for (; token.is_value(); token = lexer.next_reply()) {
      pattern->text.append(pattern->text.empty() ? "" : " ").append(token.text);
    }
  }
  return token.kind == Token::Kind::end ? pattern : std::nullopt;
}

}  // namespace

std::optional<ReplyPattern> read_reply_pattern(std::string_view text) {
  const SourceLine line{0, 1, 0, std::string(text)};
  Lexer lexer(line, 0, nullptr);
  try {
    return read_all(lexer);
  } catch (const Mistake&) {
    return std::nullopt;
  }
}

std::string write_reply_pattern(const ReplyPattern& pattern) {
  using Kind = ReplyPattern::Kind;
  switch (pattern.kind) {
    case Kind::any:
      return "any";
    case Kind::none:
      return "none";
    case Kind::whatever:
      return "whatever";
    case Kind::nil:
      return "nil";
    case Kind::status:
      return pattern.text;
    case Kind::integer:
      return std::to_string(pattern.number);
    case Kind::text:
      return quoted(pattern.text);
    case Kind::error:
      return pattern.text.empty() ? "error" : "error " + quoted(pattern.text);
    case Kind::list: {
      std::string text = "[";
      for (const auto& item : pattern.items) {
        text.append(text.size() > 1 ? " " : "").append(write_reply_pattern(item));
      }
      return text.append("]");
    }
  }
  return {};
}

}  // namespace kiwi::lab::script
