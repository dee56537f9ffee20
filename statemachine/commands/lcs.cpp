#include "statemachine/commands/lcs.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "messages/limits.hpp"
#include "statemachine/commands/text.hpp"

namespace kiwi {
namespace {

struct Options {
  bool length = false;
  bool indexes = false;
  bool with_match_length = false;
  std::int64_t min_match_length = 0;
};

/// lengths[i * width + j]: the longest common subsequence of the first i bytes of a and the first j of b.
struct Table {
  Table(std::string_view a, std::string_view b)
      : width(b.size() + 1), lengths((a.size() + 1) * (b.size() + 1), 0) {
    for (std::size_t i = 1; i <= a.size(); ++i)
      for (std::size_t j = 1; j <= b.size(); ++j)
        lengths[i * width + j] =
            a[i - 1] == b[j - 1] ? at(i - 1, j - 1) + 1 : std::max(at(i - 1, j), at(i, j - 1));
  }
  std::uint32_t at(std::size_t i, std::size_t j) const { return lengths[i * width + j]; }
  std::size_t width;
  std::vector<std::uint32_t> lengths;
};

/// A stretch that both strings have in common, positions inclusive.
struct Match {
  std::size_t a_first, a_last, b_first, b_last;
  std::size_t length() const { return a_last - a_first + 1; }
};

/// Walks back from the ends of both strings along one longest subsequence; matches come last one first.
struct Trace {
  std::string text;
  std::vector<Match> matches;

  Trace(std::string_view a, std::string_view b, const Table& table) {
    auto i = a.size();
    auto j = b.size();
    text.reserve(table.at(i, j));
    while (i > 0 && j > 0) {
      if (a[i - 1] == b[j - 1]) {
        text.push_back(a[i - 1]);
        --i;
        --j;
        if (!matches.empty() && matches.back().a_first == i + 1 && matches.back().b_first == j + 1) {
          matches.back().a_first = i;
          matches.back().b_first = j;
        } else {
          matches.push_back({i, i, j, j});
        }
      } else if (table.at(i - 1, j) > table.at(i, j - 1)) {
        --i;
      } else {
        --j;
      }
    }
    std::reverse(text.begin(), text.end());
  }
};

Reply range(std::size_t first, std::size_t last) {
  return Reply::array(
      {Reply::of(static_cast<std::int64_t>(first)), Reply::of(static_cast<std::int64_t>(last))});
}

Reply index_reply(const Trace& trace, const Options& options) {
  std::vector<Reply> matches;
  for (const auto& match : trace.matches) {
    const auto length = static_cast<std::int64_t>(match.length());
    if (length < options.min_match_length)
      continue;
    std::vector<Reply> parts = {range(match.a_first, match.a_last), range(match.b_first, match.b_last)};
    if (options.with_match_length)
      parts.push_back(Reply::of(length));
    matches.push_back(Reply::array(std::move(parts)));
  }
  return Reply::map({Reply::bulk(std::string("matches")), Reply::array(std::move(matches)),
                     Reply::bulk(std::string("len")),
                     Reply::of(static_cast<std::int64_t>(trace.text.size()))});
}

std::optional<Reply> parse(const RedisCommand& command, Options& options) {
  const auto& args = command.args;
  for (std::size_t i = 3; i < args.size(); ++i) {
    const auto word = args[i].view();
    if (is_word(word, "idx")) {
      options.indexes = true;
    } else if (is_word(word, "len")) {
      options.length = true;
    } else if (is_word(word, "withmatchlen")) {
      options.with_match_length = true;
    } else if (is_word(word, "minmatchlen") && i + 1 < args.size()) {
      const auto length = parse_integer(args[++i].view());
      if (!length)
        return errors::not_an_integer();
      options.min_match_length = std::max<std::int64_t>(0, *length);
    } else {
      return errors::syntax();
    }
  }
  if (options.length && options.indexes)
    return Reply::error("ERR If you want both the length and indexes, please just use IDX.");
  return std::nullopt;
}

}  // namespace

Reply lcs(ReadContext& context, const RedisCommand& command) {
  Bytes values[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const auto record = context.keys.get(command.args[i + 1].view());
    if (!record)
      continue;
    if (record->meta.type != ValueType::string)
      return Reply::error("ERR The specified keys must contain string values");
    values[i] = record->payload;
  }
  Options options;
  if (auto error = parse(command, options))
    return *error;
  const auto a = values[0].view();
  const auto b = values[1].view();
  if ((a.size() + 1) * (b.size() + 1) > kMaxBulkBytes / sizeof(std::uint32_t))
    return Reply::error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  const Table table(a, b);
  if (options.length)
    return Reply::of(table.at(a.size(), b.size()));
  Trace trace(a, b, table);
  return options.indexes ? index_reply(trace, options) : Reply::bulk(std::move(trace.text));
}

}  // namespace kiwi
