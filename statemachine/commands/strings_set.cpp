// SET and its relatives: commands that replace a whole string.

#include <array>

#include "statemachine/commands/expiry_option.hpp"
#include "statemachine/commands/handler.hpp"
#include "statemachine/commands/text.hpp"

namespace kiwi {
namespace {

Record string_record(const Bytes& value, std::uint64_t deadline_ms = 0) {
  Record record;
  record.meta.expire_at_ms = deadline_ms;
  record.payload = value;
  return record;
}

struct SetOptions {
  bool only_if_missing = false;
  bool only_if_there = false;
  bool keep_ttl = false;
  bool get = false;
  std::optional<ExpiryOption> expiry;
  std::string_view amount;
};

std::optional<SetOptions> parse_set_options(const RedisCommand& command) {
  SetOptions options;
  for (std::size_t i = 3; i < command.args.size(); ++i) {
    const auto word = command.args[i].view();
    if (is_word(word, "nx") && !options.only_if_there)
      options.only_if_missing = true;
    else if (is_word(word, "xx") && !options.only_if_missing)
      options.only_if_there = true;
    else if (is_word(word, "get"))
      options.get = true;
    else if (is_word(word, "keepttl") && !options.expiry)
      options.keep_ttl = true;
    else if (const auto expiry = expiry_option(word); expiry && !options.keep_ttl &&
                                                      options.expiry.value_or(*expiry) == *expiry &&
                                                      i + 1 < command.args.size()) {
      options.expiry = expiry;
      options.amount = command.args[++i].view();
    } else {
      return std::nullopt;
    }
  }
  return options;
}

Reply set(ApplyContext& context, const RedisCommand& command) {
  const auto options = parse_set_options(command);
  if (!options)
    return errors::syntax();
  std::uint64_t deadline_ms = 0;
  if (options->expiry) {
    auto parsed = parse_deadline(options->amount, *options->expiry, context.now_ms, command.args[0].view());
    if (parsed.error)
      return *parsed.error;
    deadline_ms = parsed.deadline_ms;
  }
  const auto key = command.args[1].view();
  Reply old = Reply::nil();
  std::optional<Meta> meta;
  if (options->get) {
    if (const auto record = context.keys.get(key)) {
      if (record->meta.type != ValueType::string)
        return errors::wrong_type();
      meta = record->meta;
      old = Reply::bulk(record->payload);
    }
  } else if (options->only_if_missing || options->only_if_there || options->keep_ttl) {
    meta = context.keys.meta(key);
  }
  if ((options->only_if_missing && meta) || (options->only_if_there && !meta))
    return old;
  if (options->keep_ttl && meta)
    deadline_ms = meta->expire_at_ms;
  context.keys.put(key, string_record(command.args[2], deadline_ms));
  return options->get ? old : Reply::ok();
}

Reply setnx(ApplyContext& context, const RedisCommand& command) {
  const auto key = command.args[1].view();
  if (context.keys.meta(key))
    return Reply::of(0);
  context.keys.put(key, string_record(command.args[2]));
  return Reply::of(1);
}

Reply set_with_ttl(ApplyContext& context, const RedisCommand& command, TimeUnit unit) {
  auto parsed = parse_deadline(command.args[2].view(), {unit, false}, context.now_ms, command.args[0].view());
  if (parsed.error)
    return *parsed.error;
  context.keys.put(command.args[1].view(), string_record(command.args[3], parsed.deadline_ms));
  return Reply::ok();
}

Reply setex(ApplyContext& context, const RedisCommand& command) {
  return set_with_ttl(context, command, TimeUnit::seconds);
}
Reply psetex(ApplyContext& context, const RedisCommand& command) {
  return set_with_ttl(context, command, TimeUnit::milliseconds);
}

Reply getset(ApplyContext& context, const RedisCommand& command) {
  const auto key = command.args[1].view();
  const auto old = context.keys.get(key);
  if (old && old->meta.type != ValueType::string)
    return errors::wrong_type();
  context.keys.put(key, string_record(command.args[2]));
  return old ? Reply::bulk(old->payload) : Reply::nil();
}

Reply getdel(ApplyContext& context, const RedisCommand& command) {
  const auto key = command.args[1].view();
  const auto old = context.keys.get(key);
  if (!old)
    return Reply::nil();
  if (old->meta.type != ValueType::string)
    return errors::wrong_type();
  context.keys.erase(key);
  return Reply::bulk(old->payload);
}

struct GetexOptions {
  bool persist = false;
  std::optional<ExpiryOption> expiry;
  std::string_view amount;
};

/// One kind of option only, but it may be repeated: the last one counts.
std::optional<GetexOptions> parse_getex_options(const RedisCommand& command) {
  GetexOptions options;
  for (std::size_t i = 2; i < command.args.size(); ++i) {
    const auto word = command.args[i].view();
    const auto expiry = expiry_option(word);
    if (is_word(word, "persist") && !options.expiry) {
      options.persist = true;
    } else if (expiry && !options.persist && options.expiry.value_or(*expiry) == *expiry &&
               i + 1 < command.args.size()) {
      options.expiry = expiry;
      options.amount = command.args[++i].view();
    } else {
      return std::nullopt;
    }
  }
  return options;
}

Reply getex(ApplyContext& context, const RedisCommand& command) {
  const auto options = parse_getex_options(command);
  if (!options)
    return errors::syntax();
  const auto key = command.args[1].view();
  auto record = context.keys.get(key);
  if (!record)
    return Reply::nil();
  if (record->meta.type != ValueType::string)
    return errors::wrong_type();
  auto reply = Reply::bulk(record->payload);
  std::uint64_t deadline_ms = 0;
  if (options->expiry) {
    auto parsed = parse_deadline(options->amount, *options->expiry, context.now_ms, command.args[0].view());
    if (parsed.error)
      return *parsed.error;
    deadline_ms = parsed.deadline_ms;
  }
  if (options->expiry || (options->persist && record->meta.expire_at_ms != 0)) {
    record->meta.expire_at_ms = deadline_ms;
    context.keys.put(key, std::move(*record));
  }
  return reply;
}

bool whole_pairs(const RedisCommand& command) { return command.args.size() % 2 == 1; }

void put_pairs(ApplyContext& context, const RedisCommand& command) {
  for (std::size_t i = 1; i < command.args.size(); i += 2)
    context.keys.put(command.args[i].view(), string_record(command.args[i + 1]));
}

Reply mset(ApplyContext& context, const RedisCommand& command) {
  if (!whole_pairs(command))
    return errors::wrong_arity(command.args[0].view());
  put_pairs(context, command);
  return Reply::ok();
}

Reply msetnx(ApplyContext& context, const RedisCommand& command) {
  if (!whole_pairs(command))
    return errors::wrong_arity(command.args[0].view());
  for (std::size_t i = 1; i < command.args.size(); i += 2)
    if (context.keys.meta(command.args[i].view()))
      return Reply::of(0);
  put_pairs(context, command);
  return Reply::of(1);
}

}  // namespace

std::span<const CommandHandler> string_write_commands() {
  static constexpr std::array kCommands = {
      CommandHandler{"set", -3, nullptr, set},       CommandHandler{"setnx", 3, nullptr, setnx},
      CommandHandler{"setex", 4, nullptr, setex},    CommandHandler{"psetex", 4, nullptr, psetex},
      CommandHandler{"getset", 3, nullptr, getset},  CommandHandler{"getdel", 2, nullptr, getdel},
      CommandHandler{"getex", -2, nullptr, getex},   CommandHandler{"mset", -3, nullptr, mset},
      CommandHandler{"msetnx", -3, nullptr, msetnx},
  };
  return kCommands;
}

}  // namespace kiwi
