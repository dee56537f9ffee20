#pragma once

// Between a client's connection and the raft actor.

#include <cstdint>
#include <vector>

#include "messages/bytes.hpp"
#include "messages/ids.hpp"
#include "messages/membership.hpp"
#include "messages/reply.hpp"

namespace kiwi {

enum class CommandMode : std::uint8_t {
  write,       // goes through the log
  read,        // linearizable
  stale_read,  // from this node's applied state (READONLY)
};

/// One command on its way to the raft actor. `slot` is the connection's own number for the reply.
struct ClientCommand {
  static constexpr const char* name = "ClientCommand";
  std::uint64_t slot = 0;
  CommandMode mode = CommandMode::write;
  Bytes payload;  // an encoded ClientRequest
  auto fields() { return std::tie(slot, mode, payload); }
};

/// How a command ended. Safety rule 9: refusals surely did nothing; `unknown` may have happened or may yet.
enum class AnswerKind : std::uint8_t {
  done,            // `reply` is the command's reply, errors of its own included
  not_leader,      // refused; `leader` says who leads
  no_leader,       // refused; nobody is known to lead, or the leader is not ready
  no_cluster,      // refused; this node belongs to no cluster yet
  overloaded,      // refused; a limit is reached
  too_large,       // refused; above kMaxRequestBytes
  loading,         // refused; this node has not caught up since its start
  stopping,        // refused; the node is shutting down or its storage failed
  handing_over,    // refused; leadership is on its way to another node
  removed,         // refused; this node was removed from its cluster
  no_space,        // refused; the disk of this leader, or those of a majority, are nearly full
  out_of_service,  // refused; this node's data is closed, and opened again as soon as that can be
  unknown,         // leadership lost, or no answer in time: may have happened or may yet
};

struct Answer {
  static constexpr const char* name = "Answer";
  std::uint64_t slot = 0;
  AnswerKind kind = AnswerKind::done;
  Reply reply;
  NodeAddress leader;  // for not_leader
  auto fields() { return std::tie(slot, kind, reply, leader); }
};

struct Answers {
  static constexpr const char* name = "Answers";
  std::vector<Answer> answers;
  std::uint64_t sent_us = 0;  // by the clock of StageTimes; 0: not measured. Never leaves the process.
  auto fields() { return std::tie(answers); }
};

}  // namespace kiwi
