#include "statemachine/commands/scan.hpp"

#include <charconv>

#include "statemachine/commands/text.hpp"
#include "statemachine/glob.hpp"

namespace kiwi {
namespace {

constexpr unsigned kHashShift = 64 - data_format::kCursorBits;
constexpr std::int64_t kDefaultCount = 10;

struct Options {
  std::string_view pattern = "*";
  std::optional<std::string> type;
  std::int64_t count = kDefaultCount;
};

/// As Redis reads it: nothing at all is 0.
std::optional<std::uint64_t> parse_cursor(std::string_view text) {
  std::uint64_t cursor = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cursor);
  if (!text.empty() && (error != std::errc() || end != text.data() + text.size()))
    return std::nullopt;
  return cursor;
}

std::optional<Reply> parse(const RedisCommand& command, Options& options) {
  const auto& args = command.args;
  for (std::size_t i = 2; i < args.size(); i += 2) {
    const auto word = args[i].view();
    if (i + 1 == args.size())
      return errors::syntax();
    const auto value = args[i + 1].view();
    if (is_word(word, "count")) {
      const auto count = parse_integer(value);
      if (!count)
        return errors::not_an_integer();
      if (*count < 1)
        return errors::syntax();
      options.count = *count;
    } else if (is_word(word, "match")) {
      options.pattern = value;
    } else if (is_word(word, "type")) {
      options.type = lower(value);
    } else {
      return errors::syntax();
    }
  }
  return std::nullopt;
}

}  // namespace

Reply scan(ReadContext& context, const RedisCommand& command) {
  const auto cursor = parse_cursor(command.args[1].view());
  if (!cursor)
    return Reply::error("ERR invalid cursor");
  Options options;
  if (auto wrong = parse(command, options))
    return *wrong;

  std::vector<Reply> found;
  std::uint64_t next = 0;
  std::uint64_t group = 0;  // the cursor bits of the key visited last
  std::int64_t visited = 0;
  const auto visit = [&](std::uint64_t hash, std::string_view key, const Meta& meta) {
    if (visited >= options.count && hash >> kHashShift != group) {
      next = hash >> kHashShift;
      return false;
    }
    group = hash >> kHashShift;
    ++visited;
    if ((!options.type || *options.type == type_name(meta.type)) &&
        (options.pattern == "*" || glob_matches(options.pattern, key)))
      found.push_back(Reply::bulk(std::string(key)));
    return true;
  };
  // No cursor that was given out is so large; there is nothing behind it.
  if (*cursor >> data_format::kCursorBits == 0)
    context.keys.walk(*cursor << kHashShift, visit);
  return Reply::array({Reply::bulk(std::to_string(next)), Reply::array(std::move(found))});
}

}  // namespace kiwi
