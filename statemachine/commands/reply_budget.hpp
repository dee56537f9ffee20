#pragma once

#include <cstdint>
#include <string>

#include "messages/limits.hpp"
#include "messages/reply.hpp"

namespace kiwi {

/// Counts what one command collects, so that a few bytes of request cannot ask for all the memory there is.
class ReplyBudget {
 public:
  /// False: the reply would be too large; answer with error().
  bool take(std::uint64_t bytes) {
    used_ += bytes + 16;
    return used_ <= kMaxReplyBytes;
  }
  Reply error() const {
    return Reply::error("ERR the reply would be larger than " + std::to_string(kMaxReplyBytes) +
                        " bytes; ask for less at a time");
  }

 private:
  std::uint64_t used_ = 0;
};

}  // namespace kiwi
