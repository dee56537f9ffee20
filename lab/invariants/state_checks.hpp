#pragma once

// What the state machines apply, and what comes of it.

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "lab/invariants/core_checks.hpp"
#include "lab/invariants/invariant.hpp"
#include "lab/invariants/ledger.hpp"
#include "lab/world/observer.hpp"

namespace kiwi::lab::invariants {

class StateChecks {
 public:
  StateChecks(Ledger& ledger, Findings& findings) : ledger_(ledger), findings_(findings) {}

  /// `digest` of the state as it was found; empty: unknown.
  void started(NodeId node, Index applied, const std::string& digest);
  void harmed(NodeId node, std::string_view verb);
  void applied(NodeId node, const std::vector<Entry>& entries);
  /// The same indexes on all nodes; about one in 64.
  static bool wants_digest(Index applied);
  /// A snapshot is about to be installed, and is.
  void installing(NodeId node, LogId snapshot);
  void installed(NodeId node, LogId snapshot);
  void digest(NodeId node, const StateDigest& digest, bool flushing);

 private:
  struct MachineMemory {
    Index applied;
    std::set<Index> flushed;  // states that may have become durable
    bool harmed = false;
  };
  struct KnownDigest {
    std::string hex;
    NodeId of;
  };
  void compare(NodeId node, Index index, const std::string& hex, Check check);

  Ledger& ledger_;
  Findings& findings_;
  std::map<NodeId, MachineMemory> machines_;
  std::map<Index, KnownDigest> digests_;
};

}  // namespace kiwi::lab::invariants
