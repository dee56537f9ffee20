#pragma once

// Incremental parser for what clients send: RESP arrays of bulk strings, and inline commands. Bounded: it
// never holds more than what one command may weigh, and allocates for bytes that came, not for lengths
// claimed.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/client.hpp"
#include "messages/limits.hpp"

namespace kiwi {

struct RespLimits {
  std::uint64_t max_bulk_bytes = kMaxBulkBytes;
  std::uint64_t max_request_bytes = kMaxRequestBytes;
  std::uint64_t max_arguments = kMaxArguments;
  std::uint64_t max_inline_bytes = kMaxInlineBytes;
};

/// Feed bytes, take commands. After an error the parser is dead: the connection writes the error and closes,
/// as Redis does. Error texts are Redis' own ("Protocol error: invalid multibulk length", ...), without "-ERR
/// ".
///
/// What commands come out does not depend on how the bytes were cut into pieces. The work is linear in the
/// bytes fed. Memory, provided that next() is called until it gives nothing after each feed(): at most three
/// times the sum of limits.max_request_bytes and one piece, plus less than 150 bytes per argument; nothing at
/// all while the client is idle between commands. Taken arguments keep alive only the chunks they lie in.
///
/// Movable; a moved-from parser may only be destroyed. Not thread-safe, but the arguments are: they may be
/// read and dropped by other threads while this one parses on.
class RespParser {
 public:
  explicit RespParser(RespLimits limits = {});
  RespParser(RespParser&&) = default;
  RespParser& operator=(RespParser&&) = default;

  /// Copies the bytes in. Cheap to call with any piece size. Ignored after an error.
  void feed(std::string_view bytes);
  /// The next complete command, or nothing (more bytes needed, or error() is set). Empty inline lines and
  /// empty arrays ("*0") are skipped, as Redis does. The arguments are windows into a shared buffer.
  std::optional<RedisCommand> next();
  const std::optional<std::string>& error() const { return error_; }
  /// Bytes held that are not yet part of a taken command.
  std::size_t buffered_bytes() const { return filled_ - parsed_ + collected_bytes_; }

 private:
  enum class Step { done, more_bytes };  // more_bytes: or failed, see error_

  void make_room(std::size_t more);
  void release_chunk();
  Step fail(std::string what);
  std::string_view unparsed() const { return {chunk_.get() + parsed_, filled_ - parsed_}; }
  void consume(std::size_t bytes);
  std::optional<std::string_view> find_line(char end, const char* too_long);
  std::optional<std::string_view> find_number_line(const char* too_long);
  Step read_array_header();
  Step read_bulk_header();
  Step read_argument();
  Step read_inline();
  RedisCommand take_command();

  RespLimits limits_;
  std::optional<std::string> error_;

  // One buffer, filled from the front and never written twice, so that windows into its parsed part may be
  // given away while bytes are appended behind. Invariant: parsed_ <= filled_ <= capacity_.
  std::shared_ptr<char[]> chunk_;
  std::size_t capacity_ = 0;
  std::size_t filled_ = 0;
  std::size_t parsed_ = 0;   // the start of what is not yet an argument or a header
  std::size_t scanned_ = 0;  // of unparsed(): searched in vain for the end of the line

  // The command that is being read.
  std::vector<Bytes> args_;
  std::uint64_t args_missing_ = 0;   // 0: between commands
  bool in_bulk_ = false;             // the header of the next argument was read
  std::uint64_t bulk_bytes_ = 0;     // its length, without the line break
  std::uint64_t request_bytes_ = 0;  // what the command will weigh encoded, as far as it is announced
  std::size_t collected_bytes_ = 0;  // of input that args_ and the headers took
};

}  // namespace kiwi
