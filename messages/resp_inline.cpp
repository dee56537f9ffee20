#include "messages/resp_inline.hpp"

#include <memory>
#include <string>

namespace kiwi {

namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// \v and \f part arguments only where one could begin; Redis has it so.
bool ends_plain(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

char escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

/// Walks over one line and appends unquoted text to `out`.
class InlineReader {
 public:
  InlineReader(std::string_view line, std::string& out) : rest_(line), out_(out) {}

  bool skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
    return !rest_.empty();
  }

  /// One argument; false when a quote is not closed or not followed by a space.
  bool read_argument() {
    while (!rest_.empty() && !ends_plain(rest_.front())) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"' || c == '\'')
        return (c == '"' ? read_double_quoted() : read_single_quoted()) &&
               (rest_.empty() || is_space(rest_.front()));
      out_.push_back(c);
    }
    return true;
  }

 private:
  bool read_double_quoted() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"')
        return true;
      if (c == '\\' && !rest_.empty())
        read_escape();
      else
        out_.push_back(c);
    }
    return false;
  }

  void read_escape() {
    if (rest_.size() >= 3 && rest_[0] == 'x' && hex_value(rest_[1]) >= 0 && hex_value(rest_[2]) >= 0) {
      out_.push_back(static_cast<char>(hex_value(rest_[1]) * 16 + hex_value(rest_[2])));
      rest_.remove_prefix(3);
      return;
    }
    out_.push_back(escaped(rest_.front()));
    rest_.remove_prefix(1);
  }

  bool read_single_quoted() {
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\'')
        return true;
      if (c == '\\' && !rest_.empty() && rest_.front() == '\'') {
        c = '\'';
        rest_.remove_prefix(1);
      }
      out_.push_back(c);
    }
    return false;
  }

  std::string_view rest_;
  std::string& out_;
};

}  // namespace

std::optional<std::vector<Bytes>> split_inline(std::string_view line) {
  line = line.substr(0, line.find('\0'));
  const auto buffer = std::make_shared<std::string>();
  buffer->reserve(line.size());  // unquoting never makes text longer, so the windows stay valid
  InlineReader reader(line, *buffer);
  std::vector<Bytes> args;
  while (reader.skip_space()) {
    const std::size_t start = buffer->size();
    if (!reader.read_argument())
      return std::nullopt;
    args.emplace_back(buffer, std::string_view(*buffer).substr(start));
  }
  return args;
}

}  // namespace kiwi
