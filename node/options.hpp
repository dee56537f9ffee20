#pragma once

// The command line and the config file of kiwi-node.

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "messages/ids.hpp"
#include "messages/membership.hpp"
#include "messages/parse_address.hpp"

namespace kiwi {

struct NodeOptions {
  NodeId id;  // 0: not given
  std::string dir;
  std::optional<NodeAddress> address;
  std::vector<Member> initial_cluster;
  std::string cluster_token;
  std::string config;  // the config file; empty: none
  std::string bind;    // empty: the host of the address
  std::string log_level = "info";
  std::uint32_t max_clients = 10'000;
  std::uint32_t tick_ms = 50;
  std::uint32_t election_timeout_ms = 500;  // drawn from this to twice this
  std::uint32_t heartbeat_ms = 100;
  std::uint32_t request_timeout_ms = 5000;
  std::uint32_t worker_threads = 1;
  std::string read_mode = "quorum";  // or "lease" (docs/reads.md)
  // Compaction and snapshots (docs/snapshots.md).
  std::uint64_t log_keep_bytes = 32ull << 20;
  std::uint64_t log_keep_entries = 1'000'000;
  std::uint64_t log_keep_age_ms = 7ull * 24 * 3600 * 1000;
  std::uint64_t log_laggard_bytes = 128ull << 20;
  std::uint64_t disk_reserve_bytes = 512ull << 20;  // docs/architecture.md, full disks; 0: none
  std::uint64_t scrub_rate_bytes = 0;               // a second, of each database; 0: none
  /// A second, to all followers together; 0: no limit. Without one, writes beside a transfer had 2.7 times
  /// the P99 of before on two cores; with it less than twice (bench/catch_up.py).
  std::uint64_t snapshot_rate_bytes = 32u << 20;
};

/// What to print and with which exit code: kExitUsage for errors, 0 for --help and --version.
struct Usage {
  std::string text;
  int exit_code = 0;
};

tl::expected<NodeOptions, Usage> parse_options(const std::vector<std::string>& arguments);

/// "1=HOST:PORT@PORT,2=..."
tl::expected<std::vector<Member>, std::string> parse_cluster(const std::string& text);

}  // namespace kiwi
