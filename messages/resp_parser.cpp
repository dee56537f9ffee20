#include "messages/resp_parser.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "messages/codec.hpp"
#include "messages/resp_inline.hpp"

namespace kiwi {

namespace {

constexpr std::size_t kSmallestChunk = 512;

constexpr const char* kBadArrayLength = "Protocol error: invalid multibulk length";
constexpr const char* kBadBulkLength = "Protocol error: invalid bulk length";
constexpr const char* kLongArrayLength = "Protocol error: too big mbulk count string";
constexpr const char* kLongBulkLength = "Protocol error: too big bulk count string";
constexpr const char* kLongInline = "Protocol error: too big inline request";
constexpr const char* kUnbalanced = "Protocol error: unbalanced quotes in request";
constexpr const char* kTooLarge = "Protocol error: request too large";

/// A decimal number written the only way: no plus sign, no leading zero, no "-0", nothing around it.
std::optional<std::int64_t> strict_number(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || (digits.front() == '0' && text.size() > 1))
    return std::nullopt;
  std::int64_t number = 0;
  if (text.size() <= 18) {  // cannot overflow; twice as fast as from_chars, and in every header
    for (const char c : digits) {
      if (c < '0' || c > '9')
        return std::nullopt;
      number = number * 10 + (c - '0');
    }
    return digits.size() == text.size() ? number : -number;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

}  // namespace

RespParser::RespParser(RespLimits limits) : limits_(limits) {}

void RespParser::feed(std::string_view bytes) {
  if (error_ || bytes.empty())
    return;
  if (capacity_ - filled_ < bytes.size())
    make_room(bytes.size());
  std::memcpy(chunk_.get() + filled_, bytes.data(), bytes.size());
  filled_ += bytes.size();
}

/// Starts a new chunk with the unparsed rest of the old one. Copying that rest is paid for either by at least
/// as many new bytes, or by doubling; a claimed length only ever makes the chunk smaller than that.
void RespParser::make_room(std::size_t more) {
  const auto rest = unparsed();
  const std::size_t needed = rest.size() + more;
  std::size_t wanted = std::max(2 * rest.size(), kSmallestChunk);
  if (in_bulk_ && needed <= bulk_bytes_ + 2)
    wanted = std::min<std::size_t>(wanted, bulk_bytes_ + 2);
  const std::size_t capacity = std::max(needed, wanted);
  auto chunk = std::make_shared_for_overwrite<char[]>(capacity);
  if (!rest.empty())
    std::memcpy(chunk.get(), rest.data(), rest.size());
  filled_ = rest.size();
  parsed_ = 0;
  capacity_ = capacity;
  chunk_ = std::move(chunk);
}

void RespParser::release_chunk() {
  chunk_.reset();
  capacity_ = filled_ = parsed_ = scanned_ = 0;
}

RespParser::Step RespParser::fail(std::string what) {
  error_ = std::move(what);
  release_chunk();
  args_ = {};
  collected_bytes_ = 0;
  return Step::more_bytes;
}

void RespParser::consume(std::size_t bytes) {
  parsed_ += bytes;
  collected_bytes_ += bytes;
  scanned_ = 0;
}

/// The unparsed bytes before the first `end`. Fails when it is not among the first max_inline_bytes + 1, so
/// that the outcome does not depend on how much happens to be there.
std::optional<std::string_view> RespParser::find_line(char end, const char* too_long) {
  const auto rest = unparsed();
  const auto window = rest.substr(0, limits_.max_inline_bytes + 1);
  const auto place = window.find(end, scanned_);
  if (place != std::string_view::npos)
    return window.substr(0, place);
  scanned_ = window.size();
  if (window.size() > limits_.max_inline_bytes)
    fail(too_long);
  return std::nullopt;
}

/// A header line, complete with its line break. As in Redis the byte after the '\r' may be any.
std::optional<std::string_view> RespParser::find_number_line(const char* too_long) {
  const auto line = find_line('\r', too_long);
  if (!line)
    return std::nullopt;
  if (line->size() + 2 > unparsed().size()) {
    scanned_ = line->size();
    return std::nullopt;
  }
  return line;
}

RespParser::Step RespParser::read_array_header() {
  const auto line = find_number_line(kLongArrayLength);
  if (!line)
    return Step::more_bytes;
  const auto count = strict_number(line->substr(1));
  if (!count || *count > static_cast<std::int64_t>(limits_.max_arguments))
    return fail(kBadArrayLength);
  consume(line->size() + 2);
  if (*count <= 0) {
    collected_bytes_ = 0;
    return Step::done;
  }
  args_missing_ = static_cast<std::uint64_t>(*count);
  args_.reserve(std::min<std::size_t>(args_missing_, 8));
  request_bytes_ = kRequestFixedBytes;
  return Step::done;
}

RespParser::Step RespParser::read_bulk_header() {
  const auto line = find_number_line(kLongBulkLength);
  if (!line)
    return Step::more_bytes;
  const char mark = chunk_[parsed_];
  if (mark != '$')
    return fail(std::string("Protocol error: expected '$', got '") +
                (mark == '\r' || mark == '\n' ? ' ' : mark) + "'");
  const auto length = strict_number(line->substr(1));
  if (!length || *length < 0 || *length > static_cast<std::int64_t>(limits_.max_bulk_bytes))
    return fail(kBadBulkLength);
  bulk_bytes_ = static_cast<std::uint64_t>(*length);
  request_bytes_ += kRequestArgumentBytes + bulk_bytes_;
  if (request_bytes_ > limits_.max_request_bytes)
    return fail(kTooLarge);
  consume(line->size() + 2);
  in_bulk_ = true;
  return Step::done;
}

RespParser::Step RespParser::read_argument() {
  if (!in_bulk_ && read_bulk_header() != Step::done)
    return Step::more_bytes;
  const auto rest = unparsed();
  if (rest.size() < bulk_bytes_ + 2)
    return Step::more_bytes;
  args_.emplace_back(chunk_, rest.substr(0, bulk_bytes_));
  consume(bulk_bytes_ + 2);
  in_bulk_ = false;
  --args_missing_;
  return Step::done;
}

/// A line that is not an array. Leaves args_ empty for an empty line.
RespParser::Step RespParser::read_inline() {
  auto line = find_line('\n', kLongInline);
  if (!line)
    return Step::more_bytes;
  const std::size_t length = line->size() + 1;
  if (line->ends_with('\r'))
    line->remove_suffix(1);
  auto args = split_inline(*line);
  if (!args)
    return fail(kUnbalanced);
  request_bytes_ = kRequestFixedBytes;
  for (const auto& arg : *args) request_bytes_ += kRequestArgumentBytes + arg.size();
  if (args->size() > limits_.max_arguments || request_bytes_ > limits_.max_request_bytes)
    return fail(kTooLarge);
  args_ = std::move(*args);
  consume(length);
  collected_bytes_ = 0;
  return Step::done;
}

RedisCommand RespParser::take_command() {
  RedisCommand command{std::move(args_)};
  args_.clear();
  collected_bytes_ = 0;
  return command;
}

std::optional<RedisCommand> RespParser::next() {
  while (!error_) {
    if (args_missing_ > 0) {
      while (args_missing_ > 0)
        if (read_argument() != Step::done)
          return std::nullopt;
      return take_command();
    }
    if (parsed_ == filled_) {
      release_chunk();
      return std::nullopt;
    }
    const bool is_array = chunk_[parsed_] == '*';
    if ((is_array ? read_array_header() : read_inline()) != Step::done)
      return std::nullopt;
    if (!args_.empty())
      return take_command();
  }
  return std::nullopt;
}

}  // namespace kiwi
