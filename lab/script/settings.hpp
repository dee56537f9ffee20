#pragma once

// The keys of `cluster`, `load` and `fuzz` lines: their tables, and the values as the runner wants them, with
// defaults filled in. The parser has checked every value, so reading cannot fail.

#include <cstdint>
#include <optional>
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

struct ClusterSettings {
  std::uint64_t nodes = 3;
  std::uint64_t seed = 1;
  DiskProfile disk = DiskProfile::ordered;
  NetProfile net = NetProfile::lossy;
  Range election;  // least and most time without a leader before a node campaigns
  Time heartbeat{0};
  Time tick{0};
  Range latency;         // one way, of a packet
  double loss = 0;       // of a packet; net=lossy only
  double duplicate = 0;  // the same
  Range sync_latency;    // of a disk sync
  bool prevote = true;
  bool check_quorum = true;
  Time duration{0};                    // the run lasts at least this long
  Time settle{0};                      // after the faults stopped: the longest wait until all is well
  bool heal_at_end = true;             // links, disks and nodes are made whole before the last checks
  std::uint64_t floor_operations = 0;  // fewer finished operations than this: vacuous
};

enum class LoadValues { unique, counter, random };
enum class LoadTarget { leader, any, spread };

struct LoadSettings {
  std::string name;
  std::uint64_t clients = 4;
  std::uint64_t keys = 10;
  Weights mix;
  double rate = 0;  // operations per second of the whole load; 0: as fast as replies come
  Time timeout{0};
  LoadValues values = LoadValues::unique;
  std::uint64_t value_bytes = 0;  // unique and random values are filled up to this; 0: as short as they come
  std::uint64_t pipeline = 1;     // operations of one client in flight
  LoadTarget target = LoadTarget::leader;
  bool stale = false;            // READONLY: reads may be old; they are checked as stale reads
  bool retry = false;            // an unknown write is sent again, as a new operation
  Time pause{0};                 // of a client after a failure, before it goes on
  std::uint64_t operations = 0;  // ends by itself after so many; 0: does not
  std::string prefix;            // of its keys; loads with the same prefix share keys
};

struct FuzzSettings {
  Range gap;                   // between two faults
  Range lasts;                 // how long a fault stays before it is ended
  bool spare_majority = true;  // never takes more than a minority of nodes away at once
};

ClusterSettings cluster_settings(const Scenario& scenario);
LoadSettings load_settings(const Load& load);
FuzzSettings fuzz_settings(const When& fuzz);

}  // namespace kiwi::lab::script
