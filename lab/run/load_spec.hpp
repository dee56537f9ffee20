#pragma once

// What a `load` line says: who sends which commands how often.
//
//   load L1 clients=8 keys=10 mix="get 50, set 40, incr 10" rate=200/s timeout=1s
//
//   clients    how many at a time, 1..1000                                            8
//   keys       of each kind of keys, 1..100000                                        10
//   mix        words of load_commands.hpp with weights                                "get 50, set 50"
//   rate       N/s of the whole load, arrivals drawn (open loop), or "closed":        100/s
//              each client sends the next command when it has room
//   think      with rate=closed: pause before the next command                        1ms
//   timeout    then the outcome is unknown                                            1s
//   pipeline   commands in flight per client, 1..1000                                 1
//   ops        at most so many commands                                               100000
//   values     bytes of a value, at least what makes it unique, at most 1048576       16
//   keys-by    uniform, or zipf (exponent 1)                                          uniform
//   to         a node: clients stay there and follow no MOVED                         any
//   stale      a load: reads its keys on whatever node after READONLY; GETs only      none

#include <cstdint>
#include <map>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "lab/run/load_commands.hpp"
#include "lab/time.hpp"
#include "messages/ids.hpp"

namespace kiwi::lab {

struct LoadSpec {
  struct Share {
    const LoadCommand* command = nullptr;
    std::uint64_t weight = 0;
  };
  std::string name;
  std::uint64_t clients = 8;
  std::uint64_t keys = 10;
  std::vector<Share> mix;
  double rate_per_s = 100;  // 0: closed loop
  Time think = std::chrono::milliseconds(1);
  Time timeout = std::chrono::seconds(1);
  std::uint64_t pipeline = 1;
  std::uint64_t max_ops = 100'000;
  std::uint64_t value_bytes = 16;
  bool zipf = false;
  NodeId to;          // 0: any
  std::string stale;  // empty: reads and writes like everybody
};

/// The error says which option is wrong and what would be right.
tl::expected<LoadSpec, std::string> parse_load(const std::string& name,
                                               const std::map<std::string, std::string>& options);

/// "200/s", or "closed" (0).
tl::expected<double, std::string> parse_rate(const std::string& text);

}  // namespace kiwi::lab
