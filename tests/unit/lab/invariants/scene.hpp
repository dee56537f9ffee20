#pragma once

// Three nodes that are not there: tests say what would be seen of them, true or forged, and which invariant
// that breaks.

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

#include "lab/invariants/client_checks.hpp"
#include "lab/invariants/core_checks.hpp"
#include "lab/invariants/log_checks.hpp"
#include "lab/invariants/resource_checks.hpp"
#include "lab/invariants/state_checks.hpp"

namespace kiwi::lab::invariants::test {

inline constexpr NodeId n1{1}, n2{2}, n3{3};

/// A core as it would be seen.
class FakeCore final : public CoreInside {
 public:
  CoreSeen seen;
  std::vector<Term> log;  // of index 1, ...
  std::vector<FollowerSeen> others;
  Index number;  // of the membership

  std::optional<Term> term_at(Index index) const override {
    if (!index || index.value > log.size())
      return std::nullopt;
    return log[index.value - 1];
  }
  std::vector<FollowerSeen> followers() const override { return others; }
  Index configuration() const override { return number; }
};

/// Entry `index` of `term`; the payload is of the two unless it is given.
Entry entry(std::uint64_t term, std::uint64_t index, std::string payload = {});

class Scene {
 public:
  Scene();

  /// 0: nothing is broken.
  int broken() const { return findings.first() ? findings.first()->number : 0; }
  std::string what() const { return findings.first() ? findings.first()->what : ""; }

  // --- disks
  /// The log store is given this and syncs it.
  void vote(NodeId node, std::uint64_t term, NodeId whom);
  void give(NodeId node, std::vector<Entry> entries, Index truncate_from = {});
  void give(NodeId node, LogWrite call);
  void sync(NodeId node, LogStoreSeen seen = {});
  void write(NodeId node, std::vector<Entry> entries, Index truncate_from = {}) {
    give(node, std::move(entries), truncate_from);
    sync(node);
  }
  /// Starts again with what its disk holds.
  raft::Restored found(NodeId node);
  void restart(NodeId node, const raft::Restored& with, InstanceId instance);
  void restart(NodeId node) { restart(node, found(node), InstanceId(node.value)); }

  // --- cores
  FakeCore& core(NodeId node) { return cores_seen[node]; }
  void step(NodeId node);
  /// It campaigns with the vote of one other and leads.
  void elect(NodeId node, std::uint64_t term, NodeId other);
  /// The leader's next entry, synced there and on these; all of them say so.
  Entry replicate(NodeId leader, std::uint64_t term, const std::vector<NodeId>& others);
  void commit(NodeId node, std::uint64_t index);

  Findings findings;
  Ledger ledger;
  CoreChecks cores{ledger, findings};
  LogChecks logs{ledger, findings, cores};
  StateChecks states{ledger, findings};
  ClientChecks clients{ledger, findings};
  Membership membership;
  std::map<NodeId, FakeCore> cores_seen;

 private:
  std::map<NodeId, std::uint64_t> sequences_, writes_, lives_;
};

}  // namespace kiwi::lab::invariants::test
