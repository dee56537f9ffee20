#pragma once

// One line of a script as words. Inside lab/script only.

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lab/script/error.hpp"
#include "lab/script/place.hpp"

namespace kiwi::lab::script {

/// One line of the sources, without its line feed.
struct SourceLine {
  int file = 0;
  int number = 0;          // from 1
  std::size_t indent = 0;  // blanks in front
  std::string text;        // all of it
};

struct Token {
  enum class Kind { word, text, sign, end };
  Kind kind = Kind::end;
  std::string text;       // of a text without its quotes and escapes; of a sign e.g. "<->"
  std::size_t begin = 0;  // in the line; what `$name` brought stands where that stood
  std::size_t end = 0;
  bool spliced = false;  // comes from a param
  bool is(std::string_view sign) const { return kind == Kind::sign && text == sign; }
  bool is_word(std::string_view word) const { return kind == Kind::word && text == word; }
  bool is_value() const { return kind == Kind::word || kind == Kind::text; }
};

/// Thrown by the lexer and the parts of the parser at the first mistake of a line; caught once per line.
struct Mistake {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string message;
  std::string hint;
};

using Params = std::map<std::string, std::string>;

class Lexer {
 public:
  /// `params` null: `$name` is left as it stands. Both must live longer.
  Lexer(const SourceLine& line, std::size_t from, const Params* params);

  /// The next word, text or sign; kind end behind the last one and before a comment.
  const Token& peek();
  const Token& peek_second();
  /// Goes on at this byte of the line. Nothing was read yet.
  void skip(std::size_t to) { at_ = to; }
  Token next();
  bool at_end() { return peek().kind == Token::Kind::end; }
  bool take(std::string_view sign);
  bool take_word(std::string_view word);

  /// For Redis commands: split at blanks and quotes only. "->" and "#" count only as a word of their own.
  /// Must not be mixed with a peek() that was not consumed.
  Token next_raw() { return next_raw(false); }
  /// The same, but "[" and "]" are words of their own: for replies.
  Token next_reply() { return next_raw(true); }

  const SourceLine& line() const { return line_; }
  Place place(const Token& token) const {
    return {line_.file, line_.number, static_cast<int>(token.begin) + 1};
  }
  /// Behind the last token: begins with '#', or empty.
  std::string_view comment();

 private:
  Token read();
  Token read_text();
  Token next_raw(bool brackets);
  Token read_word(bool raw, bool brackets = false);
  void skip_blanks();
  /// Pastes the values of `$name` in [begin, end) of the line.
  std::string pasted(std::size_t begin, std::size_t end) const;
  void paste_param(std::size_t& at, std::size_t end, std::string& into) const;
  bool splice(const Token& word, bool raw);
  void fill(std::size_t count);

  const SourceLine& line_;
  std::string_view text_;
  std::size_t at_ = 0;
  const Params* params_;
  std::deque<Token> ahead_;
  std::deque<Token> spliced_;
};

/// The name in "$name" or "${name}" when `text` is exactly that.
std::optional<std::string> whole_param(std::string_view text);
[[noreturn]] void fail_at(const Token& token, std::string message, std::string hint = {});

}  // namespace kiwi::lab::script
