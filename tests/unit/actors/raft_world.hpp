#pragma once

// A raft actor between scripted storage, scripted peers and recording clients. Storage and the state machine
// answer at once unless the test holds them back; peers do nothing unless the test lets them serve.

#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <ostream>

#include "actor_world.hpp"
#include "actors/raft_actor.hpp"
#include "actors/replica_errors.hpp"
#include "actors/storage_errors.hpp"

namespace kiwi {
inline void PrintTo(AnswerKind kind, std::ostream* out) { *out << to_string(kind); }
}  // namespace kiwi

namespace kiwi::test {

struct RaftSetup {
  std::uint64_t nodes = 1;  // 0: no cluster yet. This one is node 1
  raft::Options raft;
  std::vector<PeerBinding> bindings;
  std::uint32_t request_timeout_ms = 5000;
  raft::Restored restored;  // memberships are filled in
  std::vector<Entry> log;   // what `restored` speaks of
};

inline constexpr std::uint64_t kTickMs = 50;
inline constexpr ClusterId kCluster{77};
inline constexpr InstanceId kInstance{1001};

Member member(std::uint64_t id);
inline Bytes text(const std::string& s) { return Bytes::copy_of(s); }
inline Reply did(const std::string& payload) { return Reply::bulk("did " + payload); }
inline Reply saw(const std::string& payload, std::uint64_t applied) {
  return Reply::bulk("saw " + payload + " at " + std::to_string(applied));
}

class RaftWorld {
 public:
  explicit RaftWorld(RaftSetup setup = {});

  ActorWorld world;
  Stub& storage = world.stub();
  ReplicaActor raft;

  // --- Storage. Held calls wait in `storage.calls()`.
  bool hold_writes = false;
  bool hold_applies = false;
  bool hold_queries = false;
  /// What the fake machine says: the earliest deadline, and which queries need a tick first.
  std::uint64_t next_deadline_ms = 0;
  std::function<std::uint64_t(const StateQuery&)> needs_tick = [](const StateQuery&) {
    return std::uint64_t{0};
  };
  /// What the machine was asked in order: "apply 2 a", "apply 3", "query b".
  std::vector<std::string> machine_calls;
  std::vector<Entry> log;  // durable
  LogId applied;
  /// Answers the oldest waiting call of its kind.
  void write_one();
  void apply_one();
  void query_one();

  // --- Time
  /// Everything that can happen now.
  void run();
  void ticks(int n);
  /// Becomes leader and is ready; peers serve while this goes on.
  void lead();

  // --- Peers
  Stub& peer(std::uint64_t id) { return *peers_.at(id); }
  bool has_peer(std::uint64_t id) const { return peers_.contains(id); }
  const Hello& peer_hello(std::uint64_t id) const { return hellos_.at(id); }
  /// Says yes to everything that reached the peer so far, with its clock as given.
  void serve(std::uint64_t id);
  void serve_all();
  void from(std::uint64_t id, PeerMessage message);
  /// Messages of one kind that reached the peer since the last time; takes them out.
  template <class Message>
  std::vector<Message> heard_by(std::uint64_t id) {
    collect(id);
    std::vector<Message> found;
    std::erase_if(inbox_[id], [&](PeerMessage& m) {
      auto* message = std::get_if<Message>(&m);
      if (message != nullptr)
        found.push_back(std::move(*message));
      return message != nullptr;
    });
    return found;
  }
  std::map<std::uint64_t, std::uint64_t> peer_clock_ms;  // none: the world's

  // --- Clients
  struct Command {
    CommandMode mode;
    std::string payload;
  };
  static Command set(std::string payload) { return {CommandMode::write, std::move(payload)}; }
  static Command get(std::string payload) { return {CommandMode::read, std::move(payload)}; }
  static Command stale_get(std::string payload) { return {CommandMode::stale_read, std::move(payload)}; }
  /// One Submit; slots count up from 0 per client.
  void submit(std::uint64_t client, std::vector<Command> commands);
  /// Everything that this client was answered so far, in order.
  std::vector<Answer> answers(std::uint64_t client);
  /// Kinds of the answers by slot; throws when a slot was answered twice.
  std::map<std::uint64_t, AnswerKind> kinds(std::uint64_t client);
  Question<ClientResponse> propose(const std::string& payload);
  Question<ClientResponse> query(const std::string& payload, bool stale = false);
  NodeStatus status();
  bool alive() const { return !world.ended(raft); }

 private:
  void serve_storage();
  void answer_write(Call& call);
  void answer_apply(Call& call);
  void answer_query(Call& call);
  void note_machine_calls();
  void collect(std::uint64_t id);

  std::map<std::uint64_t, Stub*> peers_;
  std::map<std::uint64_t, Hello> hellos_;
  std::map<std::uint64_t, std::vector<PeerMessage>> inbox_;
  std::map<std::uint64_t, Stub*> clients_;
  std::map<std::uint64_t, std::uint64_t> next_slot_;
  std::size_t noted_ = 0;
  std::uint64_t applied_stamp_ms_ = 0;
};

}  // namespace kiwi::test
