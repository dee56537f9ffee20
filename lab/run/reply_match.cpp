#include "lab/run/reply_match.hpp"

#include "lab/run/reply_kind.hpp"
#include "lab/script/reply_pattern.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab {
namespace {

using script::ReplyPattern;

bool matches(const ReplyPattern& pattern, const Reply& reply) {
  switch (pattern.kind) {
    case ReplyPattern::Kind::any:
    case ReplyPattern::Kind::whatever:
      return true;
    case ReplyPattern::Kind::none:
      return false;
    case ReplyPattern::Kind::nil:
      return reply.type == Reply::Type::nil || reply.type == Reply::Type::nil_array;
    case ReplyPattern::Kind::status:
      return reply.type == Reply::Type::simple && reply.text.view() == pattern.text;
    case ReplyPattern::Kind::integer:
      return reply.type == Reply::Type::integer && reply.integer == pattern.number;
    case ReplyPattern::Kind::text:
      return reply.type == Reply::Type::bulk && reply.text.view() == pattern.text;
    case ReplyPattern::Kind::error:
      return reply.is_error() && reply.text.view().substr(0, pattern.text.size()) == pattern.text;
    case ReplyPattern::Kind::list:
      break;
  }
  if (reply.type != Reply::Type::array || reply.elements.size() != pattern.items.size()) {
    return false;
  }
  for (std::size_t i = 0; i < pattern.items.size(); ++i) {
    if (!matches(pattern.items[i], reply.elements[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string wrong_result(const std::string& pattern, const CommandResult& result) {
  if (!result.reply) {
    return pattern == "none" || pattern == "whatever" ? "" : "no reply came";
  }
  if (pattern.empty()) {
    return result.reply->is_error() ? "the reply was " + to_text(*result.reply) : "";
  }
  const auto wanted = script::read_reply_pattern(pattern);
  if (wanted && matches(*wanted, *result.reply)) {
    return "";
  }
  return "the reply was " + to_text(*result.reply);
}

std::string text_of_words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + script::word_text(word);
  }
  return text;
}

}  // namespace kiwi::lab
