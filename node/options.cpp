#include "node/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "messages/assert.hpp"
#include "node/config_file.hpp"
#include "node/version.hpp"

namespace kiwi {

namespace {

struct Raw {
  std::uint64_t id = 0;
  std::string address;
  std::string initial_cluster;
  std::string config;
  bool version = false;
};

const std::map<std::string, std::uint64_t> kTimes = {
    {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

/// A size in bytes, with or without a unit; KB, MB and GB are KiB, MiB and GiB.
CLI::Option* add_size(CLI::App& app, const char* flag, std::uint64_t& value, std::uint64_t least,
                      const char* help) {
  return app.add_option(flag, value, help)
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(least, std::uint64_t{1} << 50))
      ->type_name("SIZE");
}

/// One definition of every flag; the config file's lines go through the same one.
void define(CLI::App& app, NodeOptions& o, Raw& raw) {
  app.add_option("--id", raw.id, "This node's id, 1 or more; never used twice in a cluster")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  app.add_option("--dir", o.dir, "Data directory; made at the first start")->type_name("DATADIR");
  app.add_option("--address", raw.address, "What others reach this node by")
      ->type_name("HOST:REDISPORT@RAFTPORT");
  app.add_option("--initial-cluster", raw.initial_cluster,
                 "All first members, the same for every node: 1=HOST:REDISPORT@RAFTPORT,2=...; counts at the "
                 "first start only and must not contradict the data directory later")
      ->type_name("LIST");
  app.add_option("--cluster-token", o.cluster_token,
                 "Goes into the cluster id, so that two clusters on the same addresses never mix")
      ->type_name("T");
  app.add_option("--bind", o.bind, "Local address to listen on (default: the host of --address)")
      ->type_name("ADDR");
  app.add_option("--config", raw.config, "File with one \"flag = value\" a line; the command line wins")
      ->type_name("FILE");
  app.add_option("--log-level", o.log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->type_name("L")
      ->capture_default_str();
  app.add_option("--max-clients", o.max_clients, "Most client connections at a time")
      ->check(CLI::Range(1u, 1'000'000u))
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--election-timeout-ms", o.election_timeout_ms,
                 "A follower that hears no leader for this long, up to twice this long, stands for election")
      ->check(CLI::Range(50u, 60'000u))
      ->type_name("MS")
      ->capture_default_str();
  app.add_option("--heartbeat-ms", o.heartbeat_ms, "Time between a leader's heartbeats")
      ->check(CLI::Range(10u, 10'000u))
      ->type_name("MS")
      ->capture_default_str();
  app.add_option("--request-timeout-ms", o.request_timeout_ms,
                 "A client that waits longer is told that the outcome is unknown")
      ->check(CLI::Range(100u, 600'000u))
      ->type_name("MS")
      ->capture_default_str();
  app.add_option(
         "--read-mode", o.read_mode,
         "How a linearizable read makes sure who leads: quorum, a round to a majority; or lease, by the "
         "clock, with no round. The same on every node, and with it the election time-out and the "
         "heartbeat; docs/reads.md says what lease rests on")
      ->check(CLI::IsMember({"quorum", "lease"}))
      ->type_name("MODE")
      ->capture_default_str();
  app.add_option("--worker-threads", o.worker_threads, "Threads of the actor scheduler")
      ->check(CLI::Range(1u, 64u))
      ->type_name("N")
      ->capture_default_str();
  add_size(app, "--log-keep", o.log_keep_bytes, 1ull << 10,
           "The log is purged when its entries are a quarter larger than this; a size with a unit")
      ->default_str("32MiB");
  app.add_option("--log-keep-entries", o.log_keep_entries, "... or are a quarter more than this")
      ->check(CLI::Range(std::uint64_t{16}, std::uint64_t{1} << 40))
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--log-keep-age", o.log_keep_age_ms,
                 "... and entries older than this are purged in any case; ms, s, m, h or d")
      ->transform(CLI::AsNumberWithUnit(kTimes, CLI::AsNumberWithUnit::UNIT_REQUIRED))
      ->check(CLI::Range(std::uint64_t{1'000}, std::uint64_t{1} << 50))
      ->type_name("TIME")
      ->default_str("7d");
  add_size(app, "--log-laggard", o.log_laggard_bytes, 1ull << 10,
           "A live follower that lags keeps the log from being purged up to this size; beyond it gets a "
           "snapshot")
      ->default_str("128MiB");
  add_size(app, "--disk-reserve", o.disk_reserve_bytes, 0,
           "With less room on its disk a node refuses writes and hands leadership over; 0: off")
      ->default_str("512MiB");
  add_size(app, "--scrub-rate", o.scrub_rate_bytes, 0,
           "So much of the log, and as much of the data, is read again in a second and compared with its "
           "checksums; "
           "0: off")
      ->default_str("0");
  add_size(app, "--snapshot-rate", o.snapshot_rate_bytes, 0,
           "Most bytes of snapshots sent in a second, to all followers together; not below 128KiB; 0: no "
           "limit")
      ->default_str("32MiB");
  app.add_flag("--version", raw.version, "Print the version and exit");
  for (auto* option : app.get_options()) option->take_last();
}

const char* kAbout =
    "kiwi-node: one node of a replicated Redis-protocol store.\n"
    "With none of --id, --dir, --address, --initial-cluster: a one-node cluster in ./kiwi-data on "
    "127.0.0.1:7379.\n"
    "\n"
    "Subcommands, each with --help of its own:\n"
    "  kiwi-node inspect DIR    shows what lies in a stopped node's directory; verifies every checksum\n"
    "  kiwi-node backup         writes a node's state to a folder while the node serves\n"
    "  kiwi-node restore        makes a node of a new cluster from a backup\n"
    "  kiwi-node recover        makes a lone survivor a cluster of one; may lose writes\n";

const char* kExitCodes =
    "Exit codes: 0 stopped in order; 2 bad usage; 3 bad data directory; 4 storage failure; 5 cannot listen; "
    "70 a bug";

Usage usage_error(const std::string& text) {
  return {"kiwi-node: " + text + "\nTry kiwi-node --help.\n", kExitUsage};
}

/// Parses `arguments`; an error's text, or nothing.
std::optional<std::string> parse_into(std::vector<std::string> arguments, NodeOptions& o, Raw& raw) {
  CLI::App app;
  app.set_help_flag();
  define(app, o, raw);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants vectors
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& e) {
    return std::string(e.what());
  }
  for (const char* flag : {"--dir", "--address", "--initial-cluster", "--config"})
    if (auto* option = app.get_option(flag); option->count() > 0 && option->results().back().empty())
      return std::string(flag) + ": the value is empty";
  if (!raw.address.empty())
    if (auto a = parse_address(raw.address); !a)
      return "--address: " + a.error();
  if (!raw.initial_cluster.empty())
    if (auto c = parse_cluster(raw.initial_cluster); !c)
      return "--initial-cluster: " + c.error();
  return std::nullopt;
}

std::string help_text() {
  CLI::App app(kAbout, "kiwi-node");
  NodeOptions o;
  Raw raw;
  define(app, o, raw);
  app.footer(kExitCodes);
  return app.help();
}

}  // namespace

tl::expected<std::vector<Member>, std::string> parse_cluster(const std::string& text) {
  std::vector<Member> members;
  std::set<NodeId> ids;
  std::set<std::string> addresses;
  for (std::size_t begin = 0; begin <= text.size();) {
    auto end = std::min(text.find(',', begin), text.size());
    auto part = text.substr(begin, end - begin);
    begin = end + 1;
    auto equals = part.find('=');
    if (equals == std::string::npos)
      return tl::unexpected("'" + part + "' is not ID=HOST:REDISPORT@RAFTPORT");
    Member m;
    auto [stop, error] = std::from_chars(part.data(), part.data() + equals, m.id.value);
    if (error != std::errc{} || stop != part.data() + equals || !m.id)
      return tl::unexpected("'" + part.substr(0, equals) + "' is not a node id (1 or more)");
    auto address = parse_address(part.substr(equals + 1));
    if (!address)
      return tl::unexpected(address.error());
    m.address = *address;
    if (!ids.insert(m.id).second)
      return tl::unexpected("node id " + to_string(m.id) + " stands twice");
    if (!addresses.insert(to_string(m.address)).second)
      return tl::unexpected("address " + to_string(m.address) + " stands twice");
    members.push_back(std::move(m));
  }
  return members;
}

tl::expected<NodeOptions, Usage> parse_options(const std::vector<std::string>& arguments) {
  if (std::find_if(arguments.begin(), arguments.end(),
                   [](const auto& a) { return a == "--help" || a == "-h"; }) != arguments.end())
    return tl::unexpected(Usage{help_text(), 0});
  NodeOptions first;
  Raw raw;
  if (auto error = parse_into(arguments, first, raw))
    return tl::unexpected(usage_error(*error));
  if (raw.version)
    return tl::unexpected(Usage{version_text(), 0});

  // The config file's lines come first, so that the command line wins.
  std::vector<std::string> all;
  if (!raw.config.empty()) {
    auto lines = read_config_file(raw.config);
    if (!lines)
      return tl::unexpected(usage_error("--config: " + lines.error()));
    for (const auto& line : *lines) {
      auto where = raw.config + ":" + std::to_string(line.number) + ": ";
      if (line.key == "config" || line.key == "version" || line.key == "help")
        return tl::unexpected(usage_error(where + "'" + line.key + "' cannot stand in a config file"));
      NodeOptions scratch;
      Raw scratch_raw;
      auto argument = "--" + line.key + "=" + line.value;
      if (auto error = parse_into({argument}, scratch, scratch_raw))
        return tl::unexpected(usage_error(where + *error));
      all.push_back(argument);
    }
  }
  all.insert(all.end(), arguments.begin(), arguments.end());
  NodeOptions o;
  raw = {};
  if (auto error = parse_into(all, o, raw))
    return tl::unexpected(usage_error(*error));

  o.id = NodeId(raw.id);
  o.config = raw.config;
  if (!raw.address.empty())
    o.address = *parse_address(raw.address);
  if (!raw.initial_cluster.empty())
    o.initial_cluster = *parse_cluster(raw.initial_cluster);
  if (!o.id && o.dir.empty() && !o.address && o.initial_cluster.empty()) {
    o.id = NodeId(1);
    o.dir = "kiwi-data";
    o.address = NodeAddress{"127.0.0.1", 7379, 17379};
    o.initial_cluster = {Member{o.id, *o.address}};
  } else if (o.dir.empty()) {
    return tl::unexpected(usage_error("--dir is needed with --id, --address or --initial-cluster"));
  }
  if (o.id && !o.initial_cluster.empty()) {
    auto own = std::find_if(o.initial_cluster.begin(), o.initial_cluster.end(),
                            [&](const Member& m) { return m.id == o.id; });
    if (own == o.initial_cluster.end())
      return tl::unexpected(
          usage_error("--initial-cluster does not list this node, --id " + to_string(o.id)));
    if (o.address && own->address != *o.address)
      return tl::unexpected(usage_error("--initial-cluster says " + to_string(own->address) + " for node " +
                                        to_string(o.id) + ", --address says " + to_string(*o.address)));
  }
  if (o.heartbeat_ms * 2 > o.election_timeout_ms)
    return tl::unexpected(usage_error("--election-timeout-ms must be at least twice --heartbeat-ms"));
  o.tick_ms = std::max(10u, std::min(50u, o.heartbeat_ms));
  return o;
}

}  // namespace kiwi
