#pragma once

// One node as a process: opens its data, starts its actors, waits for a signal or its own end.

#include <caf/actor_system_config.hpp>
#include <cstdint>
#include <functional>

#include "actors/replica_options.hpp"
#include "node/options.hpp"

namespace rocksdb {
class Env;
}

namespace kiwi {

/// What stands between the node and its machine, when it is not the machine itself. Everything may be empty.
struct NodeSeams {
  rocksdb::Env* env = nullptr;  // null: RocksDB's default; else it outlives run_node()
  std::function<std::uint64_t()> unix_clock_ms;
  std::function<std::uint64_t()> steady_clock_us;
  /// Gets the way to reach peers over TCP and gives the one to be used.
  std::function<PeerFactory(PeerFactory)> peers;
  std::function<void(ReplicaOptions&)> replica;
  std::function<void(caf::actor_system_config&)> config;
};

/// The exit code of the process (messages/limits.hpp). Takes SIGTERM and SIGINT for itself; call it once.
int run_node(const NodeOptions& options, const NodeSeams& seams = {});

}  // namespace kiwi
