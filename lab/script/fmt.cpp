#include <algorithm>
#include <utility>
#include <vector>

#include "lab/script/format.hpp"
#include "lab/script/source.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab::script {
namespace {

/// Where values of the head and first statements of blocks begin.
constexpr std::size_t kBodyColumn = 10;
constexpr std::string_view kTimeWords = "at|after|when|every|fuzz";
constexpr std::string_view kHeads =
    "scenario|about|cluster|load|noise|always|finally|include|param|matrix|draw";

/// Puts the words of one line in order, with the blanks they want. Works on words, not on meaning, so that
/// params and mistakes stay as they are.
class LineWriter {
 public:
  explicit LineWriter(const SourceLine& line) : line_(line), lexer_(line, line.indent, nullptr) {}

  std::string write(std::size_t column) {
    text_.assign(column, ' ');
    const auto head = head_word(line_);
    lowered_ = head == "!";
    settings_ = head == "cluster" || head == "load" || find_verb(head) != nullptr || line_.indent > 0;
    if (line_.indent == 0 && has_choice(kHeads, head)) {
      text_.append(head);
      lexer_.skip(head.size());
      pad();
      if (head == "about") {
        const auto from = std::min(line_.text.find_first_not_of(' ', head.size()), line_.text.size());
        return text_.append(line_.text.substr(from));
      }
    }
    words(head);
    while (text_.ends_with(' ')) {
      text_.pop_back();
    }
    const auto comment = lexer_.comment();
    return comment.empty() ? text_ : text_.append(text_.size() == column ? "" : "  ").append(comment);
  }

 private:
  void pad() { text_.append(text_.size() < kBodyColumn ? kBodyColumn - text_.size() : 1, ' '); }

  void words(std::string_view head) {
    // How many words the time takes: "at 2s", "every 1s for 9s".
    const std::size_t time = line_.indent > 0                                 ? 0
                             : head == "at" || head == "after" || head == "!" ? 2
                             : head == "every"                                ? 4
                                                                              : 0;
    for (std::size_t count = 1; !lexer_.at_end(); ++count) {
      const Token token = lexer_.next();
      add(token);
      if (time > 0 && count == time) {
        lowered_ ? static_cast<void>(text_.append("  ")) : pad();
      }
      if (token.is_word("do") && depth_ == 0) {
        raw_words();
        return;
      }
    }
  }

  void raw_words() {
    for (Token token = lexer_.next_raw(); token.kind != Token::Kind::end; token = lexer_.next_raw()) {
      text_.append(" ").append(slice(token));
    }
  }

  std::string slice(const Token& token) const {
    return line_.text.substr(token.begin, token.end - token.begin);
  }

  void add(const Token& token) {
    const bool glued = blank_wanted_ == Blank::no || text_.ends_with(' ') || text_.empty();
    bool before = !glued;
    Blank after = Blank::yes;
    if (token.kind == Token::Kind::word) {
      note_word(token.text);
    } else if (token.is(",")) {
      before = false;
      after = lowered_ ? Blank::no : Blank::yes;
    } else if (token.is("(")) {
      before = message_ && !glued;
      after = Blank::no;
      ++depth_;
    } else if (token.is(")")) {
      before = false;
      depth_ = std::max(depth_ - 1, 0);
    } else if (token.is("{")) {
      after = weights_ ? Blank::yes : Blank::no;
      ++depth_;
    } else if (token.is("}")) {
      before = weights_;
      weights_ = false;
      depth_ = std::max(depth_ - 1, 0);
    } else if (token.is("=") && (depth_ > 0 ? !message_ : settings_)) {
      before = false;
      after = Blank::no;
    }
    // Two signs that would be another one together, in a line that is wrong anyway.
    const std::string text = slice(token);
    if (!text_.empty() && std::string_view("!<>").find(text_.back()) != std::string_view::npos &&
        (text.starts_with('=') || text.starts_with("->")))
      before = true;
    text_.append(before ? " " : "").append(text);
    blank_wanted_ = after;
  }

  void note_word(const std::string& word) {
    if (depth_ > 0) {
      return;
    }
    message_ = message_ || word == "msg";
    weights_ = weights_ || word == "faults";
    if (word == "let" || word == "expect" || word == "when") {
      settings_ = false;
      message_ = false;
    } else if (word == "fuzz" || find_verb(word) != nullptr) {
      settings_ = true;
      message_ = false;
    }
  }

  enum class Blank { no, yes };
  const SourceLine& line_;
  Lexer lexer_;
  std::string text_;
  Blank blank_wanted_ = Blank::no;
  bool lowered_ = false;
  bool settings_ = false;  // '=' without blanks
  bool message_ = false;
  bool weights_ = false;
  int depth_ = 0;
};

/// Columns of lines by what they belong to.
class Columns {
 public:
  /// Throws Mistake for a line of a body that does not stand below its neighbours: it is not for fmt to
  /// guess.
  std::size_t of(const SourceLine& line, bool comment) {
    while (!open_.empty() && open_.back().found >= line.indent) {
      open_.pop_back();
    }
    std::size_t column = 0;
    if (line.indent > 0) {
      column = open_.empty() || open_.back().written == 0 ? kBodyColumn : open_.back().written + 2;
    }
    if (comment) {
      return column;
    }
    if (!open_.empty() && open_.back().time) {
      auto& body = open_.back().body;
      if (body != 0 && body != line.indent) {
        throw Mistake{line.indent, line.indent + 1, "this line is not in line with those above it",
                      "begin it in column " + std::to_string(body + 1) + ", or below a time word"};
      }
      body = line.indent;
    }
    open_.push_back({line.indent, column, 0, line.indent > 0 || has_choice(kTimeWords, head_word(line))});
    return column;
  }

 private:
  struct Open {
    std::size_t found = 0;
    std::size_t written = 0;
    std::size_t body = 0;  // where the lines that belong to it begin; 0: none yet
    bool time = false;     // takes statements, not the rest of a head line
  };
  std::vector<Open> open_;
};

std::string format_line(const SourceLine& line, Columns& columns, bool& about) {
  const bool comment = line.text[line.indent] == '#';
  const std::size_t column = columns.of(line, comment);
  about = line.indent == 0 ? !comment && head_word(line) == "about" : about;
  if (comment || (about && line.indent > 0)) {
    return std::string(column, ' ') + line.text.substr(line.indent);
  }
  return LineWriter(line).write(column);
}

}  // namespace

tl::expected<std::string, Errors> fmt(const Source& source) {
  const std::vector<std::string> files{source.name};
  ErrorList errors(files);
  Columns columns;
  std::string result;
  bool blank = false;
  bool about = false;
  std::string_view text = source.text;
  if (text.size() > kMaxScriptBytes) {
    return tl::unexpected(Errors{{source.name, 0, 0, 1, "the scenario is too long", {}, {}}});
  }
  for (int number = 1; !text.empty() && !errors.full(); ++number) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    SourceLine kept{0, number, 0, std::string(line.substr(0, kMaxLineBytes))};
    try {
      kept = source_line(0, number, line);
      if (kept.text.empty()) {
        blank = !result.empty();
        continue;
      }
      result.append(blank ? "\n" : "").append(format_line(kept, columns, about)).append("\n");
      blank = false;
    } catch (const Mistake& mistake) {
      errors.add(kept, mistake);
    }
  }
  return errors.empty() ? tl::expected<std::string, Errors>(std::move(result))
                        : tl::unexpected(errors.take());
}

}  // namespace kiwi::lab::script
