#include "statemachine/command_arguments.hpp"

#include <algorithm>

#include "messages/assert.hpp"

namespace kiwi {

namespace {

class Parser {
 public:
  explicit Parser(std::string_view notation) : rest_(notation) {}

  std::vector<CommandArgument> items() {
    std::vector<CommandArgument> out;
    while (!rest_.empty() && rest_.front() != ']') {
      if (rest_.front() == ' ') {
        rest_.remove_prefix(1);
        continue;
      }
      out.push_back(item());
    }
    return out;
  }
  bool done() const { return rest_.empty(); }

 private:
  CommandArgument item() {
    CommandArgument out;
    out.name = word("#:?*=@[] ");
    KIWI_ASSERT(!out.name.empty(), "an argument has a name");
    out.type = "pure-token";
    if (take('#'))
      out.key = word(":?*=@[] ").at(0) - '0';
    if (take(':'))
      out.type = word("?*=@[] ");
    out.optional = take('?');
    out.multiple = take('*');
    if (take('='))
      out.token = word("@[] ");
    if (take('@'))
      out.since = word("[] ");
    if (take('[')) {
      out.arguments = items();
      KIWI_ASSERT(take(']'), "brackets in the notation of arguments close");
    }
    return out;
  }

  std::string_view word(std::string_view stops) {
    const auto end = std::min(rest_.find_first_of(stops), rest_.size());
    const auto out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return out;
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c)
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
};

std::string syntax_of(const CommandArgument& argument);

std::string joined(const std::vector<CommandArgument>& arguments, std::string_view separator) {
  std::string out;
  for (const auto& argument : arguments) {
    if (!out.empty())
      out += separator;
    out += syntax_of(argument);
  }
  return out;
}

std::string syntax_of(const CommandArgument& argument) {
  std::string value;
  if (argument.type == "oneof")
    value = joined(argument.arguments, "|");
  else if (argument.type == "block")
    value = joined(argument.arguments, " ");
  else if (argument.type != "pure-token")
    value = "<" + std::string(argument.name) + ">";
  std::string out(argument.token);
  if (!out.empty() && !value.empty())
    out += ' ';
  out += value;
  if (argument.multiple)
    out += argument.optional ? " ..." : " [" + value + " ...]";
  return argument.optional ? "[" + out + "]" : out;
}

}  // namespace

std::vector<CommandArgument> parse_arguments(std::string_view notation) {
  Parser parser(notation);
  auto out = parser.items();
  KIWI_ASSERT(parser.done(), "brackets in the notation of arguments match");
  return out;
}

std::string command_syntax(const CommandSpec& spec) {
  std::string out(spec.name);
  for (auto& c : out)
    if (c >= 'a' && c <= 'z')
      c = static_cast<char>(c - 'a' + 'A');
  const auto arguments = joined(parse_arguments(spec.arguments), " ");
  return arguments.empty() ? out : out + " " + arguments;
}

}  // namespace kiwi
