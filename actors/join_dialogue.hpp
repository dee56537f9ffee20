#pragma once

// What a node that asks to be added says, and what it makes of the answers: join_client (join_client.hpp)
// without its sockets and timers. A value; time is passed in, of any one clock.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/ids.hpp"
#include "messages/membership.hpp"
#include "messages/parse_address.hpp"

namespace kiwi {

struct JoinRequest {
  static constexpr const char* name = "JoinRequest";
  std::vector<HostPort> targets;  // at least one
  Member self;
  InstanceId instance;
  ClusterId cluster;  // 0: none yet
};

/// While it is refused for a reason that passes, a node goes on asking for so long. The last question may
/// wait for its answer beyond that.
inline constexpr std::chrono::seconds kJoinLimit{10};
/// A node that has not answered by then does not count on: above what a node waits for its majority.
inline constexpr std::chrono::seconds kJoinAnswerLimit{7};

class JoinDialogue {
 public:
  using Clock = std::chrono::milliseconds;

  /// Requires a target. Begins with asking it.
  JoinDialogue(JoinRequest request, Clock now);

  /// Whom to ask now.
  const HostPort& target() const { return moved_ ? *moved_ : request_.targets[at_]; }
  /// RAFT.NODE ADD for itself. Asked twice it is asked once: the instance id goes with it.
  std::vector<std::string> question() const;

  struct Next {
    bool over = false;
    std::string problem;  // over: why nobody takes it; empty: it was added
    Clock pause{0};       // else: before target() is asked
  };
  /// The first line of an answer, without its end.
  Next answered(std::string_view line, Clock now);
  /// No answer came from target().
  Next failed(std::string_view why, Clock now);

 private:
  JoinRequest request_;
  Clock end_;
  std::size_t at_ = 0;
  std::optional<HostPort> moved_;
  int redirects_ = 0;  // in a row
};

}  // namespace kiwi
