#pragma once

// What the simulated world shows of the insides of its nodes, at the moment it happens, to somebody who
// judges it (lab/invariants) and never changes it. Everything given by pointer or reference is good for the
// call only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/run/backend.hpp"
#include "messages/client_calls.hpp"
#include "messages/entry.hpp"
#include "messages/ids.hpp"
#include "messages/peer_messages.hpp"
#include "messages/storage_calls.hpp"
#include "raft/core.hpp"
#include "statemachine/state_machine.hpp"

namespace kiwi::lab {

/// How much waits inside a node. Seen after each message of its raft actor.
struct NodeQueues {
  std::uint64_t ticks = 0;        // of the raft actor since its start: the node's own time
  std::uint64_t give_up = 0;      // ticks after which a client is told "unknown"
  std::uint64_t proposals = 0;    // waiting to be applied
  std::uint64_t reads = 0;        // waiting for their answer
  std::uint64_t log_calls = 0;    // that the adaptor has an owner for
  std::uint64_t state_calls = 0;  // the same, of the state machine
};

/// The log store after one of its messages.
struct LogStoreSeen {
  bool poisoned = false;
  LogId last;                      // as it says
  std::uint64_t group = 0;         // writes put aside
  std::uint64_t promises = 0;      // owners of them
  std::uint64_t calls = 0;         // outstanding at the adaptor
  std::uint64_t unsynced = 0;      // bytes of its write-ahead files that a power cut could take
  std::uint64_t failed_syncs = 0;  // of these files since the process started
};

class Observer {
 public:
  virtual ~Observer() = default;
  /// Asked after each step; an answer ends the run.
  virtual std::optional<BrokenInvariant> broken() = 0;

  // --- the process
  /// Opened and about to run. `digest` is of the state machine as it was found; empty: not to be had.
  virtual void started(NodeId node, std::uint64_t life, const raft::Restored& found, InstanceId instance,
                       const std::string& digest) = 0;
  virtual void ended(NodeId node) = 0;
  /// A fault that spoils or empties what is on the disk: "flip", "wipe", "clone-disk", ...
  virtual void harmed(NodeId node, std::string_view verb) = 0;

  // --- the protocol
  /// After each message of the raft actor.
  virtual void core_stepped(NodeId node, const raft::Core& core, const NodeQueues& queues) = 0;
  /// A message is given to the network. Votes, heartbeats' replies and appends' replies only.
  virtual void leaving(NodeId from, NodeId to, const PeerMessage& message) = 0;

  // --- the log store
  /// One write that it has put aside; `epoch` is the store's own.
  virtual void log_call(NodeId node, std::uint64_t epoch, const LogWrite& call) = 0;
  /// After those.
  virtual void log_waits(NodeId node, const LogStoreSeen& seen) = 0;
  /// The writes that were put aside have been handed to the disk.
  virtual void log_flushed(NodeId node, const LogStoreSeen& seen) = 0;

  // --- the state machine
  virtual void applied(NodeId node, const std::vector<Entry>& entries, const std::vector<Reply>& replies) = 0;
  virtual void queried(NodeId node, Index applied, const StateQuery& query, const StateAnswer& answer) = 0;
  /// True: digest() should be told what is applied now.
  virtual bool wants_digest(NodeId node, Index applied) = 0;
  /// `flushing`: the machine is about to make this state durable.
  virtual void digest(NodeId node, const StateDigest& digest, bool flushing) = 0;
  /// A flush has made the state as of this index durable.
  virtual void flushed(NodeId node, Index durable) = 0;
  /// A snapshot is about to become the machine's state; a crash may leave the one or the other.
  virtual void installing(NodeId node, LogId snapshot) = 0;
  /// It has: in memory, and after a crash.
  virtual void installed(NodeId node, LogId snapshot) = 0;

  // --- clients
  /// A command leaves the client; it and its replies are counted per connection, from 0.
  virtual void asked(ConnectionId connection, NodeId node) = 0;
  /// The connection gives it to the raft actor, or hears from it. `slot` counts the connection's commands.
  virtual void submitted(ConnectionId connection, NodeId node, const ClientCommand& command) = 0;
  virtual void answered(ConnectionId connection, NodeId node, const Answer& answer) = 0;
  /// A reply reaches the client.
  virtual void replied(ConnectionId connection, const Reply& reply) = 0;
  /// No more will be heard of it.
  virtual void gone(ConnectionId connection) = 0;
};

}  // namespace kiwi::lab
