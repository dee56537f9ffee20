#pragma once

// One client: bytes -> commands -> session -> raft actor or reply at once; replies leave in the order of the
// commands. Runs on CAF's IO thread. Bounded on both sides: a connection with too many commands in flight or
// too many bytes that the client does not take is not read, so TCP holds the client back.

#include <array>
#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/redis_server.hpp"
#include "messages/resp_parser.hpp"
#include "server/session.hpp"

namespace kiwi {

/// What all connections of a server share. IO thread only.
struct RedisShared {
  RedisOptions options;
  std::shared_ptr<ClientRegistry> registry = std::make_shared<ClientRegistry>();
};

struct RedisConnectionState {
  using Self = caf::stateful_actor<RedisConnectionState, caf::io::broker>*;
  static constexpr const char* name = "redis-connection";

  explicit RedisConnectionState(Self actor) : self(actor) {}

  void start(caf::io::connection_handle handle, std::shared_ptr<RedisShared> with);
  void received(const std::vector<char>& bytes);
  void passivated();
  void transferred(std::uint64_t written);
  void answered(Answers& m);
  void read_on(std::uint64_t pause, int times);
  /// An exit message: no more reading; the answers on their way get drain_limit.
  void stop(const caf::error& reason);
  void give_up_draining();

 private:
  /// Where a reply goes. Invariant: slots_ holds first_slot_, first_slot_ + 1, ...
  struct Slot {
    bool done = false;
    bool close = false;
    RespVersion version = RespVersion::resp2;
    std::uint16_t key_slot = 0;
    Reply reply;
  };

  /// Takes commands while there is room for their replies.
  void pump();
  void execute(const RedisCommand& command);
  void submit_batch();
  void ask_node(const RedisCommand& command, std::uint64_t slot, RespVersion version, bool with_stats);
  void init_cluster(std::uint64_t slot);
  void put_digest_marker(std::uint64_t slot);
  void get_digest(std::uint64_t slot, Index index);
  void fill(std::uint64_t slot, Reply reply, bool close = false);
  void refuse(std::uint64_t slot, AnswerKind kind, const NodeAddress& leader);
  void count_error(const Reply& reply);
  Reply refusal_of(std::uint64_t slot, const caf::error& error);
  /// Writes what is next in order.
  void write_ready();
  void close_when_written();
  void hand_over();
  std::uint64_t unsent() const { return out_.size() - out_handed_ + with_caf_; }
  bool full() const;
  std::uint64_t in_flight_limit() const;
  std::uint64_t now_ms() const;
  void note_reply_size(std::uint64_t bytes);

  Self self;
  caf::io::connection_handle hdl_;
  std::shared_ptr<RedisShared> shared_;
  std::optional<Session> session_;
  std::optional<RespParser> parser_;

  std::deque<Slot> slots_;
  std::uint64_t first_slot_ = 0;
  /// The commands of one turn. Writes and reads have a buffer each, one request after the other: a write's
  /// payload stays in the log's cache and must not keep the reads' bytes with it.
  std::vector<ClientCommand> batch_;
  std::array<std::string, 2> batch_bytes_;                        // [0] writes, [1] reads
  std::vector<std::pair<std::size_t, std::size_t>> batch_parts_;  // offset and size
  /// Replies, of which out_handed_ bytes were given to CAF; CAF keeps a buffer as large as its largest load.
  std::string out_;
  std::size_t out_handed_ = 0;
  std::uint64_t with_caf_ = 0;                 // given to CAF, not yet taken by the socket
  std::uint64_t reply_estimate_ = 512 * 1024;  // of large replies, decaying: bounds what is asked for at once
  std::size_t read_size_ = 0;
  bool paused_ = false;
  std::uint64_t pauses_ = 0;
  bool pumping_ = false;
  bool closing_ = false;  // nothing more is read or taken; ends when everything is written
  bool last_written_ = false;
};

caf::behavior redis_connection(RedisConnectionState::Self self, caf::io::connection_handle hdl,
                               std::shared_ptr<RedisShared> shared);

}  // namespace kiwi
