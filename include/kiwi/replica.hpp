#pragma once

// A replica inside the application's own actor_system.
//
//   struct Config : caf::actor_system_config {
//     Config() { kiwi::register_errors(*this); }   // more members than this one: load<caf::io::middleman>()
//     too
//   };
//   caf::actor_system system(config);
//   kiwi::EmbeddedOptions options;
//   options.dir = "data";
//   auto replica = kiwi::EmbeddedReplica::open(system, options);
//   if (!replica) ...                              // system.render(replica.error()) says why
//   replica->wait_until_ready(10s);
//   self->request(replica->actor(), caf::infinite, kiwi::Propose{*kiwi::make_command({"SET", "k", "v"})})
//       .then([](kiwi::ClientResponse& r) { ... }, [](caf::error& e) { ... });
//   ...
//   replica->stop();                               // before the actor_system goes
//
// Messages. actor() takes, among others (actors/interfaces.hpp has them all):
//
//   Propose -> ClientResponse   a write. Answered when it is durable on a majority and applied here: `reply`
//   is
//                               what the state machine said, `index` where it lies in the log. The machine's
//                               own "no" is a reply as well (Reply::is_error).
//   Query -> ClientResponse     a linearizable read; with `stale` one of what this replica has applied.
//   StatusRequest -> StatusPtr  role, term, leader, members, followers.
//
// Proposals of one sender are proposed in the order sent. A Query is not ordered behind proposals that are
// not answered yet: wait for the answer of what it must see.
//
// Errors. A refused Propose or Query is a caf::error of category "replica". answer_kind_of(error) says which
// (actors/replica_errors.hpp): not_leader (leader_of(error) is whom to ask), no_leader, no_cluster,
// overloaded, too_large, loading and stopping have surely done nothing and may be sent again.
// AnswerKind::unknown may have happened or may yet: leadership was lost, no answer in time, or (any error of
// another category, such as request_receiver_down) the replica is gone. Nothing is ever sent again behind the
// application's back. A failing disk stops the whole replica: what waits hears "unknown", and stop() gives
// the storage error.
//
// Threads. Raft and the adaptor run on the application's scheduler, log store and state machine on a thread
// of their own each, peers on CAF's IO thread. Scheduler workers that block for longer than
// election_timeout_ms cost the leadership. open(), wait_until_ready(), stop() and the destructor block: call
// them from main() or from a detached actor, not from a scheduled one. One thread at a time may use an
// EmbeddedReplica; its actor() may be copied and used anywhere. Idle workers of CAF's default scheduler poll;
// set("scheduler.policy", caf::atom("sharing")) is what kiwi-node uses, and answers sooner across threads.
//
// Limits. A payload has at most kMaxRequestBytes (messages/limits.hpp). Proposals are "overloaded" while more
// than 64 MiB are not committed yet; an actor's mailbox itself has no bound, so keep the number of unanswered
// proposals within one. The log is not yet cut, and no member can be added: snapshots come in a later
// version.

#include <caf/all.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/node_actor.hpp"
#include "actors/replica_errors.hpp"
#include "actors/replica_storage.hpp"
#include "actors/storage_errors.hpp"

namespace kiwi {

/// Lets caf::actor_system::render print the errors "replica" and "storage". Call before the system is made.
void register_errors(caf::actor_system_config& config);

struct EmbeddedOptions {
  /// Made at the first start, with everything above it. Belongs to one replica at a time.
  std::string dir;
  /// 0: the directory's own, and 1 in a new one. Never used twice in a cluster.
  NodeId id;
  /// Nothing: the directory's own. A new directory of a cluster of one needs none.
  std::optional<NodeAddress> address;
  /// All first members, the same for each of them. Empty: a new directory becomes a cluster of one. Later the
  /// directory knows its cluster, and what contradicts it is an error.
  std::vector<Member> initial_cluster;
  std::string cluster_token;
  /// Local address of the raft port, which is opened only if there are other members. Empty: the host of
  /// `address`. No Redis port is opened.
  std::string bind_address;
  /// The application's own state machine, in a folder of its own within `dir`. Empty: Kiwi's Redis machine.
  MachineFactory make_machine;

  /// A follower that hears no leader for this long, up to twice this long, stands for election. At least
  /// twice the heartbeat. The same for all members.
  std::uint32_t election_timeout_ms = 500;
  std::uint32_t heartbeat_ms = 100;
  /// A Propose that waits longer is answered with "unknown".
  std::uint32_t request_timeout_ms = 5000;
  /// Unix milliseconds. Empty: the machine's clock.
  std::function<std::uint64_t()> unix_clock_ms;
  /// Empty: nothing is logged.
  std::shared_ptr<spdlog::logger> log;
};

/// Owns a running replica: its actors and its data directory. Must end before the actor_system.
class EmbeddedReplica {
 public:
  /// Opens the data directory and starts the actors. Errors, all of them before anything can be proposed:
  /// category "storage" (kind mismatch: the options contradict the directory; corruption; io; no_space),
  /// caf::sec::cannot_open_port, caf::sec::invalid_argument (the text says what is wrong).
  static caf::expected<EmbeddedReplica> open(caf::actor_system& system, EmbeddedOptions options);

  EmbeddedReplica(EmbeddedReplica&&) noexcept;
  EmbeddedReplica& operator=(EmbeddedReplica&&) noexcept;
  /// Calls stop().
  ~EmbeddedReplica();

  /// What to send messages to. Stays valid; after the end requests are answered with request_receiver_down.
  const ReplicaActor& actor() const;
  /// The actor that owns the others. Monitor it to hear of an end that nobody asked for.
  const NodeActor& owner() const;
  /// True once this replica leads and serves, or follows a leader and has caught up. False: not within
  /// `limit`, or the replica has ended.
  bool wait_until_ready(std::chrono::milliseconds limit) const;
  bool running() const;

  /// Stops in order: first the ports, then Raft (what waits is answered), the log last. When it returns, all
  /// threads and files of the replica are closed, and the directory can be opened again. No error: it stopped
  /// because it was told to, and everything applied is flushed. Otherwise why it ended. May be called twice.
  caf::error stop();

 private:
  struct Impl;
  explicit EmbeddedReplica(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kiwi
