#pragma once

// What only kiwi-node-fault understands, beside all that kiwi-node does.

#include <cstdint>
#include <map>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "messages/ids.hpp"
#include "node/options.hpp"

namespace kiwi::fault {

struct FaultOptions {
  std::string control;  // path of the laboratory's socket; empty: none
  std::map<NodeId, std::pair<std::string, std::uint16_t>> dial_map;  // where peers are dialed instead
  std::vector<std::string> at_start;                                 // lines of the control socket
  std::vector<std::string> mutants;  // bugs to be switched on (messages/fault_points.hpp)
  bool disk_buffers = false;
  std::uint32_t election_max_ms = 0;  // 0: twice the least
  std::uint64_t cache_bytes = 0;      // of entries for peers that lag; 0: the node's own
  std::uint32_t formats = 0;          // announced, as an older program does; 0: those that it knows
};

/// Takes its own flags out of `arguments`; the rest is kiwi-node's. --help shows both.
tl::expected<FaultOptions, Usage> take_fault_options(std::vector<std::string>& arguments);

}  // namespace kiwi::fault
