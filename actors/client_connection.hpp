#pragma once

// One client's connection without its transport: bytes -> commands -> session -> raft actor or reply at once;
// replies leave in the order of the commands. Used by the broker actor of the Redis port
// (redis_connection.hpp) and by the laboratory's simulated connections.
//
// Bounded on both sides: a connection with too many commands in flight, or too many bytes that the client
// does not take, is full, and its transport should not read on until ClientTransport::room().

#include <caf/all.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "actors/redis_server.hpp"
#include "messages/resp_parser.hpp"
#include "server/session.hpp"

namespace kiwi {

/// What all connections of a server share. IO thread only.
struct RedisShared {
  RedisOptions options;
  std::shared_ptr<ClientRegistry> registry = std::make_shared<ClientRegistry>();
  /// What one connection submits in its turn, one request after the other; empty between turns. Writes and
  /// reads have a buffer each: a write's payload stays in the log's cache and must not keep the reads' bytes
  /// with it.
  std::string write_requests;
  std::string read_requests;
};

/// What only the replica can answer, and its answer. Same order in both.
using ReplicaQuestion =
    std::variant<StatusRequest, Bootstrap, DigestMarker, DigestRequest, BuildSnapshot, AdminCall>;
using ReplicaAnswer =
    std::variant<StatusPtr, ClusterId, Index, DigestAnswer, SnapshotManifest, AdminAnswer, caf::error>;

/// What a connection needs of the actor it lives in. Calls come from within the connection's own functions.
class ClientTransport {
 public:
  virtual ~ClientTransport() = default;
  /// Milliseconds of one monotonic clock.
  virtual std::uint64_t now_ms() const = 0;
  /// To the replica; the answers come back as ClientConnection::answered.
  virtual void submit(std::uint64_t client, std::vector<ClientCommand> commands) = 0;
  /// Calls `done` once, later; never when the actor is gone by then. Use ask_replica below.
  virtual void ask(const ReplicaQuestion& question, std::function<void(const ReplicaAnswer&)> done) = 0;
  virtual std::string render(const caf::error& error) const = 0;
  /// Takes the bytes and says how many of them have left already; ClientConnection::transferred reports the
  /// rest.
  virtual std::size_t write(std::string_view bytes) = 0;
  /// There is room again, or still: reading may go on.
  virtual void room() = 0;
  /// Calls ClientConnection::give_up after this long.
  virtual void give_up_after(std::chrono::milliseconds limit) = 0;
  /// Closes what the client sees; end() follows.
  virtual void hang_up() = 0;
  /// The connection is over.
  virtual void end() = 0;
};

class ClientConnection {
 public:
  /// `transport` must live as long.
  ClientConnection(ClientTransport& transport, std::shared_ptr<RedisShared> shared, ConnectionFacts facts);

  /// Bytes from the client.
  void received(std::string_view bytes);
  /// Takes commands while there is room for their replies.
  void pump();
  /// This many bytes of what write() took have left.
  void transferred(std::uint64_t written);
  void answered(Answers& m);
  /// No more reading; the answers on their way get the drain limit.
  void stop();
  void give_up();

  bool full() const;
  /// Nothing more is read or taken; ends when everything is written.
  bool closing() const { return closing_; }

 private:
  /// Where a reply goes. Invariant: slots_ holds first_slot_, first_slot_ + 1, ...
  struct Slot {
    bool done = false;
    bool close = false;
    RespVersion version = RespVersion::resp2;
    std::uint16_t key_slot = 0;
    Reply reply;
  };

  void execute(const RedisCommand& command);
  void submit_batch();
  template <class Expected, class MakeReply>
  void ask(const ReplicaQuestion& question, std::uint64_t slot, MakeReply make_reply);
  void ask_node(const RedisCommand& command, std::uint64_t slot, RespVersion version, bool with_stats);
  void make_snapshot(std::uint64_t slot);
  void init_cluster(std::uint64_t slot);
  void fill(std::uint64_t slot, Reply reply, bool close = false);
  void refuse(std::uint64_t slot, AnswerKind kind, const NodeAddress& leader);
  void count_error(const Reply& reply);
  Reply refusal_of(std::uint64_t slot, const caf::error& error);
  /// Writes what is next in order.
  void write_ready();
  void close_when_written();
  void hand_over();
  std::uint64_t unsent() const { return out_.size() - out_handed_ + with_transport_; }
  std::uint64_t in_flight_limit() const;
  void note_reply_size(std::uint64_t bytes);

  ClientTransport& transport_;
  std::shared_ptr<RedisShared> shared_;
  Session session_;
  RespParser parser_;

  std::deque<Slot> slots_;
  std::uint64_t first_slot_ = 0;
  /// The commands of one turn, and where in the shared buffers their requests lie: offset and size.
  std::vector<ClientCommand> batch_;
  std::vector<std::pair<std::size_t, std::size_t>> batch_parts_;
  /// Replies, of which out_handed_ bytes were given to the transport; CAF keeps a buffer as large as its
  /// largest load.
  std::string out_;
  std::size_t out_handed_ = 0;
  std::uint64_t with_transport_ = 0;           // given to it, not yet taken by the socket
  std::uint64_t reply_estimate_ = 512 * 1024;  // of large replies, decaying: bounds what is asked for at once
  std::uint64_t read_us_ = 0;                  // when the bytes came that are looked at; 0: not measured
  bool pumping_ = false;
  bool closing_ = false;
  bool last_written_ = false;
};

/// ClientTransport::ask for an actor that can send requests.
template <class Self>
void ask_replica(Self* self, const ReplicaActor& replica, const ReplicaQuestion& question,
                 std::function<void(const ReplicaAnswer&)> done) {
  auto failed = [done](const caf::error& e) { done(ReplicaAnswer(e)); };
  auto ask = [&](const auto& message, auto answer) {
    using Expected = decltype(answer);
    self->request(replica, caf::infinite, message)
        .then([done](const Expected& a) { done(ReplicaAnswer(a)); }, failed);
  };
  if (auto* status = std::get_if<StatusRequest>(&question))
    ask(*status, StatusPtr());
  else if (auto* init = std::get_if<Bootstrap>(&question))
    ask(*init, ClusterId());
  else if (auto* marker = std::get_if<DigestMarker>(&question))
    ask(*marker, Index());
  else if (auto* digest = std::get_if<DigestRequest>(&question))
    ask(*digest, DigestAnswer());
  else if (auto* admin = std::get_if<AdminCall>(&question))
    ask(*admin, AdminAnswer());
  else
    ask(std::get<BuildSnapshot>(question), SnapshotManifest());
}

}  // namespace kiwi
