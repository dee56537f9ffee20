#pragma once

// One client operation as its client saw it: the unit of a history (docs/history.md).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/time.hpp"
#include "messages/ids.hpp"
#include "messages/reply.hpp"

namespace kiwi::lab::history {

/// What the client may conclude (docs/errors.md).
enum class Outcome : std::uint8_t {
  done,      // it took effect, with this reply; an error that the state machine computed is a reply as well
  not_done,  // refused: it had no effect and never will have one
  unknown,   // time-out, lost connection, TIMEOUT reply, or still open: at any time after the call, or never
};
std::string_view to_string(Outcome outcome);

/// A reply that stands for an unknown outcome or a refusal carries that outcome, and its text as `reply`.
struct Operation {
  /// Names it within its history; ascends in the order of the calls. 0: not given yet.
  std::uint64_t number = 0;
  /// Who asked. A client's operations follow one another; they may overlap only by pipelining on one
  /// connection. After an unknown outcome the user behind it goes on as a new client.
  std::uint64_t client = 0;
  /// Attempts with the same (session, serial) are one operation sent again: it takes effect at most once.
  std::optional<std::uint64_t> session;
  std::optional<std::uint64_t> serial;
  /// Never used by two clients. A client that gives up waiting for a reply gives up the connection too.
  std::uint64_t connection = 0;
  /// The node that was asked; 0: not known.
  NodeId node;
  /// Name of the load in the script; may be empty.
  std::string load;
  Time invoked_at{0};
  /// When the client stopped waiting: the reply, the time-out or the loss of the connection. Empty: still
  /// open.
  std::optional<Time> returned_at;
  /// Places among all calls and returns of the recording, from 1: what orders events of the same instant.
  /// 0: not recorded; then events of one instant count as overlapping.
  std::uint64_t invoked_order = 0;
  std::uint64_t returned_order = 0;
  /// The words of the Redis command, its name first.
  std::vector<std::string> command;
  /// Empty: none came.
  std::optional<Reply> reply;
  Outcome outcome = Outcome::unknown;
  /// Index of the log entry that did it, where a reply or the world tells. Only writes have one.
  std::optional<Index> index;

  friend bool operator==(const Operation&, const Operation&) = default;
};

/// One line for people: "#17 client 3 at n2  0.120000s .. 0.125000s  SET k1 v17 -> OK".
std::string describe(const Operation& operation);
/// As redis-cli would show it, in one line, cut at about 60 characters.
std::string describe(const Reply& reply);

}  // namespace kiwi::lab::history
