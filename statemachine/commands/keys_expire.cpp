// Commands that set, remove and tell deadlines.

#include <array>
#include <limits>

#include "statemachine/commands/expiry_option.hpp"
#include "statemachine/commands/handler.hpp"
#include "statemachine/commands/text.hpp"

namespace kiwi {
namespace {

constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
constexpr auto kMin = std::numeric_limits<std::int64_t>::min();

struct Conditions {
  bool if_none = false;     // NX
  bool if_any = false;      // XX
  bool if_greater = false;  // GT
  bool if_less = false;     // LT
};

std::optional<Reply> parse_conditions(const RedisCommand& command, Conditions& conditions) {
  for (std::size_t i = 3; i < command.args.size(); ++i) {
    const auto word = command.args[i].view();
    if (is_word(word, "nx"))
      conditions.if_none = true;
    else if (is_word(word, "xx"))
      conditions.if_any = true;
    else if (is_word(word, "gt"))
      conditions.if_greater = true;
    else if (is_word(word, "lt"))
      conditions.if_less = true;
    else
      return Reply::error("ERR Unsupported option " + std::string(word));
  }
  if (conditions.if_none && (conditions.if_any || conditions.if_greater || conditions.if_less))
    return Reply::error("ERR NX and XX, GT or LT options at the same time are not compatible");
  if (conditions.if_greater && conditions.if_less)
    return Reply::error("ERR GT and LT options at the same time are not compatible");
  return std::nullopt;
}

/// Without a deadline a key lives for ever, which is later than any deadline.
bool allowed(const Conditions& conditions, std::int64_t deadline_ms, std::int64_t current_ms) {
  const bool has = current_ms != 0;
  return !(conditions.if_none && has) && !(conditions.if_any && !has) &&
         !(conditions.if_greater && (!has || deadline_ms <= current_ms)) &&
         !(conditions.if_less && has && deadline_ms >= current_ms);
}

Reply expire_with(ApplyContext& context, const RedisCommand& command, ExpiryOption option) {
  Conditions conditions;
  if (auto error = parse_conditions(command, conditions))
    return *error;
  const auto parsed = parse_integer(command.args[2].view());
  if (!parsed)
    return errors::not_an_integer();
  auto deadline_ms = *parsed;
  const auto invalid = [&] { return errors::invalid_expire(command.args[0].view()); };
  if (option.unit == TimeUnit::seconds) {
    if (deadline_ms > kMax / 1000 || deadline_ms < kMin / 1000)
      return invalid();
    deadline_ms *= 1000;
  }
  if (!option.absolute) {
    const auto now = static_cast<std::int64_t>(context.now_ms);
    if (deadline_ms > kMax - now)
      return invalid();
    deadline_ms += now;
  }
  const auto key = command.args[1].view();
  auto record = context.keys.get(key);
  if (!record || !allowed(conditions, deadline_ms, static_cast<std::int64_t>(record->meta.expire_at_ms)))
    return Reply::of(0);
  if (deadline_ms <= static_cast<std::int64_t>(context.now_ms)) {
    context.keys.erase(key);
    return Reply::of(1);
  }
  record->meta.expire_at_ms = static_cast<std::uint64_t>(deadline_ms);
  context.keys.put(key, std::move(*record));
  return Reply::of(1);
}

Reply expire(ApplyContext& context, const RedisCommand& command) {
  return expire_with(context, command, {TimeUnit::seconds, false});
}
Reply pexpire(ApplyContext& context, const RedisCommand& command) {
  return expire_with(context, command, {TimeUnit::milliseconds, false});
}
Reply expireat(ApplyContext& context, const RedisCommand& command) {
  return expire_with(context, command, {TimeUnit::seconds, true});
}
Reply pexpireat(ApplyContext& context, const RedisCommand& command) {
  return expire_with(context, command, {TimeUnit::milliseconds, true});
}

Reply persist(ApplyContext& context, const RedisCommand& command) {
  const auto key = command.args[1].view();
  auto record = context.keys.get(key);
  if (!record || record->meta.expire_at_ms == 0)
    return Reply::of(0);
  record->meta.expire_at_ms = 0;
  context.keys.put(key, std::move(*record));
  return Reply::of(1);
}

constexpr std::int64_t kNoKey = -2;
constexpr std::int64_t kNoDeadline = -1;

/// The deadline, or kNoKey or kNoDeadline.
std::int64_t deadline_of(ReadContext& context, const RedisCommand& command) {
  const auto meta = context.keys.meta(command.args[1].view());
  if (!meta)
    return kNoKey;
  return meta->expire_at_ms == 0 ? kNoDeadline : static_cast<std::int64_t>(meta->expire_at_ms);
}

std::int64_t remaining_ms(ReadContext& context, const RedisCommand& command) {
  const auto deadline = deadline_of(context, command);
  if (deadline < 0)
    return deadline;
  return std::max<std::int64_t>(0, deadline - static_cast<std::int64_t>(context.now_ms));
}

/// To the nearest, as Redis does.
std::int64_t to_seconds(std::int64_t ms) { return ms < 0 ? ms : ms / 1000 + (ms % 1000 >= 500 ? 1 : 0); }

Reply ttl(ReadContext& context, const RedisCommand& command) {
  return Reply::of(to_seconds(remaining_ms(context, command)));
}
Reply pttl(ReadContext& context, const RedisCommand& command) {
  return Reply::of(remaining_ms(context, command));
}
Reply expiretime(ReadContext& context, const RedisCommand& command) {
  return Reply::of(to_seconds(deadline_of(context, command)));
}
Reply pexpiretime(ReadContext& context, const RedisCommand& command) {
  return Reply::of(deadline_of(context, command));
}

}  // namespace

std::span<const CommandHandler> expire_commands() {
  static constexpr std::array kCommands = {
      CommandHandler{"expire", -3, nullptr, expire},
      CommandHandler{"pexpire", -3, nullptr, pexpire},
      CommandHandler{"expireat", -3, nullptr, expireat},
      CommandHandler{"pexpireat", -3, nullptr, pexpireat},
      CommandHandler{"persist", 2, nullptr, persist},
      CommandHandler{"ttl", 2, ttl, nullptr},
      CommandHandler{"pttl", 2, pttl, nullptr},
      CommandHandler{"expiretime", 2, expiretime, nullptr},
      CommandHandler{"pexpiretime", 2, pexpiretime, nullptr},
  };
  return kCommands;
}

}  // namespace kiwi
