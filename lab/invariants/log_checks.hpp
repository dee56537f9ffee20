#pragma once

// What the log stores are given, what their disks keep, and what leaves a node on the strength of it.

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "lab/invariants/core_checks.hpp"
#include "lab/invariants/invariant.hpp"
#include "lab/invariants/ledger.hpp"
#include "lab/world/observer.hpp"

namespace kiwi::lab::invariants {

class LogChecks {
 public:
  LogChecks(Ledger& ledger, Findings& findings, const CoreChecks& cores)
      : ledger_(ledger), findings_(findings), cores_(cores) {}

  /// Must come before CoreChecks::started. Compares what was found with what was written.
  void started(NodeId node, std::uint64_t life, const raft::Restored& found, InstanceId instance);
  /// The disk was spoilt or emptied.
  void harmed(NodeId node, std::string_view verb);
  void call(NodeId node, std::uint64_t epoch, const LogWrite& call);
  void flushed(NodeId node, const LogStoreSeen& seen);
  void leaving(NodeId from, NodeId to, const PeerMessage& message);

 private:
  struct StoreMemory {
    std::uint64_t life = 0;
    std::uint64_t sequence = 0;  // of the last call in this life
    std::uint64_t write = 0;     // the core's number of it
    bool failed = false;         // a sync failed in this life
    InstanceId instance;
    std::map<NodeId, InstanceId> bound;
  };

  bool matches(const DiskLog& disk, const raft::Restored& found, const std::vector<Term>& terms) const;
  void settle(NodeId node, const LogStep& step);
  void leaves(NodeId from, NodeId to, const VoteRequest& m);
  void leaves(NodeId from, NodeId to, const VoteResponse& m);
  void leaves(NodeId from, NodeId to, const AppendResponse& m);
  void leaves(NodeId from, NodeId to, const InstallSnapshotResponse& m);
  void check_gone(NodeId node, const LogWrite& call);
  void check_term(NodeId from, Term term, const char* what);

  Ledger& ledger_;
  Findings& findings_;
  const CoreChecks& cores_;
  std::map<NodeId, StoreMemory> stores_;
  std::map<NodeId, std::set<InstanceId>> instances_;  // that a node ever had
  /// The last vote that one node asked of another, and the end of the other's synced log at that moment.
  struct VoteAsked {
    std::uint64_t round = 0;  // of pre-votes; of others the term
    LogId last;
    LogId voter_last;
  };
  using Asked = std::map<std::pair<NodeId, NodeId>, VoteAsked>;
  void check_granted(NodeId from, NodeId to, std::uint64_t round, Asked& all, Check check, const char* what);
  Asked pre_votes_asked_;
  Asked votes_asked_;
};

}  // namespace kiwi::lab::invariants
