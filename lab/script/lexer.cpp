#include "lab/script/lexer.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "lab/script/parse.hpp"

namespace kiwi::lab::script {
namespace {

constexpr std::array<std::string_view, 14> kSigns{"<->", "->", "!=", "<=", ">=", "{", "}",
                                                  "(",   ")",  ",",  "=",  "<",  ">", "!"};

bool is_blank(char c) { return c == ' '; }
bool is_param_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct ParamName {
  std::string name;
  std::size_t end = 0;  // behind it
};
/// text[at] is '$'. Nothing: it is just a dollar sign.
std::optional<ParamName> param_at(std::string_view text, std::size_t at) {
  const bool braces = at + 1 < text.size() && text[at + 1] == '{';
  const std::size_t from = at + (braces ? 2 : 1);
  std::size_t to = from;
  while (to < text.size() && is_param_letter(text[to])) {
    ++to;
  }
  if (to == from || (text[from] >= '0' && text[from] <= '9') ||
      (braces && (to == text.size() || text[to] != '}'))) {
    return std::nullopt;
  }
  return ParamName{std::string(text.substr(from, to - from)), to + (braces ? 1 : 0)};
}

}  // namespace

void fail_at(const Token& token, std::string message, std::string hint) {
  throw Mistake{token.begin, std::max(token.end, token.begin + 1), std::move(message), std::move(hint)};
}

std::optional<std::string> whole_param(std::string_view text) {
  if (!text.starts_with('$')) {
    return std::nullopt;
  }
  const auto found = param_at(text, 0);
  return found && found->end == text.size() ? std::optional(found->name) : std::nullopt;
}

Lexer::Lexer(const SourceLine& line, std::size_t from, const Params* params)
    : line_(line), text_(line.text), at_(from), params_(params) {}

void Lexer::skip_blanks() {
  while (at_ < text_.size() && is_blank(text_[at_])) {
    ++at_;
  }
}

void Lexer::fill(std::size_t count) {
  while (ahead_.size() < count) {
    ahead_.push_back(read());
  }
}
const Token& Lexer::peek() {
  fill(1);
  return ahead_[0];
}
const Token& Lexer::peek_second() {
  fill(2);
  return ahead_[1];
}
Token Lexer::next() {
  fill(1);
  Token token = std::move(ahead_.front());
  ahead_.pop_front();
  return token;
}
bool Lexer::take(std::string_view sign) { return peek().is(sign) && (next(), true); }
bool Lexer::take_word(std::string_view word) { return peek().is_word(word) && (next(), true); }

std::string_view Lexer::comment() {
  const std::size_t before = at_;
  skip_blanks();
  const auto rest = text_.substr(at_);
  at_ = before;
  return rest.starts_with('#') ? rest : std::string_view();
}

Token Lexer::read() {
  if (!spliced_.empty()) {
    Token token = std::move(spliced_.front());
    spliced_.pop_front();
    return token;
  }
  skip_blanks();
  if (at_ >= text_.size() || text_[at_] == '#') {
    return {Token::Kind::end, {}, at_, at_, false};
  }
  if (text_[at_] == '"') {
    return read_text();
  }
  for (const auto sign : kSigns) {
    if (text_.substr(at_).starts_with(sign)) {
      at_ += sign.size();
      return {Token::Kind::sign, std::string(sign), at_ - sign.size(), at_, false};
    }
  }
  Token word = read_word(false);
  return splice(word, false) ? read() : word;
}

Token Lexer::next_raw(bool brackets) {
  if (!ahead_.empty() && !ahead_.front().spliced) {
    at_ = ahead_.front().begin;
    ahead_.clear();
    spliced_.clear();
  }
  if (!ahead_.empty() || !spliced_.empty()) {
    return next();
  }
  skip_blanks();
  if (at_ >= text_.size() || text_[at_] == '#') {
    return {Token::Kind::end, {}, at_, at_, false};
  }
  if (text_[at_] == '"') {
    Token quoted_word = read_text();
    if (at_ < text_.size() && !is_blank(text_[at_]) &&
        !(brackets && (text_[at_] == '[' || text_[at_] == ']'))) {
      throw Mistake{quoted_word.begin, at_ + 1, "a blank must follow a text in quotes", {}};
    }
    return quoted_word;
  }
  Token word = read_word(true, brackets);
  if (word.text == "->") {
    word.kind = Token::Kind::sign;
  }
  return splice(word, true) ? next_raw(brackets) : word;
}

Token Lexer::read_text() {
  Token token{Token::Kind::text, {}, at_, at_, false};
  ++at_;
  while (at_ < text_.size() && text_[at_] != '"') {
    char c = text_[at_];
    if (c == '$' && params_ != nullptr) {
      paste_param(at_, text_.size(), token.text);
      continue;
    }
    ++at_;
    if (c == '\\') {
      const std::size_t escape = at_ - 1;
      const char kind = at_ < text_.size() ? text_[at_++] : '\0';
      if (kind == 'x' && at_ + 1 < text_.size() && hex_digit(text_[at_]) >= 0 &&
          hex_digit(text_[at_ + 1]) >= 0) {
        c = static_cast<char>(hex_digit(text_[at_]) * 16 + hex_digit(text_[at_ + 1]));
        at_ += 2;
      } else if (const auto known = std::string_view("nrt\"\\$").find(kind);
                 kind != '\0' && known != std::string_view::npos) {
        c = "\n\r\t\"\\$"[known];
      } else {
        throw Mistake{escape, std::min(escape + 2, text_.size()), "unknown escape in a text",
                      "known are \\\" \\\\ \\$ \\n \\r \\t and \\xHH"};
      }
    }
    token.text.push_back(c);
  }
  if (at_ >= text_.size()) {
    throw Mistake{token.begin, text_.size(), "this text does not end", "close it with \" on the same line"};
  }
  token.end = ++at_;
  return token;
}

Token Lexer::read_word(bool raw, bool brackets) {
  const std::size_t begin = at_;
  while (at_ < text_.size() && !is_blank(text_[at_])) {
    const char c = text_[at_];
    if (c == '$' && text_.substr(at_).starts_with("${")) {
      if (const auto param = param_at(text_, at_)) {
        at_ = param->end;
        continue;
      }
    }
    if (brackets && (c == '[' || c == ']')) {
      at_ += at_ == begin ? 1 : 0;
      break;
    }
    const bool arrow = text_.substr(at_).starts_with("->");
    if (!raw && (arrow || std::string_view("\"{}(),=<>!").find(c) != std::string_view::npos)) {
      break;
    }
    ++at_;
  }
  return {Token::Kind::word, pasted(begin, at_), begin, at_, false};
}

std::string Lexer::pasted(std::size_t begin, std::size_t end) const {
  const auto word = text_.substr(begin, end - begin);
  if (params_ == nullptr || whole_param(word)) {
    return std::string(word);
  }
  std::string result;
  for (std::size_t at = begin; at < end;) {
    if (text_[at] == '$') {
      paste_param(at, end, result);
    } else {
      result.push_back(text_[at++]);
    }
  }
  return result;
}

void Lexer::paste_param(std::size_t& at, std::size_t end, std::string& into) const {
  const auto param = param_at(text_.substr(0, end), at);
  if (!param) {
    into.push_back(text_[at++]);
    return;
  }
  const auto found = params_->find(param->name);
  if (found == params_->end()) {
    std::vector<std::string_view> known;
    for (const auto& [name, value] : *params_) {
      known.push_back(name);
    }
    throw Mistake{at, param->end, "there is no param '" + param->name + "'",
                  did_you_mean(param->name, known)};
  }
  into.append(found->second);
  if (into.size() > kMaxLineBytes) {
    throw Mistake{at, param->end, "with its params this becomes too long", {}};
  }
  at = param->end;
}

bool Lexer::splice(const Token& word, bool raw) {
  if (params_ == nullptr || !whole_param(word.text)) {
    return false;
  }
  SourceLine value{line_.file, line_.number, 0, {}};
  std::size_t at = word.begin;
  paste_param(at, word.end, value.text);
  Lexer inner(value, 0, nullptr);
  for (Token token = raw ? inner.next_raw() : inner.next(); token.kind != Token::Kind::end;
       token = raw ? inner.next_raw() : inner.next()) {
    token.begin = word.begin;
    token.end = word.end;
    token.spliced = true;
    spliced_.push_back(std::move(token));
  }
  return true;
}

}  // namespace kiwi::lab::script
