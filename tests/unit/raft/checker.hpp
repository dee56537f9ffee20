#pragma once

// Watches all nodes of a simulated cluster from outside and knows what really is on every disk. Throws
// BrokenInvariant at the first thing that must never happen. The numbers are those of the list of invariants
// in Raft figure 3 and thesis chapter 3, and of the safety rules in docs/architecture.md.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "messages/entry.hpp"
#include "messages/vote.hpp"
#include "raft/core.hpp"

namespace kiwi::raft {

/// What survives a crash of one node.
struct Disk {
  Vote vote;
  std::vector<Entry> log;  // entry of index i at i - purged - 1
  LogId purged;
  Index applied;  // by the state machine, durably
  std::uint64_t applied_stamp_ms = 0;
  std::optional<LogId> installing;    // the intent: the state is this snapshot's, the log must follow
  Membership initial;                 // empty: made to join a cluster
  std::pair<LogId, Membership> kept;  // as of `purged`, by the log store; empty: the initial one
  std::pair<LogId, Membership> installing_membership;  // of the snapshot that is, or was, being installed
  std::pair<LogId, Membership> applied_membership;     // with the data, as of `applied`; may be empty

  Index last() const { return purged.index + log.size(); }
  LogId last_id() const { return log.empty() ? purged : log.back().id; }
  const Entry* find(Index index) const {
    return index > purged.index && index <= last() ? &log[index - purged.index - 1] : nullptr;
  }
  Restored restored() const;
};

/// Counted anew, so that a fault of raft/quorum.hpp shows.
template <class Has>
bool majority_of(const Membership& m, Has has) {
  const auto half = [&](const std::vector<NodeId>& ids) {
    std::size_t count = 0;
    for (NodeId id : ids) count += has(id) ? 1 : 0;
    return count > ids.size() / 2;
  };
  return !m.voters.empty() && half(m.voters) && (m.outgoing_voters.empty() || half(m.outgoing_voters));
}

class Checker {
 public:
  void add(NodeId id, const Disk* disk) { disks_[id] = disk; }
  void expect(bool ok, const std::string& what) const {
    if (!ok)
      fail(what);
  }
  [[noreturn]] void fail(const std::string& what) const;

  /// A node has new entries in its log (in memory).
  void appended(NodeId node, const std::vector<Entry>& log_entries, Term term_before_first);
  /// Its disk has a new vote.
  void vote_saved(NodeId node, Vote before, Vote now);
  /// A node leads; `log` is its log behind `purged`. True when it is new in this term.
  bool leads(NodeId node, Term term, LogId purged, const std::vector<Entry>& log);
  /// The commit index of a node rose to `commit`.
  void committed(NodeId node, Term node_term, Index commit, LogId purged, const std::vector<Entry>& log,
                 const Membership& before, const Membership& now);
  /// The log of a node is purged, or begins anew behind a snapshot.
  void purged(NodeId node, LogId to) const;
  /// A message leaves a node: is what it promises on that node's disk?
  void leaves(NodeId from, const Outgoing& message) const;
  /// A node applies an entry.
  void applied(NodeId node, const Entry& entry) const;

  // --- Membership (checker_membership.cpp)
  using Named = std::pair<LogId, Membership>;
  void set_time(std::uint64_t now) { now_ = now; }
  /// It won an election under `members`.
  void won(NodeId node, Term term, const Membership& members) const;
  /// A leader appended a membership entry behind `before`; its commit index and the term of that entry.
  void membership_appended(NodeId node, const Named& before, const Named& now, Index commit,
                           Term commit_term) const;
  /// The newest committed membership entry up to `index`; id 0/0 and nobody: none.
  Named membership_at(Index index) const;
  /// A vote is given: the voter knows what is committed up to `commit`.
  void votes_for(NodeId voter, NodeId candidate, Index commit) const;

  // --- Clients: the state is the index, so a read is right when its index is in the right range.
  Index floor() const { return floor_; }
  void answered(Index index) { floor_ = index > floor_ ? index : floor_; }

  const std::vector<Entry>& history() const { return committed_; }
  std::size_t terms_with_leader() const { return leaders_.size(); }

 private:
  struct Seen {
    Term previous;
    std::string payload;
    std::uint64_t stamp_ms = 0;
  };
  std::map<NodeId, const Disk*> disks_;
  std::map<std::pair<Index, Term>, Seen> seen_;
  std::map<Term, NodeId> leaders_;
  std::map<std::pair<NodeId, Term>, NodeId> votes_;
  std::vector<Entry> committed_;             // index i at i - 1
  std::vector<Term> committed_in_term_;      // the term of the node that first counted it as committed
  std::map<Index, Named> memberships_;       // committed
  std::vector<std::uint64_t> committed_at_;  // the time
  std::uint64_t now_ = 0;
  Index floor_;  // what the next read must show at least
};

}  // namespace kiwi::raft
