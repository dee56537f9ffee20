// Commands that look at keys of any type, at all keys, and at the machine itself.

#include <array>

#include "statemachine/commands/handler.hpp"
#include "statemachine/commands/object.hpp"
#include "statemachine/commands/reply_budget.hpp"
#include "statemachine/commands/scan.hpp"
#include "statemachine/commands/text.hpp"
#include "statemachine/glob.hpp"

namespace kiwi {
namespace {

Reply exists(ReadContext& context, const RedisCommand& command) {
  std::int64_t found = 0;
  for (std::size_t i = 1; i < command.args.size(); ++i)
    found += context.keys.meta(command.args[i].view()) ? 1 : 0;
  return Reply::of(found);
}

Reply type(ReadContext& context, const RedisCommand& command) {
  const auto meta = context.keys.meta(command.args[1].view());
  return Reply::simple(std::string(meta ? type_name(meta->type) : "none"));
}

Reply keys(ReadContext& context, const RedisCommand& command) {
  const auto pattern = command.args[1].view();
  std::vector<Reply> found;
  ReplyBudget budget;
  bool fits = true;
  context.keys.walk(0, [&](std::uint64_t, std::string_view key, const Meta&) {
    if (!glob_matches(pattern, key))
      return true;
    found.push_back(Reply::bulk(std::string(key)));
    fits = budget.take(key.size());
    return fits;
  });
  if (!fits)
    return budget.error();
  return Reply::array(std::move(found));
}

Reply random_key(ReadContext& context, const RedisCommand&) {
  auto chosen = Reply::nil();
  const auto take_first = [&](std::uint64_t, std::string_view key, const Meta&) {
    chosen = Reply::bulk(std::string(key));
    return false;
  };
  context.keys.walk(context.seed, take_first);
  if (chosen.type == Reply::Type::nil)
    context.keys.walk(0, take_first);
  return chosen;
}

Reply dbsize(ReadContext& context, const RedisCommand&) {
  return Reply::of(static_cast<std::int64_t>(context.keys.key_count()));
}

Reply time(ReadContext& context, const RedisCommand&) {
  return Reply::array({Reply::bulk(std::to_string(context.now_ms / 1000)),
                       Reply::bulk(std::to_string(context.now_ms % 1000 * 1000))});
}

}  // namespace

std::string_view type_name(ValueType type) {
  switch (type) {
    case ValueType::string:
      return "string";
    case ValueType::list:
      return "list";
    case ValueType::hash:
      return "hash";
    case ValueType::set:
      return "set";
    case ValueType::zset:
      return "zset";
  }
  return "unknown";
}

std::span<const CommandHandler> key_read_commands() {
  static constexpr std::array kCommands = {
      CommandHandler{"exists", -2, exists, nullptr}, CommandHandler{"touch", -2, exists, nullptr},
      CommandHandler{"type", 2, type, nullptr},      CommandHandler{"keys", 2, keys, nullptr},
      CommandHandler{"scan", -2, scan, nullptr},     CommandHandler{"randomkey", 1, random_key, nullptr},
      CommandHandler{"object", -2, object, nullptr}, CommandHandler{"dbsize", 1, dbsize, nullptr},
      CommandHandler{"time", 1, time, nullptr},
  };
  return kCommands;
}

}  // namespace kiwi
