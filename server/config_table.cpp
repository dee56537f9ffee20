#include "server/config_table.hpp"

#include <algorithm>
#include <map>

#include "messages/limits.hpp"
#include "server/words.hpp"
#include "statemachine/glob.hpp"

namespace kiwi {

std::vector<ConfigParameter> config_table(const ConfigFacts& facts) {
  return {
      // The log is Kiwi's append-only file, and it is synced before anything is acknowledged.
      {"appendfsync", "always"},
      {"appendonly", "yes"},
      {"bind", facts.bind},
      {"client-query-buffer-limit", std::to_string(facts.client_query_buffer_limit)},
      {"cluster-enabled", "yes"},
      {"cluster-require-full-coverage", "yes"},
      {"databases", "1"},
      {"dir", facts.dir},
      {"loglevel", facts.log_level},
      {"maxclients", std::to_string(facts.max_clients)},
      // No limit, so nothing is ever evicted.
      {"maxmemory", "0"},
      {"maxmemory-policy", "noeviction"},
      {"port", std::to_string(facts.port)},
      {"proto-max-bulk-len", std::to_string(kMaxBulkBytes)},
      {"read-mode", facts.read_mode},  // Kiwi's own
      {"requirepass", ""},
      {"save", ""},
      {"timeout", std::to_string(facts.idle_timeout_s)},
  };
}

Reply config_get(const std::vector<ConfigParameter>& table, const RedisCommand& command) {
  // By lower-case name: a parameter shows up once, however many patterns it matches. A parameter that is
  // asked for by its name is answered under the name as the client wrote it.
  std::map<std::string, std::pair<std::string, std::string>> found;
  for (std::size_t i = 2; i < command.args.size(); ++i) {
    const auto asked = command.args[i].view();
    const auto pattern = to_lower(asked);
    const bool is_pattern = pattern.find_first_of("*?[") != std::string::npos;
    for (const auto& [name, value] : table) {
      if (is_pattern ? glob_matches(pattern, name) : pattern == name)
        found.try_emplace(name, is_pattern ? name : std::string(asked), value);
    }
  }
  std::vector<Reply> pairs;
  for (auto& [key, parameter] : found) {
    pairs.push_back(Reply::bulk(std::move(parameter.first)));
    pairs.push_back(Reply::bulk(std::move(parameter.second)));
  }
  return Reply::map(std::move(pairs));
}

}  // namespace kiwi
