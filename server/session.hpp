#pragma once

// The state of one client connection, as a value without IO: a parsed command goes in, what to do with it
// comes out. Neither sockets nor actors are known here.
//
// Owner: the connection's actor. Not thread-safe; all sessions of a registry live on one thread.
//
// How a connection uses it, for each command in the order they came (rule 13):
//
//   step = session.handle(command, now_ms);
//   version = session.version();     // remember it with the reply's slot: a later HELLO must not change how
//                                    // an earlier reply is written
//   ReplyNow        -> the reply is ready; close once it is written if `close`
//   SubmitCommand   -> encode the command, send it to the raft actor; the answer is its reply or refusal()
//   NeedStatus      -> ask the raft actor for its NodeStatus, then session.answer(command, version, ...)
//   InitCluster     -> Bootstrap to the raft actor, then init_cluster_reply(...)
//   PutDigestMarker -> DigestMarker to the raft actor, then digest_marker_reply(index)
//   GetDigest       -> DigestRequest to the raft actor, then digest_reply(...)
//   MakeSnapshot    -> BuildSnapshot to the raft actor, then snapshot_reply(manifest)
//   AskAdmin        -> AdminCall to the raft actor, then admin_reply(spec, call, answer)

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "messages/client.hpp"
#include "messages/client_calls.hpp"
#include "messages/ids.hpp"
#include "messages/resp_writer.hpp"
#include "server/admin_call.hpp"
#include "server/client_registry.hpp"
#include "server/environment.hpp"
#include "server/refusal.hpp"
#include "statemachine/command_table.hpp"

namespace kiwi {

struct NodeStatus;

struct ReplyNow {
  Reply reply;
  bool close = false;  // QUIT: close after this reply; nothing that comes behind it is looked at
};
/// For the state machine, through the raft actor.
struct SubmitCommand {
  CommandMode mode = CommandMode::write;
  std::uint16_t slot = 0;  // of the first key, for MOVED; 0 for a command without a key
};
/// The node's own figures are needed for the reply.
struct NeedStatus {
  bool with_stats = false;  // those of the storage too (INFO)
};
struct InitCluster {};
struct PutDigestMarker {};
struct GetDigest {
  Index index;
};
struct MakeSnapshot {};
struct AskAdmin {
  const CommandSpec* spec = nullptr;
  AdminCall call;
};
using Step = std::variant<ReplyNow, SubmitCommand, NeedStatus, InitCluster, PutDigestMarker, GetDigest,
                          MakeSnapshot, AskAdmin>;

struct ConnectionFacts {
  std::string address;        // "127.0.0.1:50000"
  std::string local_address;  // "127.0.0.1:7001"
  std::int64_t fd = -1;
};

class Session {
 public:
  /// `now_ms` here and below: milliseconds of one monotonic clock.
  Session(std::shared_ptr<ClientRegistry> registry, std::shared_ptr<const ServerEnvironment> environment,
          ConnectionFacts facts, std::uint64_t now_ms);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Requires command.args not to be empty. Changes to the connection (HELLO, RESET, READONLY, CLIENT
  /// SETNAME) take effect at once, so for all commands behind this one.
  Step handle(const RedisCommand& command, std::uint64_t now_ms);

  /// The reply to a command for which handle() said NeedStatus. `version` is what version() was right after
  /// that handle(). `status` has the storage's figures if they were asked for.
  Reply answer(const RedisCommand& command, RespVersion version, const NodeStatus& status,
               const ProcessFigures& process) const;

  /// How the reply to the command handled last is written.
  RespVersion version() const { return info_.version; }
  std::uint64_t id() const { return info_.id; }
  const ClientInfo& info() const { return info_; }
  /// For the members that the connection keeps up to date (client_registry.hpp).
  ClientInfo& info() { return info_; }

 private:
  Step on_connection(const CommandSpec& spec, const RedisCommand& command, std::uint64_t now_ms);
  Step on_node(const CommandSpec& spec, const RedisCommand& command);
  Step hello(const RedisCommand& command);
  Reply client(const CommandSpec& spec, const RedisCommand& command, std::uint64_t now_ms);
  Reply client_list(const RedisCommand& command, std::uint64_t now_ms) const;
  void reset();
  ReplyNow reply_now(Reply reply);

  std::shared_ptr<ClientRegistry> registry_;
  std::shared_ptr<const ServerEnvironment> environment_;
  ClientInfo info_;
};

}  // namespace kiwi
