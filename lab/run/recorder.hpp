#pragma once

// Writes down what the clients of a run did: the history, and figures about it that predicates ask for while
// the run goes on.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/history/history.hpp"
#include "lab/run/backend.hpp"

namespace kiwi::lab {

/// Of one load.
struct LoadFigures {
  std::uint64_t issued = 0;
  std::uint64_t done = 0;
  std::uint64_t not_done = 0;
  std::uint64_t unknown = 0;
  /// When operations ended as done, ascending.
  std::vector<Time> done_at;
};

class Recorder {
 public:
  using OperationId = std::uint64_t;

  /// A number never given before.
  std::uint64_t new_client() { return ++clients_; }
  OperationId invoke(const std::string& load, std::uint64_t client, ConnectionId connection, NodeId node,
                     const std::vector<std::string>& command, Time now);
  void done(OperationId id, const Reply& reply, Time now);
  /// Refused by the node, with this reply.
  void refused(OperationId id, const Reply& reply, Time now);
  /// The client never sent it: surely not done.
  void never_sent(OperationId id, Time now);
  /// `reply`: the TIMEOUT reply, when there was one.
  void unknown(OperationId id, const std::optional<Reply>& reply, Time now);
  /// A reply that nobody asked for.
  void surplus(ConnectionId connection, const Reply& reply, Time now);
  void mark(std::string_view name, Time now) { history_.mark(name, now); }

  const history::History& history() const { return history_; }
  history::History& history() { return history_; }
  /// Zeroes for a load that did nothing.
  const LoadFigures& of(const std::string& load) const;
  /// Of all loads together.
  const LoadFigures& total() const { return total_; }

 private:
  void end(OperationId id, history::Outcome outcome, const std::optional<Reply>& reply, Time now);

  history::History history_;
  std::map<std::string, LoadFigures> loads_;
  LoadFigures total_;
  std::uint64_t clients_ = 0;
};

}  // namespace kiwi::lab
