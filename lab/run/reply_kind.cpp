#include "lab/run/reply_kind.hpp"

#include <string_view>

namespace kiwi::lab {
namespace {

bool begins_with_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text.substr(0, word.size()) == word) {
      return true;
    }
  }
  return false;
}

}  // namespace

ReplyKind kind_of(const Reply& reply) {
  if (!reply.is_error()) {
    return ReplyKind::result;
  }
  const std::string_view text = reply.text.view();
  if (begins_with_one_of(text, {"TIMEOUT "})) {
    return ReplyKind::unknown;
  }
  if (begins_with_one_of(text,
                         {"MOVED ", "CLUSTERDOWN ", "MISCONF ", "TRYAGAIN ", "NOCLUSTER ", "LOADING ",
                          "ERR max number of clients", "ERR Protocol error", "ERR the command is larger",
                          "ERR unknown command", "ERR wrong number of arguments"})) {
    return ReplyKind::refusal;
  }
  return ReplyKind::result;
}

std::string to_text(const Reply& reply) {
  switch (reply.type) {
    case Reply::Type::integer:
      return "(integer) " + std::to_string(reply.integer);
    case Reply::Type::nil:
    case Reply::Type::nil_array:
      return "(nil)";
    case Reply::Type::boolean:
      return reply.integer != 0 ? "(true)" : "(false)";
    case Reply::Type::array:
    case Reply::Type::map:
    case Reply::Type::set: {
      std::string text = "[";
      for (const Reply& element : reply.elements) {
        text += (text.size() > 1 ? ", " : "") + to_text(element);
      }
      return text + "]";
    }
    default:
      return std::string(reply.text.view());
  }
}

}  // namespace kiwi::lab
