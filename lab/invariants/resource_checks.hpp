#pragma once

// What nodes hold in memory, against the limits they were given.

#include <cstdint>
#include <vector>

#include "lab/invariants/core_checks.hpp"
#include "lab/invariants/invariant.hpp"

namespace kiwi::lab::invariants {

struct MemorySeen {
  NodeId node;
  bool leads = false;
  std::uint64_t log_bytes = 0;          // entries in memory
  std::uint64_t uncommitted_bytes = 0;  // of them, above the commit index
  std::uint64_t reads = 0;              // waiting
  std::uint64_t log_calls = 0;          // outstanding at the log store
  std::uint64_t state_calls = 0;        // and at the state machine
};

/// Calls to the storage of one node that may be outstanding: each has at most one batch, read or binding in
/// flight per message of the raft actor, and the core's windows bound what they carry.
inline constexpr std::uint64_t kMostCalls = 100'000;

void check_memory(const MemorySeen& seen, const raft::Options& limits, Findings& findings);
void check_window(NodeId leader, const FollowerSeen& follower, const raft::Options& limits,
                  Findings& findings);
/// The log store has put `writes` aside; `promises` of it and `calls` of the adaptor wait for them.
void check_owners(NodeId node, std::uint64_t writes, std::uint64_t promises, std::uint64_t calls,
                  Findings& findings);

}  // namespace kiwi::lab::invariants
