#pragma once

// All checks together, as the observer of a simulated world. Cheap: each looks only at what has just
// happened.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "lab/invariants/client_checks.hpp"
#include "lab/invariants/core_checks.hpp"
#include "lab/invariants/invariant.hpp"
#include "lab/invariants/ledger.hpp"
#include "lab/invariants/log_checks.hpp"
#include "lab/invariants/state_checks.hpp"
#include "lab/world/observer.hpp"

namespace kiwi::lab::invariants {

class Invariants final : public Observer {
 public:
  /// Of these groups; empty: of all. At most 64 nodes.
  explicit Invariants(std::set<Group> groups = {});

  std::optional<BrokenInvariant> broken() override { return findings_.first(); }
  void started(NodeId node, std::uint64_t life, const raft::Restored& found, InstanceId instance,
               const std::string& digest) override;
  void ended(NodeId node) override;
  void harmed(NodeId node, std::string_view verb) override;
  void core_stepped(NodeId node, const raft::Core& core, const NodeQueues& queues) override;
  void leaving(NodeId from, NodeId to, const PeerMessage& message) override;
  void log_call(NodeId node, std::uint64_t epoch, const LogWrite& call) override;
  void log_waits(NodeId node, const LogStoreSeen& seen) override;
  void log_flushed(NodeId node, const LogStoreSeen& seen) override;
  void applied(NodeId node, const std::vector<Entry>& entries, const std::vector<Reply>& replies) override;
  void queried(NodeId node, Index applied, const StateQuery& query, const StateAnswer& answer) override;
  bool wants_digest(NodeId node, Index applied) override;
  void digest(NodeId node, const StateDigest& digest, bool flushing) override;
  void flushed(NodeId node, Index durable) override;
  void installing(NodeId node, LogId snapshot) override;
  void installed(NodeId node, LogId snapshot) override;
  void asked(ConnectionId connection, NodeId node) override;
  void submitted(ConnectionId connection, NodeId node, const ClientCommand& command) override;
  void answered(ConnectionId connection, NodeId node, const Answer& answer) override;
  void replied(ConnectionId connection, const Reply& reply) override;
  void gone(ConnectionId connection) override;

 private:
  /// A follower's log is purged by and by.
  void check_purged(const raft::Core& core, std::uint64_t ticks);

  Findings findings_;
  Ledger ledger_;
  CoreChecks cores_;
  LogChecks logs_;
  StateChecks states_;
  ClientChecks clients_;
  std::map<NodeId, std::uint64_t> unpurged_;  // since which tick of its own
  std::uint64_t steps_ = 0;
};

}  // namespace kiwi::lab::invariants
