// Commands that change a string in place: counters, APPEND, SETRANGE. The deadline of the key stays.

#include <array>
#include <cmath>
#include <limits>

#include "messages/limits.hpp"
#include "statemachine/commands/float_text.hpp"
#include "statemachine/commands/handler.hpp"
#include "statemachine/commands/text.hpp"

namespace kiwi {
namespace {

void put_changed(ApplyContext& context, std::string_view key, Record record, StringEncoding encoding,
                 std::string value) {
  record.meta.encoding = encoding;
  record.payload = Bytes(std::move(value));
  context.keys.put(key, std::move(record));
}

Reply add(ApplyContext& context, std::string_view key, std::int64_t delta) {
  auto record = context.keys.get(key);
  std::int64_t value = 0;
  if (record) {
    if (record->meta.type != ValueType::string)
      return errors::wrong_type();
    const auto parsed = parse_integer(record->payload.view());
    if (!parsed)
      return errors::not_an_integer();
    value = *parsed;
  }
  if (__builtin_add_overflow(value, delta, &value))
    return Reply::error("ERR increment or decrement would overflow");
  put_changed(context, key, record.value_or(Record{}), StringEncoding::automatic, std::to_string(value));
  return Reply::of(value);
}

Reply incr(ApplyContext& context, const RedisCommand& command) {
  return add(context, command.args[1].view(), 1);
}
Reply decr(ApplyContext& context, const RedisCommand& command) {
  return add(context, command.args[1].view(), -1);
}
Reply incrby(ApplyContext& context, const RedisCommand& command) {
  const auto delta = parse_integer(command.args[2].view());
  return delta ? add(context, command.args[1].view(), *delta) : errors::not_an_integer();
}
Reply decrby(ApplyContext& context, const RedisCommand& command) {
  const auto delta = parse_integer(command.args[2].view());
  if (!delta)
    return errors::not_an_integer();
  if (*delta == std::numeric_limits<std::int64_t>::min())
    return Reply::error("ERR decrement would overflow");
  return add(context, command.args[1].view(), -*delta);
}

Reply incrbyfloat(ApplyContext& context, const RedisCommand& command) {
  const auto key = command.args[1].view();
  auto record = context.keys.get(key);
  if (record && record->meta.type != ValueType::string)
    return errors::wrong_type();
  const auto value = record ? parse_float(record->payload.view()) : 0.0L;
  const auto delta = parse_float(command.args[2].view());
  if (!value || !delta)
    return Reply::error("ERR value is not a valid float");
  const auto sum = *value + *delta;
  if (std::isnan(sum) || std::isinf(sum))
    return Reply::error("ERR increment would produce NaN or Infinity");
  auto text = format_float(sum);
  put_changed(context, key, record.value_or(Record{}), StringEncoding::text, text);
  return Reply::bulk(std::move(text));
}

Reply append(ApplyContext& context, const RedisCommand& command) {
  const auto key = command.args[1].view();
  const auto tail = command.args[2].view();
  auto record = context.keys.get(key);
  if (record && record->meta.type != ValueType::string)
    return errors::wrong_type();
  const auto encoding = record ? StringEncoding::raw : StringEncoding::automatic;
  const auto old_bytes = record ? record->payload.size() : 0;
  if (old_bytes + tail.size() > kMaxStringBytes)
    return errors::string_too_long();
  std::string value;
  value.reserve(old_bytes + tail.size());
  if (record)
    value.append(record->payload.view());
  value.append(tail);
  const auto size = static_cast<std::int64_t>(value.size());
  put_changed(context, key, record.value_or(Record{}), encoding, std::move(value));
  return Reply::of(size);
}

Reply setrange(ApplyContext& context, const RedisCommand& command) {
  const auto key = command.args[1].view();
  const auto part = command.args[3].view();
  const auto offset = parse_integer(command.args[2].view());
  if (!offset)
    return errors::not_an_integer();
  if (*offset < 0)
    return Reply::error("ERR offset is out of range");
  auto record = context.keys.get(key);
  if (record && record->meta.type != ValueType::string)
    return errors::wrong_type();
  const auto old_bytes = record ? record->payload.size() : 0;
  if (part.empty())
    return Reply::of(static_cast<std::int64_t>(old_bytes));
  const auto begin = static_cast<std::uint64_t>(*offset);
  if (begin > kMaxStringBytes || begin + part.size() > kMaxStringBytes)
    return errors::string_too_long();
  auto value = record ? record->payload.str() : std::string();
  value.resize(std::max<std::size_t>(value.size(), begin + part.size()), '\0');
  value.replace(begin, part.size(), part);
  const auto size = static_cast<std::int64_t>(value.size());
  put_changed(context, key, record.value_or(Record{}), StringEncoding::raw, std::move(value));
  return Reply::of(size);
}

}  // namespace

std::span<const CommandHandler> number_commands() {
  static constexpr std::array kCommands = {
      CommandHandler{"incr", 2, nullptr, incr},
      CommandHandler{"decr", 2, nullptr, decr},
      CommandHandler{"incrby", 3, nullptr, incrby},
      CommandHandler{"decrby", 3, nullptr, decrby},
      CommandHandler{"incrbyfloat", 3, nullptr, incrbyfloat},
      CommandHandler{"append", 3, nullptr, append},
      CommandHandler{"setrange", 4, nullptr, setrange},
  };
  return kCommands;
}

}  // namespace kiwi
