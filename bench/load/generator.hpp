#pragma once

// Many clients in one thread. Closed loop: each sends `pipeline` commands, waits for their replies, sends the
// next. Open loop: commands are due at even distances, whatever is still unanswered, and a latency counts
// from the moment when its command was due: a server that stalls is not spared the commands that it would
// have got (no coordinated omission).

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/load/latencies.hpp"
#include "bench/load/workload.hpp"

namespace kiwi::bench {

struct LoadOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint64_t clients = 50;
  std::uint64_t pipeline = 1;  // closed loop: commands sent together; open loop: most unanswered of a client
  double rate = 0;             // commands in a second of all clients together; 0: closed loop
  double warm_up_seconds = 1;  // not counted
  double seconds = 10;
  bool progress = false;  // a line a second on stderr
  WorkloadOptions workload;
};

struct LoadResult {
  double seconds = 0;  // counted
  Latencies latencies;
  std::map<std::string, std::uint64_t> errors;  // by the first word of the reply
  std::vector<std::uint64_t> by_second;         // answers in each second
  std::uint64_t behind = 0;                     // open loop: due and never sent
};

/// Throws ConnectionFailed.
LoadResult generate(const LoadOptions& options);

}  // namespace kiwi::bench
