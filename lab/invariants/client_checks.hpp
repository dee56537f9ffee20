#pragma once

// What clients are told, against what was applied and committed when they were told.

#include <cstdint>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lab/invariants/invariant.hpp"
#include "lab/invariants/ledger.hpp"
#include "lab/world/observer.hpp"

namespace kiwi::lab::invariants {

class ClientChecks {
 public:
  ClientChecks(Ledger& ledger, Findings& findings) : ledger_(ledger), findings_(findings) {}

  /// A node found this at its start.
  void voters(const Membership& membership) {
    if (memberships_.empty())
      memberships_.emplace_back(Index(0), membership);
  }
  /// A leader has this membership, and has committed up to `commit`.
  void leads(const Membership& membership, Index commit);
  void node_gone(NodeId node);
  void asked(ConnectionId connection, NodeId node);
  void submitted(ConnectionId connection, NodeId node, const ClientCommand& command);
  void answered(ConnectionId connection, NodeId node, const Answer& answer);
  void replied(ConnectionId connection, const Reply& reply);
  void gone(ConnectionId connection);
  void applied(NodeId node, const std::vector<Entry>& entries, const std::vector<Reply>& replies);
  void queried(NodeId node, Index applied, const StateQuery& query, const StateAnswer& answer);
  /// The node's own time, in ticks of its raft actor, and after how many of them it gives up a client.
  void ticked(NodeId node, std::uint64_t ticks, std::uint64_t give_up);

 private:
  struct Slot {
    bool submitted = false;
    bool answered = false;
    CommandMode mode = CommandMode::write;
    AnswerKind kind = AnswerKind::done;
    std::uint64_t payload = 0;
    std::uint64_t reply = 0;
    Index floor;  // of a read: what was committed anywhere when it was submitted
  };
  struct Connection {
    NodeId node;
    std::uint64_t asked = 0;
    std::uint64_t replied = 0;
    std::uint64_t first = 0;  // the slot of slots[0]; those before it were replied to
    std::deque<Slot> slots;
  };
  /// Something that gave a reply: an entry that was applied, or a query.
  struct Effect {
    Index index;
    std::uint64_t reply = 0;
  };
  struct Expected {
    std::uint64_t waiting = 0;  // commands with this payload that have no answer yet
    std::vector<Effect> effects;
  };
  struct Waiting {
    ConnectionId connection = 0;
    std::uint64_t slot = 0;
    std::uint64_t since = 0;
  };
  struct Node {
    std::unordered_map<std::uint64_t, Expected> writes, reads;  // by payload; never iterated
    std::uint64_t ticks = 0;
    std::deque<Waiting> waiting;
  };
  /// How often a payload was submitted as a write, in all, and whether one of them was refused.
  struct Submitted {
    std::uint32_t times = 0;
    std::uint32_t refused = 0;
    std::uint32_t applied = 0;
    Index last;  // entry that it was applied with
  };

  Slot* slot_of(ConnectionId connection, std::uint64_t slot);
  void settle(Node& node, const Slot& slot);
  void done(ConnectionId connection, NodeId node, std::uint64_t number, const Slot& slot);
  void refused(const Slot& slot);
  bool is_enough(NodeSet holders, Index index) const;

  Ledger& ledger_;
  Findings& findings_;
  /// With the commit index at which a leader was first seen to count by it. Ascending.
  std::vector<std::pair<Index, Membership>> memberships_;
  std::unordered_map<ConnectionId, Connection> connections_;  // never iterated
  std::map<NodeId, Node> nodes_;
  std::unordered_map<std::uint64_t, Submitted> submitted_;  // by payload; never iterated
};

}  // namespace kiwi::lab::invariants
