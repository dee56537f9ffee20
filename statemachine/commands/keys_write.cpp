// Commands that remove, move or copy whole keys of any type.

#include <array>
#include <limits>

#include "statemachine/commands/handler.hpp"
#include "statemachine/commands/text.hpp"

namespace kiwi {
namespace {

Reply del(ApplyContext& context, const RedisCommand& command) {
  std::int64_t removed = 0;
  for (std::size_t i = 1; i < command.args.size(); ++i)
    removed += context.keys.erase(command.args[i].view()) ? 1 : 0;
  return Reply::of(removed);
}

Reply rename(ApplyContext& context, const RedisCommand& command) {
  const auto from = command.args[1].view();
  const auto to = command.args[2].view();
  auto record = context.keys.get(from);
  if (!record)
    return errors::no_such_key();
  if (from != to) {
    context.keys.erase(from);
    context.keys.put(to, std::move(*record));
  }
  return Reply::ok();
}

Reply renamenx(ApplyContext& context, const RedisCommand& command) {
  if (!context.keys.meta(command.args[1].view()))
    return errors::no_such_key();
  if (context.keys.meta(command.args[2].view()))
    return Reply::of(0);
  rename(context, command);
  return Reply::of(1);
}

/// There is one database, number 0.
Reply copy(ApplyContext& context, const RedisCommand& command) {
  const auto& args = command.args;
  bool replace = false;
  for (std::size_t i = 3; i < args.size(); ++i) {
    if (is_word(args[i].view(), "replace")) {
      replace = true;
    } else if (is_word(args[i].view(), "db") && i + 1 < args.size()) {
      const auto number = parse_integer(args[++i].view());
      if (!number)
        return errors::not_an_integer();
      if (*number > std::numeric_limits<std::int32_t>::max() ||
          *number < std::numeric_limits<std::int32_t>::min())
        return Reply::error("ERR value is out of range, value must between -2147483648 and 2147483647");
      if (*number != 0)
        return Reply::error("ERR DB index is out of range");
    } else {
      return errors::syntax();
    }
  }
  const auto from = args[1].view();
  const auto to = args[2].view();
  if (from == to)
    return Reply::error("ERR source and destination objects are the same");
  auto record = context.keys.get(from);
  if (!record || (!replace && context.keys.meta(to)))
    return Reply::of(0);
  context.keys.put(to, std::move(*record));
  return Reply::of(1);
}

Reply flush(ApplyContext& context, const RedisCommand& command) {
  const auto& args = command.args;
  if (args.size() > 2 ||
      (args.size() == 2 && !is_word(args[1].view(), "sync") && !is_word(args[1].view(), "async")))
    return errors::syntax();
  context.keys.erase_all();
  return Reply::ok();
}

}  // namespace

std::span<const CommandHandler> key_write_commands() {
  static constexpr std::array kCommands = {
      CommandHandler{"del", -2, nullptr, del},       CommandHandler{"unlink", -2, nullptr, del},
      CommandHandler{"rename", 3, nullptr, rename},  CommandHandler{"renamenx", 3, nullptr, renamenx},
      CommandHandler{"copy", -3, nullptr, copy},     CommandHandler{"flushall", -1, nullptr, flush},
      CommandHandler{"flushdb", -1, nullptr, flush},
  };
  return kCommands;
}

}  // namespace kiwi
