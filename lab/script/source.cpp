#include "lab/script/source.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "lab/chance.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab::script {
namespace {

constexpr std::size_t kShown = 160;

std::string shown(std::string_view text, int column) {
  if (text.size() > kShown && column > static_cast<int>(kShown)) {
    return {};
  }
  std::string result(text.substr(0, kShown));
  std::ranges::replace_if(
      result, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return result;
}

std::string_view directory_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash + 1);
}

class Reader {
 public:
  Reader(Sources& sources, const ParseOptions& options)
      : sources_(sources), options_(options), errors_(sources.files) {}

  tl::expected<void, Errors> read(const Source& source) {
    add_file(source.name, source.text, 0);
    for (const auto& [name, value] : options_.params) {
      if (name != "seed" && !declared_.contains(name) && errors_.empty()) {
        const std::vector<std::string_view> known(declared_.begin(), declared_.end());
        errors_.add({source.name,
                     0,
                     0,
                     1,
                     "there is no param or matrix '" + name + "' to set",
                     did_you_mean(name, known),
                     {}});
      }
    }
    return errors_.empty() ? tl::expected<void, Errors>() : tl::unexpected(errors_.take());
  }

 private:
  void add_file(const std::string& name, std::string_view text, int depth) {
    const int file = static_cast<int>(sources_.files.size());
    sources_.files.push_back(name);
    bytes_ += text.size();
    if (bytes_ > kMaxScriptBytes) {
      errors_.add({name,
                   0,
                   0,
                   1,
                   "the scenario is too long",
                   "at most " + std::to_string(kMaxScriptBytes) + " bytes with its includes",
                   {}});
      return;
    }
    for (int number = 1; !text.empty() && !errors_.full(); ++number) {
      const auto end = text.find('\n');
      auto line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (line.ends_with('\r')) {
        line.remove_suffix(1);
      }
      // Kept while mistakes are told, which need the text.
      SourceLine kept{file, number, 0, std::string(line.substr(0, kMaxLineBytes))};
      try {
        kept = source_line(file, number, line);
        add_line(kept, depth);
      } catch (const Mistake& mistake) {
        errors_.add(kept, mistake);
      }
    }
  }

  void add_line(const SourceLine& line, int depth) {
    const auto head = head_word(line);
    if (line.indent == line.text.size() || line.text[line.indent] == '#') {
      return;
    }
    if (line.indent > 0 || (head != "include" && head != "param" && head != "matrix" && head != "draw")) {
      sources_.lines.push_back(line);
      return;
    }
    Lexer lexer(line, head.size(), nullptr);
    if (head == "include") {
      include(line, lexer, depth);
    } else {
      define(line, lexer, head);
    }
  }

  void include(const SourceLine& line, Lexer& lexer, int depth) {
    const Token path = lexer.next();
    if (!path.is_value() || path.text.empty() || path.text.front() == '/') {
      fail_at(path, "expected a path, relative to this file");
    }
    if (!lexer.at_end()) {
      fail_at(lexer.peek(), "one path only");
    }
    if (depth + 1 > kMaxIncludeDepth || sources_.files.size() > kMaxIncludes) {
      fail_at(path, "too many includes", "does a file include itself?");
    }
    const std::string name =
        std::string(directory_of(sources_.files[static_cast<std::size_t>(line.file)])) + path.text;
    if (!options_.load) {
      fail_at(path, "includes are not allowed here");
    }
    const auto text = options_.load(name);
    if (!text) {
      fail_at(path, "cannot include '" + name + "': " + text.error());
    }
    add_file(name, *text, depth + 1);
  }

  void define(const SourceLine& line, Lexer& lexer, std::string_view head) {
    const Token name = lexer.next();
    const auto param = name.kind == Token::Kind::word ? whole_param("$" + name.text) : std::nullopt;
    if (!param) {
      fail_at(name, "expected a name of letters, digits and '_'");
    }
    if (!declared_.insert(name.text).second) {
      fail_at(name, "'" + name.text + "' is defined twice");
    }
    if (!lexer.take("=")) {
      fail_at(lexer.peek(), "expected '='");
    }
    const auto values = read_values(line, lexer, head != "param");
    const auto given = options_.params.find(name.text);
    if (given != options_.params.end()) {
      sources_.params[name.text] = given->second;
    } else {
      sources_.params[name.text] = head == "draw" ? drawn(name.text, values) : values.front();
      if (head == "matrix") {
        sources_.matrices.push_back({name.text, values});
      }
    }
  }

  /// By the seed that was given from outside; the first without one.
  std::string drawn(const std::string& name, const std::vector<std::string>& values) const {
    const auto given = options_.params.find("seed");
    const auto seed = given == options_.params.end() ? std::nullopt : read_number(given->second);
    return seed ? values[below(Chance(*seed).draw("draw", name, 0), values.size())] : values.front();
  }

  /// The raw text of each value: what stands in quotes keeps them, so that a bare `$name` brings one text.
  static std::vector<std::string> read_values(const SourceLine& line, Lexer& lexer, bool split) {
    std::vector<std::string> values;
    while (true) {
      const std::size_t begin = lexer.peek().begin;
      std::size_t end = begin;
      int depth = 0;
      while (!lexer.at_end() && !(split && depth == 0 && lexer.peek().is(","))) {
        const Token token = lexer.next();
        depth += token.is("{") || token.is("(") ? 1 : token.is("}") || token.is(")") ? -1 : 0;
        end = token.end;
      }
      if (begin == end) {
        fail_at(lexer.peek(), "expected a value");
      }
      values.push_back(line.text.substr(begin, end - begin));
      if (!lexer.take(",")) {
        return values;
      }
    }
  }

  Sources& sources_;
  const ParseOptions& options_;
  ErrorList errors_;
  std::set<std::string> declared_;
  std::size_t bytes_ = 0;
};

}  // namespace

void ErrorList::add(const SourceLine& line, const Mistake& mistake) {
  const int column = static_cast<int>(mistake.begin) + 1;
  Error error{files_[static_cast<std::size_t>(line.file)],
              line.number,
              column,
              static_cast<int>(std::max<std::size_t>(mistake.end - std::min(mistake.begin, mistake.end), 1)),
              mistake.message,
              mistake.hint,
              shown(line.text, column)};
  error.length = std::clamp(static_cast<int>(kShown) - column + 1, 1, error.length);
  errors_.push_back(std::move(error));
}

Errors ErrorList::take() {
  const auto rank = [&](const Error& error) {
    return std::ranges::find(files_, error.file) - files_.begin();
  };
  std::ranges::stable_sort(errors_, [&](const Error& a, const Error& b) {
    return std::tuple(rank(a), a.line, a.column) < std::tuple(rank(b), b.line, b.column);
  });
  if (errors_.size() > kMaxErrors) {
    errors_.resize(kMaxErrors);
  }
  return std::move(errors_);
}

SourceLine source_line(int file, int number, std::string_view text) {
  if (text.size() > kMaxLineBytes) {
    throw Mistake{0, 1, "the line is too long", "at most " + std::to_string(kMaxLineBytes) + " bytes"};
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7f) {
      throw Mistake{i, i + 1, text[i] == '\t' ? "a tab" : "a control character",
                    text[i] == '\t' ? "use blanks" : "in a text it is written as \\xHH"};
    }
  }
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  return {file, number, std::min(text.find_first_not_of(' '), text.size()), std::string(text)};
}

std::string_view head_word(const SourceLine& line) {
  const auto rest = std::string_view(line.text).substr(line.indent);
  if (rest.starts_with('!')) {
    return rest.substr(0, 1);
  }
  const auto end = rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz-");
  return rest.substr(0, end);
}

tl::expected<Sources, Errors> read_sources(const Source& source, const ParseOptions& options) {
  Sources sources;
  const auto read = Reader(sources, options).read(source);
  if (!read) {
    return tl::unexpected(read.error());
  }
  return sources;
}

}  // namespace kiwi::lab::script
