#include "lab/history/operation.hpp"

#include <cstdio>

namespace kiwi::lab::history {
namespace {

constexpr std::size_t kShownBytes = 60;

std::string quoted(std::string_view text) {
  std::string shown;
  bool plain = !text.empty();
  for (const char c : text.substr(0, kShownBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      shown += c;
      continue;
    }
    plain = false;
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
    shown += c == ' ' ? " " : c == '"' ? "\\\"" : c == '\\' ? "\\\\" : escaped;
  }
  if (text.size() > kShownBytes)
    shown += "...";
  return plain ? shown : '"' + shown + '"';
}

std::string elements_of(const Reply& reply, int depth);

std::string describe_at(const Reply& reply, int depth) {
  using Type = Reply::Type;
  switch (reply.type) {
    case Type::simple:
    case Type::number:
      return reply.text.str().substr(0, kShownBytes);
    case Type::error:
      return "(error) " + reply.text.str().substr(0, kShownBytes);
    case Type::integer:
      return "(integer) " + std::to_string(reply.integer);
    case Type::boolean:
      return reply.integer != 0 ? "(true)" : "(false)";
    case Type::bulk:
    case Type::verbatim:
      return quoted(reply.text.view());
    case Type::nil:
    case Type::nil_array:
      return "(nil)";
    case Type::array:
    case Type::map:
    case Type::set:
      return elements_of(reply, depth);
  }
  return "?";
}

std::string elements_of(const Reply& reply, int depth) {
  if (depth > 3)
    return "[...]";
  std::string shown = "[";
  for (const auto& element : reply.elements) {
    if (shown.size() > kShownBytes)
      return shown + " ...]";
    shown += (shown.size() > 1 ? ", " : "") + describe_at(element, depth + 1);
  }
  return shown + "]";
}

std::string seconds(Time time) {
  const auto ns = time.count();
  char text[48];
  std::snprintf(text, sizeof text, "%s%lld.%09llds", ns < 0 ? "-" : "",
                static_cast<long long>(ns < 0 ? -(ns / 1'000'000'000) : ns / 1'000'000'000),
                static_cast<long long>(ns < 0 ? -(ns % 1'000'000'000) : ns % 1'000'000'000));
  return text;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::done:
      return "done";
    case Outcome::not_done:
      return "not done";
    case Outcome::unknown:
      return "unknown";
  }
  return "?";
}

std::string describe(const Reply& reply) { return describe_at(reply, 0); }

std::string describe(const Operation& operation) {
  auto line = "#" + std::to_string(operation.number) + " client " + std::to_string(operation.client);
  if (operation.node)
    line += " at n" + to_string(operation.node);
  line += "  " + seconds(operation.invoked_at) + " .. " +
          (operation.returned_at ? seconds(*operation.returned_at) : std::string("(open)")) + " ";
  std::size_t words = 0;
  for (const auto& word : operation.command) {
    if (++words > 8) {
      line += " ...";
      break;
    }
    line += " " + quoted(word);
  }
  line += " -> ";
  if (operation.outcome != Outcome::done)
    line += std::string(to_string(operation.outcome)) + (operation.reply ? ": " : "");
  if (operation.reply)
    line += describe(*operation.reply);
  else if (operation.outcome == Outcome::done)
    line += "(done, reply not recorded)";
  if (operation.index)
    line += "  [log " + to_string(*operation.index) + "]";
  return line;
}

}  // namespace kiwi::lab::history
