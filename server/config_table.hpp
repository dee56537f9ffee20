#pragma once

// CONFIG GET: parameters of Redis that clients and tools ask for, with what is true for this node. A
// parameter that has no meaning here is not in the table, and the reply leaves it out, as Redis does for
// unknown ones.

#include <cstdint>
#include <string>
#include <vector>

#include "messages/client.hpp"
#include "messages/reply.hpp"
#include "server/environment.hpp"

namespace kiwi {

struct ConfigFacts {
  std::uint16_t port = 0;
  std::string bind;
  std::string dir;
  std::string log_level;  // as Redis names them: debug, verbose, notice, warning
  std::uint64_t max_clients = 0;
  std::uint64_t client_query_buffer_limit = 0;
  std::string read_mode;             // quorum or lease
  std::uint64_t idle_timeout_s = 0;  // 0: idle clients stay
};

std::vector<ConfigParameter> config_table(const ConfigFacts& facts);

/// CONFIG GET pattern [pattern ...].
Reply config_get(const std::vector<ConfigParameter>& table, const RedisCommand& command);

}  // namespace kiwi
