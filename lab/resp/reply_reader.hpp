#pragma once

// The client's half of the Redis protocol: cuts what a node sends into replies. RESP2 and RESP3.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/reply.hpp"

namespace kiwi::lab {

/// One command as an array of bulk strings. Not empty.
std::string encode_command(const std::vector<std::string>& command);

/// Feed bytes in pieces of any size, take replies. After broken() nothing more comes.
class ReplyReader {
 public:
  void feed(std::string_view bytes) { bytes_.append(bytes); }
  /// The next complete reply.
  std::optional<Reply> next();
  /// The bytes are no RESP.
  bool broken() const { return broken_; }

 private:
  std::optional<Reply> read(std::size_t& at, int depth);
  std::optional<std::string_view> line(std::size_t& at);
  std::optional<Reply> read_text(std::size_t& at, char type, std::int64_t size);
  std::optional<Reply> read_elements(std::size_t& at, char type, std::int64_t count, int depth);
  std::optional<Reply> fail();

  std::string bytes_;
  std::size_t begin_ = 0;
  bool broken_ = false;
};

}  // namespace kiwi::lab
