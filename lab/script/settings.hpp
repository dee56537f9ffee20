#pragma once

// The keys of `cluster`, `load` and `fuzz` lines: their tables, and the values as the runner wants them, with
// defaults filled in. The parser has checked every value, so reading cannot fail.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "lab/script/ast.hpp"
#include "lab/script/spec.hpp"
#include "lab/script/values.hpp"
#include "lab/time.hpp"

namespace kiwi::lab::script {

/// What one key sets; `fallback` is the default of the laboratory.
std::span<const ValueSpec> cluster_keys();
std::span<const ValueSpec> load_keys();
std::span<const ValueSpec> fuzz_keys();
/// Null: no such key.
const ValueSpec* find_key(std::span<const ValueSpec> keys, std::string_view name);

using Range = std::pair<Time, Time>;

enum class DiskProfile { ordered, hostile, exact };
enum class NetProfile { stream, lossy };
enum class Strategy { random, fifo, pct };

struct ClusterSettings {
  std::uint64_t nodes = 3;
  std::uint64_t spares = 0;  // fresh nodes beyond them
  std::uint64_t seed = 1;
  DiskProfile disk = DiskProfile::ordered;
  NetProfile net = NetProfile::stream;
  Strategy strategy = Strategy::random;  // which actor runs next
  Time tick{0};
  Range election{};         // a multiple of the tick each; least and most time without a leader before a node
                            // campaigns
  Time heartbeat{0};        // a multiple of the tick
  Time request_timeout{0};  // of the node: when a client gets no answer until then, the outcome is unknown
  Range latency{};          // one way, of a frame between nodes
  double loss = 0;          // share of frames lost; net=lossy only
  double duplicate = 0;     // share of frames doubled; net=lossy only
  Range sync{};             // of a sync of the log
  std::uint64_t scrub = 0;  // bytes a second; ReplicaOptions::scrub_bytes_per_second
  std::uint64_t cache = 0;  // bytes of entries that a leader keeps in memory for those who lag
  std::uint64_t disk_reserve = 0;   // bytes; ReplicaOptions::disk_reserve_bytes
  std::uint64_t log_keep = 0;       // bytes of entries; the log is purged when it is a quarter larger
  std::uint64_t log_entries = 0;    // the same, as a number
  Time log_age{0};                  // what is older is purged in any case
  std::uint64_t log_laggard = 0;    // bytes of log that wait for a follower that lags
  std::uint64_t snapshot_rate = 0;  // bytes per second that a node sends; 0: no limit
  bool lease = false;               // reads by lease; raft::Options::lease
  Time run{0};                      // the run lasts at least this long
  Time settle{0};                   // after the last fault ended: the longest wait until all is well
  bool heal_at_end = true;          // links, disks and nodes are made whole before the last checks
  std::uint64_t floor = 0;          // fewer finished client operations than this: vacuous
};

struct FuzzSettings {
  Range gap;                   // between two faults
  Range lasts;                 // how long a fault stays before it is ended
  double members = 0;          // share of draws that are a change of members or of the leader instead
  bool spare_majority = true;  // never takes more than a minority of nodes away at once
};

ClusterSettings cluster_settings(const Scenario& scenario);
/// Only what was written; lab/run/load_spec.hpp knows the defaults.
std::map<std::string, std::string> load_options(const Load& load);
FuzzSettings fuzz_settings(const When& fuzz);

}  // namespace kiwi::lab::script
