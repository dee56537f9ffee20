#pragma once

// The memory of all checks: every entry that a log ever took, on whose synced log it lies, and what was
// committed. It knows the disks from the log stores' calls and from what the simulated disk says of un-synced
// bytes, never from the nodes' own words.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "messages/entry.hpp"
#include "messages/storage_calls.hpp"
#include "messages/vote.hpp"

namespace kiwi::lab::invariants {

/// Bit n - 1 is node n. Worlds have at most 64 nodes.
using NodeSet = std::uint64_t;
NodeSet bit(NodeId node);
std::string name_of(NodeId node);

struct EntryRecord {
  Term term;
  Term previous;  // of the entry before it
  EntryKind kind = EntryKind::blank;
  std::uint64_t stamp_ms = 0;
  std::uint64_t hash = 0;     // of all but the id
  std::uint64_t payload = 0;  // hash of it
  NodeSet durable = 0;        // on the synced logs of these now
  NodeSet ever = 0;           // or once
};

struct CommittedRecord {
  Term term;
  Term in_term;  // of the node that first took it for committed
  NodeId by;
};

/// One call of the log store, without the bytes.
struct LogStep {
  LogId reset_to;  // 0/0: nothing; else the log is empty behind it
  bool has_vote = false;
  Vote vote;
  Index truncate_from;
  Index first;              // of `terms`
  std::vector<Term> terms;  // of the entries
  Index purge_to;           // 0: nothing
};

/// What one node's log store holds: surely, and perhaps.
struct DiskLog {
  Vote vote;
  Index purged;
  Term purged_term;               // of the entry at `purged`
  Index data_durable;             // of its state machine: a crash would come back to this applied index
  std::vector<Term> terms;        // of purged + 1, ...; surely on the disk
  std::deque<LogStep> put_aside;  // taken, not handed to the disk yet
  std::deque<LogStep> uncertain;  // handed to the disk; a power cut may take it
  Index before_last;              // what it surely held before the last batch of calls was synced
  bool harmed = false;            // the disk was spoilt or emptied by a fault
  bool started = false;

  Index last() const { return purged + terms.size(); }
  std::optional<Term> term_at(Index index) const {
    if (index <= purged || index > last())
      return std::nullopt;
    return terms[index - purged - 1];
  }
};

std::uint64_t hash_of(const Entry& entry);
std::uint64_t hash_of(std::string_view bytes);
std::uint64_t hash_of(const Reply& reply);

class Ledger {
 public:
  // --- entries
  /// The record of this entry; made when it is new, then `is_new`. Never null.
  EntryRecord& record(const Entry& entry, Term previous, bool& is_new);
  EntryRecord* find(Index index, Term term);
  const EntryRecord* find(Index index, Term term) const;

  // --- disks
  DiskLog& disk(NodeId node) { return disks_[node]; }
  /// Makes a step of this node's disk a surely durable one.
  void settle(NodeId node, const LogStep& step);
  /// The disk of this node holds nothing any more.
  void clear_disk(NodeId node);
  /// Takes what a start found for what is durable.
  void reset_disk(NodeId node, Vote vote, LogId purged, std::vector<Term> terms);
  /// What is committed of [from, to] counts as held by this node: a snapshot on its disk has it.
  void hold_committed(NodeId node, Index from, Index to);
  /// The nodes on whose synced log it lies, or lay before it was purged. Of a node whose disk was harmed: or
  /// once lay.
  NodeSet holders(Index index, Term term) const;
  /// Whom this node ever voted for, durably, in this term; 0: nobody.
  NodeId vote_of(NodeId node, Term term) const;
  /// False: another vote of this term was durable before.
  bool note_vote(NodeId node, Vote vote);
  /// A vote in earnest has left its voter.
  void note_grant(NodeId voter, NodeId candidate, Term term) { grants_[{candidate, term}] |= bit(voter); }
  /// Whose votes of this term it could count: durable ones, and those that left before a disk was lost.
  NodeSet votes_for(NodeId candidate, Term term) const;

  // --- acknowledgements of appends that have left
  void note_ack(NodeId follower, NodeId leader, Term term, Index match);
  /// The highest of this term; 0: none.
  Index acknowledged(NodeId follower, NodeId leader, Term term) const;

  // --- what is committed, on any node. Index i at [i - 1].
  Index committed() const { return Index(committed_.size()); }
  const CommittedRecord* committed_at(Index index) const;
  void commit(const CommittedRecord& record) { committed_.push_back(record); }

 private:
  struct Slot {
    std::optional<EntryRecord> first;
    std::vector<EntryRecord> more;  // the same index in other terms
  };
  std::deque<Slot> slots_;  // index i at [i - 1]
  std::map<NodeId, DiskLog> disks_;
  std::map<std::pair<NodeId, Term>, NodeId> votes_;
  std::map<std::pair<NodeId, Term>, NodeSet> grants_;                 // by candidate
  std::map<std::pair<NodeId, NodeId>, std::pair<Term, Index>> acks_;  // of the latest term
  std::deque<CommittedRecord> committed_;
};

}  // namespace kiwi::lab::invariants
