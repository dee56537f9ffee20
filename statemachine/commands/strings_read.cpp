// Commands that read strings.

#include <algorithm>
#include <array>

#include "statemachine/commands/handler.hpp"
#include "statemachine/commands/lcs.hpp"
#include "statemachine/commands/reply_budget.hpp"
#include "statemachine/commands/text.hpp"

namespace kiwi {
namespace {

Reply get(ReadContext& context, const RedisCommand& command) {
  const auto record = context.keys.get(command.args[1].view());
  if (!record)
    return Reply::nil();
  if (record->meta.type != ValueType::string)
    return errors::wrong_type();
  return Reply::bulk(record->payload);
}

Reply mget(ReadContext& context, const RedisCommand& command) {
  std::vector<Reply> values;
  values.reserve(command.args.size() - 1);
  ReplyBudget budget;
  for (std::size_t i = 1; i < command.args.size(); ++i) {
    const auto record = context.keys.get(command.args[i].view());
    const bool is_string = record && record->meta.type == ValueType::string;
    values.push_back(is_string ? Reply::bulk(record->payload) : Reply::nil());
    if (!budget.take(values.back().text.size()))
      return budget.error();
  }
  return Reply::array(std::move(values));
}

Reply strlen(ReadContext& context, const RedisCommand& command) {
  const auto meta = context.keys.meta(command.args[1].view());
  if (!meta)
    return Reply::of(0);
  if (meta->type != ValueType::string)
    return errors::wrong_type();
  return Reply::of(static_cast<std::int64_t>(meta->payload_bytes));
}

Reply getrange(ReadContext& context, const RedisCommand& command) {
  auto start = parse_integer(command.args[2].view());
  auto end = parse_integer(command.args[3].view());
  if (!start || !end)
    return errors::not_an_integer();
  const auto record = context.keys.get(command.args[1].view());
  if (!record)
    return Reply::bulk(Bytes());
  if (record->meta.type != ValueType::string)
    return errors::wrong_type();
  const auto size = static_cast<std::int64_t>(record->payload.size());
  if (*start < 0 && *end < 0 && *start > *end)
    return Reply::bulk(Bytes());
  // Below zero counts from the end; what still lies outside is cut off.
  const auto first = std::max<std::int64_t>(0, *start < 0 ? size + *start : *start);
  const auto last = std::min(size - 1, std::max<std::int64_t>(0, *end < 0 ? size + *end : *end));
  if (size == 0 || first > last)
    return Reply::bulk(Bytes());
  const auto part = record->payload.view().substr(static_cast<std::size_t>(first),
                                                  static_cast<std::size_t>(last - first + 1));
  return Reply::bulk(record->payload.window(part));
}

}  // namespace

std::span<const CommandHandler> string_read_commands() {
  static constexpr std::array kCommands = {
      CommandHandler{"get", 2, get, nullptr},         CommandHandler{"mget", -2, mget, nullptr},
      CommandHandler{"strlen", 2, strlen, nullptr},   CommandHandler{"getrange", 4, getrange, nullptr},
      CommandHandler{"substr", 4, getrange, nullptr}, CommandHandler{"lcs", -3, lcs, nullptr},
  };
  return kCommands;
}

}  // namespace kiwi
