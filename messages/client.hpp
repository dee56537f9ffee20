#pragma once

#include <vector>

#include "messages/bytes.hpp"
#include "messages/ids.hpp"
#include "messages/reply.hpp"

namespace kiwi {

/// One Redis command: args[0] is its name as the client wrote it. The arguments are windows into shared
/// buffers: the socket's on the way in, the log entry's when it is applied.
struct RedisCommand {
  static constexpr const char* name = "RedisCommand";
  std::vector<Bytes> args;
  auto fields() { return std::tie(args); }
  friend bool operator==(const RedisCommand&, const RedisCommand&) = default;
};

/// What a client wants replicated. Travels in an entry's payload (codec.hpp: encode_request).
struct ClientRequest {
  static constexpr const char* name = "ClientRequest";
  RedisCommand command;
  auto fields() { return std::tie(command); }
  friend bool operator==(const ClientRequest&, const ClientRequest&) = default;
};

/// What applying it gave. A command's own error is a reply; it never interrupts Raft.
struct ClientResponse {
  static constexpr const char* name = "ClientResponse";
  Index index;  // of the entry, or the applied index a read was served at
  Reply reply;
  auto fields() { return std::tie(index, reply); }
  friend bool operator==(const ClientResponse&, const ClientResponse&) = default;
};

}  // namespace kiwi
