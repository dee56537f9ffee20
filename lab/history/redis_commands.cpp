#include "lab/history/redis_commands.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string>

namespace kiwi::lab::history {
namespace {

using Type = Reply::Type;

std::string lower(std::string_view word) {
  std::string text(word);
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

bool is_nil(const Reply& reply) { return reply.type == Type::nil || reply.type == Type::nil_array; }
bool begins(const Reply& reply, std::string_view text) {
  return reply.text.view().substr(0, text.size()) == text;
}

/// The reply that tells something, or null.
const Reply* told(const Operation& operation) {
  return operation.outcome == Outcome::done && operation.reply ? &*operation.reply : nullptr;
}

/// Errors of the state machine have no effect. Others are not known here: they may stand for anything.
void see_error(const Reply& reply, KeyPart& part) {
  if (begins(reply, "WRONGTYPE"))
    part.seen = Seen::impossible;  // only strings are on keys that are checked
  else if (part.action == Action::add && begins(reply, "ERR value is not an integer"))
    part.seen = Seen::not_integer;
  else if (part.action == Action::add && begins(reply, "ERR increment or decrement would overflow"))
    part.seen = Seen::overflow;
  else
    part.doubtful = true;
}

void see_value(const Reply& reply, KeyPart& part) {
  part.seen = Seen::value;
  if (is_nil(reply))
    part.seen_absent = true;
  else if (reply.type == Type::bulk)
    part.seen_value = reply.text.view();
  else
    part.seen = Seen::impossible;
}

void see_number(const Reply& reply, Seen as, KeyPart& part) {
  part.seen = reply.type == Type::integer ? as : Seen::impossible;
  part.seen_number = reply.integer;
}

/// 0 and 1 only.
void see_flag(const Reply& reply, Seen as, KeyPart& part) {
  see_number(reply, as, part);
  if (reply.integer != 0 && reply.integer != 1)
    part.seen = Seen::impossible;
}

void see_ok(const Reply& reply, KeyPart& part) {
  if (reply.type != Type::simple || reply.text.view() != "OK")
    part.seen = Seen::impossible;
}

void see_type(const Reply& reply, KeyPart& part) {
  part.seen = Seen::existence;
  part.seen_number = reply.text.view() == "string" ? 1 : 0;
  if (reply.type != Type::simple || (part.seen_number == 0 && reply.text.view() != "none"))
    part.seen = Seen::impossible;
}

/// TTL and its relatives: -2 without the key.
void see_deadline(const Reply& reply, KeyPart& part) {
  see_number(reply, Seen::existence, part);
  if (reply.integer < -2)
    part.seen = Seen::impossible;
  part.seen_number = reply.integer == -2 ? 0 : 1;
}

struct SetOptions {
  bool nx = false, xx = false, get = false, expires = false, valid = true;
};

SetOptions set_options(const std::vector<std::string>& words) {
  SetOptions options;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const auto word = lower(words[i]);
    if (word == "nx")
      options.nx = true;
    else if (word == "xx")
      options.xx = true;
    else if (word == "get")
      options.get = true;
    else if (word == "ex" || word == "px" || word == "exat" || word == "pxat") {
      options.expires = true;
      ++i;
    } else if (word != "keepttl")
      options.valid = false;
  }
  options.valid = options.valid && !(options.nx && options.xx);
  return options;
}

ParsedCommand keyed(KeyPart part) { return {CommandKind::keyed, {part}}; }

/// A part whose reply `see` reads, errors apart.
template <class See>
ParsedCommand one_key(const Operation& operation, KeyPart part, See see) {
  part.key = operation.command[1];
  if (const auto* reply = told(operation)) {
    if (reply->is_error())
      see_error(*reply, part);
    else
      see(*reply, part);
  }
  return keyed(part);
}

ParsedCommand parse_set(const Operation& operation) {
  const auto& words = operation.command;
  const auto options = set_options(words);
  if (words.size() < 3 || !options.valid)
    return {};
  KeyPart part;
  part.value = words[2];
  part.action = options.nx ? Action::set_if_absent : options.xx ? Action::set_if_there : Action::set;
  part.may_expire = options.expires;
  return one_key(operation, part, [&](const Reply& reply, KeyPart& p) {
    if (options.get)
      see_value(reply, p);
    else if (options.nx || options.xx) {
      p.seen = Seen::success;
      p.seen_number = is_nil(reply) ? 0 : 1;
      if (!is_nil(reply))
        see_ok(reply, p);
    } else
      see_ok(reply, p);
  });
}

ParsedCommand parse_add(const Operation& operation, std::string_view name) {
  const auto& words = operation.command;
  KeyPart part;
  part.action = Action::add;
  part.delta = 1;
  if (words.size() != (name == "incr" || name == "decr" ? 2U : 3U))
    return {};
  if (words.size() == 3) {
    const auto delta = integer(words[2]);
    if (!delta || *delta == std::numeric_limits<std::int64_t>::min())
      return {};
    part.delta = *delta;
  }
  if (name.substr(0, 4) == "decr")
    part.delta = -part.delta;
  return one_key(operation, part, [](const Reply& reply, KeyPart& p) { see_number(reply, Seen::number, p); });
}

/// The words from the second one on, each once, in order.
std::vector<std::string_view> distinct_keys(const std::vector<std::string>& words, std::size_t step = 1) {
  std::vector<std::string_view> keys;
  for (std::size_t i = 1; i < words.size(); i += step) keys.emplace_back(words[i]);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

/// DEL, UNLINK, EXISTS, TOUCH: the reply counts keys, EXISTS and TOUCH doubled ones as often as they are
/// named. Only a count of none or of all tells about single keys.
ParsedCommand parse_counting(const Operation& operation, Action action) {
  const auto keys = distinct_keys(operation.command);
  const auto most =
      static_cast<std::int64_t>(action == Action::remove ? keys.size() : operation.command.size() - 1);
  ParsedCommand parsed{CommandKind::keyed, {}};
  for (const auto key : keys) {
    KeyPart part;
    part.key = key;
    part.action = action;
    if (const auto* reply = told(operation)) {
      if (reply->is_error())
        see_error(*reply, part);
      else if (reply->type != Type::integer || reply->integer < 0 || reply->integer > most)
        part.seen = Seen::impossible;
      else if (reply->integer == 0 || reply->integer == most) {
        part.seen = Seen::existence;
        part.seen_number = reply->integer == 0 ? 0 : 1;
      }
    }
    parsed.parts.push_back(part);
  }
  return parsed;
}

ParsedCommand parse_mget(const Operation& operation) {
  ParsedCommand parsed{CommandKind::keyed, {}};
  const auto* reply = told(operation);
  const auto count = operation.command.size() - 1;
  for (std::size_t i = 0; i < count; ++i) {
    KeyPart part;
    part.key = operation.command[i + 1];
    if (reply != nullptr && reply->is_error())
      see_error(*reply, part);
    else if (reply != nullptr && (reply->type != Type::array || reply->elements.size() != count))
      part.seen = Seen::impossible;
    else if (reply != nullptr)
      see_value(reply->elements[i], part);
    parsed.parts.push_back(part);
  }
  return parsed;
}

/// MSET and MSETNX. Of a key named twice the last value counts.
ParsedCommand parse_mset(const Operation& operation, bool only_if_absent) {
  const auto& words = operation.command;
  if (words.size() < 3 || words.size() % 2 == 0)
    return {};
  ParsedCommand parsed{CommandKind::keyed, {}};
  const auto* reply = told(operation);
  for (const auto key : distinct_keys(words, 2)) {
    KeyPart part;
    part.key = key;
    part.action = only_if_absent ? Action::set_if_absent : Action::set;
    for (std::size_t i = 1; i < words.size(); i += 2)
      if (words[i] == key)
        part.value = words[i + 1];
    if (reply != nullptr && reply->is_error())
      see_error(*reply, part);
    else if (reply != nullptr && only_if_absent) {
      see_flag(*reply, Seen::success, part);
      // Some key was there, but not every one need be.
      if (part.seen == Seen::success && part.seen_number == 0 && words.size() > 3)
        continue;
    } else if (reply != nullptr)
      see_ok(*reply, part);
    parsed.parts.push_back(part);
  }
  return parsed;
}

ParsedCommand parse_expire(const Operation& operation) {
  const bool has_condition = operation.command.size() > 3;
  KeyPart part;
  part.may_expire = true;
  return one_key(operation, part, [&](const Reply& reply, KeyPart& p) {
    see_flag(reply, Seen::existence, p);
    if (p.seen == Seen::existence && p.seen_number == 0) {
      p.may_expire = false;
      if (has_condition)
        p.seen = Seen::nothing;
    }
  });
}

ParsedCommand parse_getex(const Operation& operation) {
  KeyPart part;
  part.may_expire = operation.command.size() > 3;
  return one_key(operation, part, see_value);
}

ParsedCommand parse_persist(const Operation& operation) {
  return one_key(operation, {}, [](const Reply& reply, KeyPart& p) {
    see_flag(reply, Seen::existence, p);
    if (p.seen == Seen::existence && p.seen_number == 0)
      p.seen = Seen::nothing;  // no such key, or no time to live
  });
}

template <std::size_t N>
bool one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 41> kWithoutEffect = {
    "asking",   "auth",    "client",  "cluster", "command",   "config",     "dbsize",
    "debug",    "discard", "echo",    "exec",    "hello",     "info",       "keys",
    "lastsave", "latency", "lolwut",  "memory",  "module",    "monitor",    "multi",
    "object",   "ping",    "publish", "quit",    "randomkey", "readonly",   "readwrite",
    "reset",    "role",    "scan",    "select",  "slowlog",   "time",       "unwatch",
    "wait",     "watch",   "save",    "bgsave",  "subscribe", "unsubscribe"};
constexpr std::array<std::string_view, 4> kExpire = {"expire", "pexpire", "expireat", "pexpireat"};
constexpr std::array<std::string_view, 4> kDeadline = {"ttl", "pttl", "expiretime", "pexpiretime"};
constexpr std::array<std::string_view, 4> kAdd = {"incr", "decr", "incrby", "decrby"};

ParsedCommand parse_on_keys(const Operation& operation, std::string_view name) {
  const auto& words = operation.command;
  const auto count = words.size();
  const auto with = [](Action action, std::string_view value = {}) {
    KeyPart part;
    part.action = action;
    part.value = value;
    return part;
  };
  if (name == "get" && count == 2)
    return one_key(operation, {}, see_value);
  if (name == "set")
    return parse_set(operation);
  if (one_of(name, kAdd))
    return parse_add(operation, name);
  if (name == "getset" && count == 3)
    return one_key(operation, with(Action::set, words[2]), see_value);
  if (name == "getdel" && count == 2)
    return one_key(operation, with(Action::remove), see_value);
  if (name == "setnx" && count == 3)
    return one_key(operation, with(Action::set_if_absent, words[2]),
                   [](const Reply& reply, KeyPart& p) { see_flag(reply, Seen::success, p); });
  if ((name == "setex" || name == "psetex") && count == 4) {
    auto part = with(Action::set, words[3]);
    part.may_expire = true;
    return one_key(operation, part, see_ok);
  }
  if (name == "append" && count == 3)
    return one_key(operation, with(Action::append, words[2]),
                   [](const Reply& reply, KeyPart& p) { see_number(reply, Seen::length, p); });
  if (name == "strlen" && count == 2)
    return one_key(operation, {}, [](const Reply& reply, KeyPart& p) { see_number(reply, Seen::length, p); });
  if (name == "del" || name == "unlink")
    return parse_counting(operation, Action::remove);
  if (name == "exists" || name == "touch")
    return parse_counting(operation, Action::read);
  if (name == "mget")
    return parse_mget(operation);
  if (name == "mset" || name == "msetnx")
    return parse_mset(operation, name == "msetnx");
  if (one_of(name, kExpire))
    return parse_expire(operation);
  if (one_of(name, kDeadline))
    return one_key(operation, {}, see_deadline);
  if (name == "getex")
    return parse_getex(operation);
  if (name == "persist")
    return parse_persist(operation);
  if (name == "type")
    return one_key(operation, {}, see_type);
  return {};
}

}  // namespace

ParsedCommand parse_command(const Operation& operation) {
  const auto name = operation.command.empty() ? std::string() : lower(operation.command[0]);
  if (one_of(name, kWithoutEffect) || name.substr(0, 5) == "raft.")
    return {CommandKind::no_effect, {}};
  if (name == "flushall" || name == "flushdb")
    return {CommandKind::removes_all, {}};
  // Inside a transaction the effect comes with EXEC.
  const auto* reply = told(operation);
  if (operation.command.size() < 2 ||
      (reply != nullptr && reply->type == Type::simple && reply->text.view() == "QUEUED"))
    return {};
  return parse_on_keys(operation, name);
}

}  // namespace kiwi::lab::history
