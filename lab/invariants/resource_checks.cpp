#include "lab/invariants/resource_checks.hpp"

#include <string>

#include "messages/entry.hpp"
#include "messages/limits.hpp"

namespace kiwi::lab::invariants {

void check_memory(const MemorySeen& seen, const raft::Options& limits, Findings& findings) {
  auto at_most = [&](const char* what, std::uint64_t is, std::uint64_t limit) {
    if (is > limit)
      findings.add(Check::limits, name_of(seen.node) + " holds " + std::to_string(is) + " " + what +
                                      ", the limit is " + std::to_string(limit));
  };
  // A single entry always fits.
  constexpr auto kOne = kMaxRequestBytes + kEntryOverheadBytes;
  at_most("bytes of log in memory", seen.log_bytes,
          limits.max_cached_bytes + 2 * limits.max_uncommitted_bytes + kOne);
  if (seen.leads)
    at_most("uncommitted bytes", seen.uncommitted_bytes, limits.max_uncommitted_bytes + kOne);
  at_most("reads that wait", seen.reads, limits.max_pending_reads);
  at_most("calls of the log store", seen.log_calls, kMostCalls);
  at_most("calls of the state machine", seen.state_calls, kMostCalls);
}

void check_window(NodeId leader, const FollowerSeen& follower, const raft::Options& limits,
                  Findings& findings) {
  if (follower.inflight_appends > limits.max_inflight_appends)
    findings.add(Check::limits, name_of(leader) + " has " + std::to_string(follower.inflight_appends) +
                                    " appends on their way to " + name_of(follower.node) + ", the limit is " +
                                    std::to_string(limits.max_inflight_appends));
  // The last one may reach beyond, by one append or by one entry.
  const auto most = limits.max_inflight_bytes + limits.max_append_bytes + kMaxRequestBytes;
  if (follower.inflight_bytes > most)
    findings.add(Check::limits, name_of(leader) + " has " + std::to_string(follower.inflight_bytes) +
                                    " bytes on their way to " + name_of(follower.node) + ", the limit is " +
                                    std::to_string(most));
}

void check_owners(NodeId node, std::uint64_t writes, std::uint64_t promises, std::uint64_t calls,
                  Findings& findings) {
  if (promises != writes || calls < writes)
    findings.add(Check::one_owner, name_of(node) + "'s log store holds " + std::to_string(writes) +
                                       " writes; it owes " + std::to_string(promises) +
                                       " answers, and the adaptor waits for " + std::to_string(calls));
}

}  // namespace kiwi::lab::invariants
