#pragma once

// The protocol state of each node after each message of its raft actor, against what was seen before and
// against the disks (ledger.hpp).

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "lab/invariants/invariant.hpp"
#include "lab/invariants/ledger.hpp"
#include "lab/world/observer.hpp"
#include "raft/core.hpp"

namespace kiwi::lab::invariants {

/// What a leader believes of one other node.
struct FollowerSeen {
  NodeId node;
  Index match;
  std::uint64_t inflight_appends = 0;
  std::uint64_t inflight_bytes = 0;
};

/// A core between two steps.
struct CoreSeen {
  NodeId node;
  raft::Role role = raft::Role::follower;
  Vote vote;
  Index purged;
  Index applied;
  Index commit;
  Index durable;  // as the core believes
  LogId last;
  const Membership* membership = nullptr;
  bool needs_snapshot = false;  // it lost its state, as it says
};

/// The parts of a core that are looked at only when something changed.
class CoreInside {
 public:
  virtual ~CoreInside() = default;
  virtual std::optional<Term> term_at(Index index) const = 0;
  virtual std::vector<FollowerSeen> followers() const = 0;
  /// Index of the entry that the membership comes from; 0: the initial one.
  virtual Index configuration() const = 0;
};

class CoreChecks {
 public:
  CoreChecks(Ledger& ledger, Findings& findings) : ledger_(ledger), findings_(findings) {}

  /// A process starts with what it found. `lost`: its disk was emptied or spoilt since it ran last.
  void started(NodeId node, const raft::Restored& found, bool lost);
  void stepped(const CoreSeen& seen, const CoreInside& inside);
  /// The log of the node as its core has it; nothing outside of it.
  std::optional<Term> term_at(NodeId node, Index index) const;
  /// The vote of the node as its core has it.
  Vote vote(NodeId node) const;
  /// Whether it leads this term now.
  bool leads(NodeId node, Term term) const;

 private:
  struct NodeMemory {
    CoreSeen seen;
    bool stepped = false;  // in this life
    bool lost = false;     // the disk was spoilt before this life
    Membership membership;
    LogId configuration;    // of the entry that it comes from; 0/0: the initial one
    std::vector<Term> log;  // of index log_begin + 1, ...
    Index log_begin;
    Index last() const { return log_begin + log.size(); }
    std::optional<Term> term_at(Index index) const {
      if (index <= log_begin || index > last())
        return std::nullopt;
      return log[index - log_begin - 1];
    }
  };

  void check_monotonic(const NodeMemory& before, const CoreSeen& now);
  void check_term(const NodeMemory& before, const CoreSeen& now);
  void check_membership(NodeMemory& memory, const CoreSeen& now, const CoreInside& inside);
  bool knows(const Membership& membership);
  void check_appended(const NodeMemory& memory, const CoreSeen& now, const CoreInside& inside, Index number);
  void check_configuration(NodeMemory& memory, const CoreSeen& now, const CoreInside& inside);
  void follow_log(NodeMemory& memory, const CoreSeen& now, const CoreInside& inside);
  void check_leader(const NodeMemory& memory, const CoreSeen& now);
  void check_commit(const NodeMemory& memory, const CoreSeen& now, const CoreInside& inside);
  void committed_first(const NodeMemory& memory, const CoreSeen& now, Index index);
  void check_counting(const NodeMemory& memory, const CoreSeen& now, const CoreInside& inside);
  void check_durable(const NodeMemory& memory, const CoreSeen& now);

  Ledger& ledger_;
  Findings& findings_;
  std::map<NodeId, NodeMemory> nodes_;
  std::map<Term, NodeId> leaders_;
  std::set<std::pair<std::vector<NodeId>, std::vector<NodeId>>> voters_;  // that any node ever had
  std::map<LogId, std::pair<NodeId, Membership>> memberships_;  // by entry, with who was seen first with it
  Term highest_;                                                // of all cores ever
};

/// Whether these nodes are a majority of both halves of the membership.
bool is_majority(NodeSet nodes, const Membership& membership);
/// Whether every majority of `a` shares a node with every majority of `b`, as one step of change allows.
bool is_one_change(const Membership& a, const Membership& b);

}  // namespace kiwi::lab::invariants
