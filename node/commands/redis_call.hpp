#pragma once

// One question to a node's Redis port, in the caller's thread.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "node/commands/command_error.hpp"

namespace kiwi {

/// A reply flattened: the texts and numbers in it, in order, as text.
struct RedisAnswer {
  bool is_error = false;
  std::vector<std::string> words;
};

/// Sends one command and waits for its reply, however long the node works on it; `waiting` is called about
/// every second. kExitNoAnswer: nobody listens, the connection ended, or what came is no RESP. Replies above
/// 1 MiB are no RESP.
CommandResult<RedisAnswer> redis_call(const std::string& host, std::uint16_t port,
                                      const std::vector<std::string>& command,
                                      const std::function<void()>& waiting);

}  // namespace kiwi
