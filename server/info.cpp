#include "server/info.hpp"

#include <algorithm>
#include <cstdio>

#include "server/client_registry.hpp"
#include "server/node_status.hpp"
#include "server/words.hpp"

namespace kiwi {

namespace {

void info_server(const InfoSources& from, InfoText& out) {
  const auto& environment = from.environment;
  const auto& process = from.process;
  out.section("Server");
  // The version of Redis that Kiwi answers like; clients choose their commands by it.
  out.add("redis_version", kRedisVersion);
  out.add("kiwi_version", environment.kiwi_version);
  out.add("redis_mode", "cluster");
  if (!environment.os.empty())
    out.add("os", environment.os);
  out.add("arch_bits", sizeof(void*) * 8);
  out.add("process_id", process.pid);
  out.add("run_id", environment.run_id);
  out.add("tcp_port", environment.redis_port);
  out.add("raft_port", environment.raft_port);
  out.add("server_time_usec", process.unix_time_us);
  out.add("uptime_in_seconds", process.uptime_s);
  out.add("uptime_in_days", process.uptime_s / 86'400);
  if (!environment.executable.empty())
    out.add("executable", environment.executable);
  out.add("config_file", environment.config_file);
}

void info_clients(const InfoSources& from, InfoText& out) {
  std::uint64_t largest_query = 0;
  std::uint64_t largest_reply = 0;
  std::uint64_t waiting = 0;
  for (const auto& [id, client] : from.clients.all()) {
    largest_query = std::max(largest_query, client->query_buffer_bytes);
    largest_reply = std::max(largest_reply, client->reply_buffer_bytes);
    waiting += client->waiting_replies;
  }
  out.section("Clients");
  out.add("connected_clients", from.clients.size());
  out.add("maxclients", from.environment.max_clients);
  out.add("client_recent_max_input_buffer", largest_query);
  out.add("client_recent_max_output_buffer", largest_reply);
  out.add("commands_in_flight", waiting);
}

void info_memory(const InfoSources& from, InfoText& out) {
  const auto& process = from.process;
  out.section("Memory");
  out.add("used_memory", process.allocated_bytes);
  out.add("used_memory_rss", process.rss_bytes);
  out.add("used_memory_rss_peak", process.peak_rss_bytes);
  if (process.total_memory_bytes != 0)
    out.add("total_system_memory", process.total_memory_bytes);
  out.add("maxmemory", std::uint64_t{0});
  out.add("maxmemory_policy", "noeviction");
  out.add("raft_log_memory", from.status.log_memory_bytes);
  if (from.status.with_stats)
    out.add("state_machine_memory", from.status.state.memory_bytes);
}

void info_persistence(const InfoSources& from, InfoText& out) {
  const auto& status = from.status;
  const bool loading = status.has_cluster && status.role != raft::Role::leader && !status.caught_up;
  out.section("Persistence");
  out.add("loading", loading ? 1 : 0);
  if (!status.with_stats)
    return;
  out.add("log_disk_bytes", status.log_store.disk_bytes);
  out.add("data_disk_bytes", status.state.disk_bytes);
  out.add("data_durable_applied_index", status.state.durable_applied.value);
}

void info_stats(const InfoSources& from, InfoText& out) {
  const auto& totals = from.clients.totals();
  out.section("Stats");
  out.add("total_connections_received", totals.connections);
  out.add("total_commands_processed", totals.commands);
  out.add("total_net_input_bytes", totals.input_bytes);
  out.add("total_net_output_bytes", totals.output_bytes);
  out.add("rejected_connections", totals.rejected_connections);
  out.add("total_error_replies", totals.error_replies);
  out.add("protocol_errors", totals.protocol_errors);
  if (!from.status.with_stats)
    return;
  const auto& state = from.status.state;
  out.add("expired_keys", state.expired_keys);
  out.add("keyspace_hits", state.keyspace_hits);
  out.add("keyspace_misses", state.keyspace_misses);
  out.add("entries_applied", state.entries_applied);
  out.add("apply_batches", state.batches_applied);
  out.add("state_queries", state.queries);
}

std::string seconds(std::uint64_t us) {
  char text[32];
  std::snprintf(text, sizeof text, "%llu.%06llu", static_cast<unsigned long long>(us / 1'000'000),
                static_cast<unsigned long long>(us % 1'000'000));
  return text;
}

void info_cpu(const InfoSources& from, InfoText& out) {
  out.section("CPU");
  out.add("used_cpu_sys", seconds(from.process.cpu_system_us));
  out.add("used_cpu_user", seconds(from.process.cpu_user_us));
}

void info_cluster(const InfoSources&, InfoText& out) {
  out.section("Cluster");
  out.add("cluster_enabled", 1);
}

void info_keyspace(const InfoSources& from, InfoText& out) {
  out.section("Keyspace");
  const auto& state = from.status.state;
  if (!from.status.with_stats || state.keys == 0)
    return;
  // The average time to live is not computed; Redis, too, says 0 then.
  out.add("db0", "keys=" + std::to_string(state.keys) + ",expires=" + std::to_string(state.keys_with_expiry) +
                     ",avg_ttl=0");
}

struct Section {
  std::string_view name;
  void (*write)(const InfoSources&, InfoText&);
};
/// In the order of the reply.
constexpr Section kSections[] = {
    {"server", info_server},     {"clients", info_clients},
    {"memory", info_memory},     {"persistence", info_persistence},
    {"stats", info_stats},       {"replication", info_replication},
    {"raft", info_raft},         {"stages", info_stages},
    {"cpu", info_cpu},           {"cluster", info_cluster},
    {"keyspace", info_keyspace},
};

bool wants(const RedisCommand& command, std::string_view section) {
  const auto& args = command.args;
  if (args.size() == 1)
    return true;
  return std::any_of(args.begin() + 1, args.end(), [section](const Bytes& arg) {
    const auto word = arg.view();
    return same_word(word, section) || same_word(word, "all") || same_word(word, "default") ||
           same_word(word, "everything");
  });
}

}  // namespace

Reply info_reply(const RedisCommand& command, const InfoSources& sources) {
  InfoText out;
  for (const auto& section : kSections)
    if (wants(command, section.name))
      section.write(sources, out);
  return Reply::verbatim(out.take());
}

}  // namespace kiwi
