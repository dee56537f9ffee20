#pragma once

// Which faults were in force when: opened by actions that are faults, closed by those that end them
// (VerbRow::fault, VerbRow::ends).

#include <set>
#include <string>
#include <vector>

#include "lab/run/record.hpp"

namespace kiwi::lab {

class FaultLedger {
 public:
  /// An action that was done. Looks up in the table of verbs what it begins and ends. Faults that strike once
  /// (reset, disconnect, drop-next, ...) count as in force for a second; what a restart ends, for at least
  /// that long.
  void done(const script::Action& action, const Applied& applied, Time now);
  /// In the order in which they began.
  const std::vector<FaultWindow>& windows() const { return windows_; }
  /// Some effective fault of this kind, ever.
  bool fired(const std::string& kind) const;
  /// A fault of one of these kinds concerned this node, ever.
  bool ever_on(NodeId node, const std::set<std::string>& kinds) const;
  /// Of a kind (empty: any), effective, and in force at some moment of [from, to].
  bool in_force(const std::string& kind, Time from, Time to) const;
  /// Windows that are open now.
  std::vector<FaultWindow> open() const;

 private:
  struct Remaining {
    std::size_t window = 0;
    std::set<NodeId> nodes;                     // node faults: those it is still on
    std::set<std::pair<NodeId, NodeId>> links;  // link faults
  };
  void begin(const script::Action& action, const Applied& applied, Time now);
  void end(const script::Action& action, const std::vector<std::string>& kinds, Time now);

  std::vector<FaultWindow> windows_;
  std::vector<Remaining> open_;
};

}  // namespace kiwi::lab
