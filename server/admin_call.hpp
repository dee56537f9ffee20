#pragma once

// What an operator asks of the raft actor about membership and leadership, and its answer.

#include <cstdint>
#include <string>
#include <vector>

#include "messages/client_calls.hpp"
#include "messages/ids.hpp"
#include "messages/parse_address.hpp"
#include "raft/membership_change.hpp"

namespace kiwi {

struct AdminCall {
  static constexpr const char* name = "AdminCall";
  enum class What : std::uint8_t {
    change,    // `change`; answered when its first entry is committed
    cancel,    // the change under way; answered likewise
    transfer,  // of leadership to `target`, 0: to the best voter; answered when it ended
    join,      // this node, which has no cluster, asks at `targets` to be added; answered when it is
    leave,     // this node stops: it hands leadership over if it has it; answered when it does not lead
  };
  What what = What::change;
  raft::MembershipChange change;
  NodeId target;
  std::vector<HostPort> targets;
  /// From a node that asks for itself: refused unless it is one of `cluster` or of none (0), and unless its
  /// id is bound to this instance or to none (rule 11). Then asking twice does no harm. 0: an operator asks.
  InstanceId instance;
  ClusterId cluster;
};

struct AdminAnswer {
  static constexpr const char* name = "AdminAnswer";
  AnswerKind kind = AnswerKind::done;
  NodeAddress leader;  // for not_leader
  /// With `done`: not empty: refused for this reason, as an error's text without its code.
  std::string problem;
  bool try_again = false;  // with `problem`: the same call can succeed soon
  Index index;             // of the entry that did it
  auto fields() { return std::tie(kind, leader, problem, try_again, index); }
};

}  // namespace kiwi
