#include "lab/resp/reply_reader.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

namespace kiwi::lab {

namespace {
constexpr int kMaxDepth = 32;

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return n;
}
}  // namespace

std::string encode_command(const std::vector<std::string>& command) {
  std::string out = "*" + std::to_string(command.size()) + "\r\n";
  for (const auto& argument : command) {
    out += "$" + std::to_string(argument.size()) + "\r\n";
    out += argument;
    out += "\r\n";
  }
  return out;
}

std::optional<Reply> ReplyReader::fail() {
  broken_ = true;
  return std::nullopt;
}

std::optional<Reply> ReplyReader::next() {
  if (broken_ || begin_ == bytes_.size())
    return std::nullopt;
  auto at = begin_;
  auto reply = read(at, 0);
  if (!reply)
    return std::nullopt;
  begin_ = at;
  if (begin_ == bytes_.size() || begin_ > (64u << 10)) {
    bytes_.erase(0, begin_);
    begin_ = 0;
  }
  return reply;
}

std::optional<std::string_view> ReplyReader::line(std::size_t& at) {
  auto end = bytes_.find("\r\n", at);
  if (end == std::string::npos)
    return std::nullopt;
  std::string_view text(bytes_.data() + at, end - at);
  at = end + 2;
  return text;
}

std::optional<Reply> ReplyReader::read(std::size_t& at, int depth) {
  if (depth > kMaxDepth)
    return fail();
  auto text = line(at);
  if (!text)
    return std::nullopt;
  if (text->empty())
    return fail();
  const char type = text->front();
  text->remove_prefix(1);
  switch (type) {
    case '+':
      return Reply::simple(std::string(*text));
    case '-':
      return Reply::error(std::string(*text));
    case ',':
      return Reply::number(std::string(*text));
    case '_':
      return Reply::nil();
    case '#':
      return Reply::boolean(*text == "t");
    default:
      break;
  }
  const auto n = number_of(*text);
  if (!n || *n < -1)
    return fail();
  switch (type) {
    case ':':
      return Reply::of(*n);
    case '$':
    case '=':
      return read_text(at, type, *n);
    case '*':
    case '~':
    case '%':
      return read_elements(at, type, *n, depth);
    default:
      return fail();
  }
}

std::optional<Reply> ReplyReader::read_text(std::size_t& at, char type, std::int64_t size) {
  if (size < 0)
    return Reply::nil();
  const auto length = static_cast<std::size_t>(size);
  if (bytes_.size() - at < length + 2)
    return std::nullopt;
  if (bytes_.compare(at + length, 2, "\r\n") != 0)
    return fail();
  auto text = bytes_.substr(at, length);
  at += length + 2;
  if (type == '=')
    return Reply::verbatim(text.size() < 4 ? text : text.substr(4));
  return Reply::bulk(std::move(text));
}

std::optional<Reply> ReplyReader::read_elements(std::size_t& at, char type, std::int64_t count, int depth) {
  if (count < 0)
    return Reply::nil_array();
  std::vector<Reply> elements;
  for (std::int64_t i = 0; i < (type == '%' ? 2 * count : count); ++i) {
    auto element = read(at, depth + 1);
    if (!element)
      return std::nullopt;
    elements.push_back(std::move(*element));
  }
  if (type == '%')
    return Reply::map(std::move(elements));
  return type == '~' ? Reply::set(std::move(elements)) : Reply::array(std::move(elements));
}

}  // namespace kiwi::lab
