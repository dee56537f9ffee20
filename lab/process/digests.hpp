#pragma once

// Digests of the nodes' data at one common place of the log: a marker is put into it (RAFT.DIGEST), then each
// node is asked for its digest at the marker (RAFT.DIGEST GET).

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/time.hpp"
#include "messages/ids.hpp"
#include "messages/reply.hpp"

namespace kiwi::lab {

class Digests {
 public:
  using Answered = std::function<void(const Reply&)>;
  /// Sends a command to a node; false when it cannot.
  using Ask = std::function<bool(NodeId node, const std::vector<std::string>& command, Answered answered)>;

  explicit Digests(Ask ask) : ask_(std::move(ask)) {}
  /// "index:hash", or empty: it is on its way. `leader`: who takes the marker; 0: nobody now.
  std::string of(NodeId node, NodeId leader, Time now);

 private:
  /// A marker serves all questions for so long.
  static constexpr Time kFresh = std::chrono::seconds(5);
  /// So long after it was sent, an answer is not waited for any more.
  static constexpr Time kPatience = std::chrono::seconds(2);

  void put(NodeId leader, Time now);

  Ask ask_;
  std::uint64_t round_ = 0;  // an answer of an earlier one counts no more
  std::optional<Time> asked_at_;
  std::uint64_t index_ = 0;  // of the marker; 0: not known
  std::map<NodeId, Time> pending_;
  std::map<NodeId, std::string> known_;
};

}  // namespace kiwi::lab
