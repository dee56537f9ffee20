#include "actors/node_actor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "actors/peer_server.hpp"
#include "actors/redis_server.hpp"
#include "actors/replica_network.hpp"
#include "actors/standby_actor.hpp"
#include "actors/storage_errors.hpp"
#include "messages/fault_points.hpp"

namespace kiwi {
namespace {

/// Between two attempts to open the data again.
constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kLongestPause{15'000};
/// A node that served for so long did come back: the next pauses are short again.
constexpr std::chrono::seconds kCalm{60};
/// A port that was closed a moment ago may still be taken.
constexpr std::chrono::milliseconds kListenPause{100};
constexpr int kListenAttempts = 50;

using OpenedPtr = std::shared_ptr<Result<OpenedReplica>>;

/// What the node says to itself.
struct OpenAgain {
  std::uint64_t life = 0;
};
struct TriedToOpen {
  OpenedPtr result;
};
struct Calm {
  std::uint64_t life = 0;
};
struct ListenAgain {
  std::uint64_t life = 0;
  int attempt = 0;
};
/// 0: stop now.
struct LeaveAgain {
  int attempts = 0;
};

}  // namespace
}  // namespace kiwi

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::OpenAgain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::TriedToOpen)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::Calm)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::ListenAgain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::LeaveAgain)

namespace kiwi {

namespace {

/// Above what a transfer may take, with the default time-outs.
constexpr std::chrono::seconds kLeaveLimit{5};
constexpr std::chrono::milliseconds kFarewell{300};
constexpr std::chrono::milliseconds kLeavePause{100};
constexpr int kLeaveAttempts = 10;
constexpr std::chrono::seconds kLongestLeave{2};

using NodeImpl =
    NodeActor::extend<caf::reacts_to<OpenAgain>, caf::reacts_to<TriedToOpen>, caf::reacts_to<Calm>,
                      caf::reacts_to<ListenAgain>, caf::reacts_to<LeaveAgain>>;

struct NodeState {
  using Self = NodeImpl::stateful_pointer<NodeState>;
  static constexpr const char* name = "node";

  explicit NodeState(Self actor) : self(actor) {}

  /// The data is open: everything starts around it.
  void serve(OpenedReplica opened);
  /// False: a port cannot be opened. Then it is tried again for a while, but not at the first start, or the
  /// node stops.
  void listen(int attempt);
  std::optional<std::string> serve_peers();
  std::optional<std::string> serve_redis();
  void adopt(const caf::actor& child, const char* what) {
    self->monitor(child);
    children.push_back({child, what});
  }
  /// Asked to stop: hands leadership over first.
  void leave(const caf::error& why);
  void ask_to_leave(int tries);
  /// Stops the children, then: ends, or goes on as `after_` says.
  void close();
  void stop(const caf::error& why);
  void close_next();
  void closed();
  void end_if_all_is_back();
  void say_end();
  void child_down(const caf::down_msg& m);
  void stand_by(const StorageError& why);
  void open_again(std::uint64_t asked_in_life);
  void tried(Result<OpenedReplica>& result);

  struct Child {
    caf::actor actor;
    const char* what;
  };

  Self self;
  NodeStart plan;  // without `opened`
  storage::Identity identity;
  std::shared_ptr<spdlog::logger> log;
  ReplicaActor replica;         // the real one, or the standby
  std::vector<Child> children;  // in order of start, stopped from the back
  bool leaving = false;         // hands leadership over before it stops
  caf::actor_clock::time_point leave_until;
  /// Counts what was started: the replica, the standby, the replica again, ...
  std::uint64_t life = 0;
  std::uint64_t services = 0;  // of those the replicas
  bool standing_by = false;
  StandbyActor standby;
  std::chrono::milliseconds pause = kFirstPause;
  std::uint64_t attempts = 0;  // of opening, since the data was closed
  bool opening = false;        // an opener is at work
  OpenedPtr opened_again;      // served once the standby is gone

  bool closing = false;  // children are being stopped
  bool ending = false;   // for good, with `reason`
  caf::error reason;
};

void NodeState::serve(OpenedReplica opened) {
  standing_by = false;
  identity = opened.identity;
  ++life;
  const auto epoch = plan.epoch + services;
  auto options = plan.replica;
  options.raft.seed += services++;
  auto parts = spawn_replica(self->system(), std::move(opened), std::move(options), plan.mode, epoch);
  replica = parts.raft;
  static constexpr const char* kNames[] = {"log store", "state machine", "snapshot builder", "adaptor",
                                           "raft"};
  const auto actors = parts.in_start_order();
  for (std::size_t i = 0; i < actors.size(); ++i) adopt(actors[i], kNames[i]);
  listen(0);
}

void NodeState::listen(int attempt) {
  auto problem = standing_by ? std::nullopt : serve_peers();
  if (!problem)
    problem = serve_redis();
  if (!problem) {
    if (standing_by)
      return;
    log->info("event=node_started node={} cluster={:016x} address={}", identity.node.value,
              identity.cluster.value, to_string(identity.address));
    self->delayed_send(self, kCalm, Calm{life});
  } else if (life > 1 && attempt < kListenAttempts) {
    self->delayed_send(self, kListenPause, ListenAgain{life, attempt + 1});
  } else {
    stop(caf::make_error(caf::sec::cannot_open_port, *problem));
  }
}

std::optional<std::string> NodeState::serve_peers() {
  const bool listens = std::any_of(children.begin(), children.end(),
                                   [](const Child& c) { return c.what == std::string_view("peer server"); });
  if (!plan.serve_peers || listens)
    return std::nullopt;
  PeerServerOptions options;
  options.bind_address = plan.bind_address;
  options.port = identity.address.raft_port;
  options.replica = replica;
  options.log = log;
  auto server = spawn_peer_server(self->system(), std::move(options));
  if (!server)
    return "raft port: " + server.error();
  adopt(server->actor, "peer server");
  return std::nullopt;
}

std::optional<std::string> NodeState::serve_redis() {
  if (!plan.serve_redis) {
    if (plan.serve_clients)
      adopt(plan.serve_clients(replica), "redis server");
    return std::nullopt;
  }
  auto options = plan.redis;
  options.bind_address = plan.bind_address;
  options.port = identity.address.redis_port;
  options.replica = replica;
  options.log = log;
  auto server = spawn_redis_server(self->system(), std::move(options));
  if (!server)
    return "redis port: " + server.error();
  adopt(server->actor, "redis server");
  return std::nullopt;
}

void NodeState::leave(const caf::error& why) {
  if (!plan.hands_over || standing_by || closing || ending || std::exchange(leaving, true))
    return stop(why);
  reason = why;
  leave_until = self->clock().now() + kLongestLeave;
  ask_to_leave(kLeaveAttempts);
}

void NodeState::ask_to_leave(int tries) {
  AdminCall call;
  call.what = AdminCall::What::leave;
  self->request(replica, kLeaveLimit, call)
      .then(
          [this, tries](const AdminAnswer& answer) {
            if (answer.try_again && tries > 1 && self->clock().now() < leave_until)
              self->delayed_send(self, kLeavePause, LeaveAgain{tries - 1});
            else if (answer.leader.redis_port != 0)
              // Each client that has more to ask hears MOVED meanwhile, so that none is cut off by surprise.
              self->delayed_send(self, kFarewell, LeaveAgain{});
            else
              stop(caf::error(reason));
          },
          [this](const caf::error&) { stop(caf::error(reason)); });
}

// --- Stopping

void NodeState::stop(const caf::error& why) {
  if (std::exchange(ending, true))
    return;
  reason = why;
  opened_again = nullptr;
  say_end();
  close();
}

void NodeState::say_end() {
  const auto error = storage_error_of(reason, StorageSubject::log, StorageVerb::read);
  if (error.kind == StorageKind::corruption && error.subject != StorageSubject::state_machine)
    log->critical("event=log_damaged node={} cause=\"{}\" help=docs/recovery.md", identity.node.value,
                  error.cause);
  log->info("event=node_stopping reason=\"{}\"", self->system().render(reason));
}

void NodeState::close() {
  if (!std::exchange(closing, true))
    close_next();
}

void NodeState::close_next() {
  if (!children.empty()) {
    self->send_exit(children.back().actor, caf::exit_reason::user_shutdown);
    return;
  }
  closing = false;
  closed();
}

/// An opener at work holds the directory's lock, and may open the databases yet: tried() closes them first.
void NodeState::end_if_all_is_back() {
  if (!opening && children.empty())
    self->quit(reason);
}

void NodeState::closed() {
  if (ending) {
    end_if_all_is_back();
  } else if (opened_again) {
    KIWI_MARK("node.in_service_again");
    ++plan.replica.reopened;
    log->warn("event=node_in_service_again node={} attempts={}", identity.node.value, attempts);
    auto opened = std::exchange(opened_again, nullptr);
    serve(std::move(**opened));
  } else if (plan.reopen && !standing_by && !leaving && comes_back(reason)) {
    stand_by(storage_error_of(reason, StorageSubject::log, StorageVerb::write));
  } else {
    ending = true;
    say_end();
    end_if_all_is_back();
  }
}

bool is_storage(const caf::error& reason) { return reason && reason.category() == caf::atom("storage"); }

/// An end that only says that somebody else is gone.
bool is_consequence(const caf::error& reason) {
  return is_storage(reason) &&
         storage_error_of(reason, StorageSubject::log, StorageVerb::write).kind == StorageKind::unavailable;
}

void NodeState::child_down(const caf::down_msg& m) {
  auto child = std::find_if(children.begin(), children.end(),
                            [&](const Child& c) { return c.actor.address() == m.source; });
  if (child == children.end())
    return;
  log->log(closing ? spdlog::level::debug : spdlog::level::err, "event=actor_down actor=\"{}\" reason=\"{}\"",
           child->what, self->system().render(m.reason));
  const bool next = closing && &*child == &children.back();
  children.erase(child);
  if (closing && !ending && is_consequence(reason) && is_storage(m.reason))
    reason = m.reason;
  if (next) {
    close_next();
  } else if (!closing) {
    // What comes then is decided once all are down: who lost a partner often ends before that partner is
    // heard.
    reason = m.reason;
    close();
  }
}

// --- Out of service

void NodeState::stand_by(const StorageError& why) {
  KIWI_MARK("node.out_of_service");
  log->error("event=node_out_of_service node={} cause=\"{}\" next_attempt_ms={}", identity.node.value,
             to_string(why), pause.count());
  standing_by = true;
  if (why.kind == StorageKind::corruption)
    ++plan.replica.data_damaged;
  ++life;
  attempts = 0;
  standby = spawn_standby(self->system(), plan.replica.place, {identity, to_string(why)});
  replica = caf::actor_cast<ReplicaActor>(standby);
  adopt(caf::actor_cast<caf::actor>(standby), "standby");
  listen(0);
  self->delayed_send(self, pause, OpenAgain{life});
}

void NodeState::open_again(std::uint64_t asked_in_life) {
  if (ending || asked_in_life != life || std::exchange(opening, true))
    return;
  ++attempts;
  auto opener = [](caf::event_based_actor* actor, const NodeImpl& node,
                   const std::function<Result<OpenedReplica>()>& open) {
    auto tried = std::make_shared<Result<OpenedReplica>>(tl::unexpected(StorageError{}));
    try {
      *tried = open();
    } catch (const std::exception& e) {
      // A bug: the node ends, and says it.
      *tried = tl::unexpected(StorageError{StorageSubject::state_machine, StorageVerb::open, StorageKind::io,
                                           e.what(), StorageOutcome::not_written});
    }
    actor->send(node, TriedToOpen{std::move(tried)});
  };
  if (plan.mode == SpawnMode::own_thread)
    self->system().spawn<caf::detached>(opener, NodeImpl{self}, plan.reopen);
  else
    self->system().spawn(opener, NodeImpl{self}, plan.reopen);
}

void NodeState::tried(Result<OpenedReplica>& result) {
  opening = false;
  if (ending) {
    result = tl::unexpected(StorageError{});  // closes it
    end_if_all_is_back();
    return;
  }
  pause = std::min(2 * pause, kLongestPause);
  if (result) {
    opened_again = std::make_shared<Result<OpenedReplica>>(std::move(result));
    close();
    return;
  }
  const auto& error = result.error();
  if (!comes_back(to_caf_error(error))) {
    log->error("event=start_failed kind={} cause=\"{}\"", to_string(error.kind), to_string(error));
    stop(to_caf_error(error));
    return;
  }
  log->warn("event=still_out_of_service node={} attempts={} cause=\"{}\" next_attempt_ms={}",
            identity.node.value, attempts, to_string(error), pause.count());
  self->send(standby, StillClosed{attempts, to_string(error)});
  self->delayed_send(self, pause, OpenAgain{life});
}

NodeImpl::behavior_type node(NodeState::Self self, std::shared_ptr<NodeStart> start) {
  auto* state = &self->state;
  self->set_down_handler([state](const caf::down_msg& m) { state->child_down(m); });
  self->set_exit_handler([state](const caf::exit_msg& m) { state->leave(m.reason); });
  auto opened = std::move(start->opened);
  state->plan = std::move(*start);
  auto& replica = state->plan.replica;
  state->log = replica.log;
  auto& system = self->system();
  if (!replica.make_peer && system.has_middleman())
    replica.make_peer = make_tcp_peers(system, replica.log, state->plan.seed);
  if (!replica.make_joiner && state->plan.serve_peers)
    replica.make_joiner = [&system, log = replica.log] { return spawn_join_client(system, log); };
  state->serve(std::move(opened));
  return {
      [state](caf::get_atom) -> caf::result<ReplicaActor> {
        if (state->closing || state->ending)
          return state->reason;
        return state->replica;
      },
      // itself
      [state](const OpenAgain& m) { state->open_again(m.life); },
      [state](TriedToOpen& m) { state->tried(*m.result); },
      [state](const Calm& m) {
        if (m.life == state->life && !state->standing_by)
          state->pause = kFirstPause;
      },
      [state](const ListenAgain& m) {
        if (m.life == state->life && !state->closing && !state->ending)
          state->listen(m.attempt);
      },
      [state](const LeaveAgain& m) {
        if (m.attempts > 0 && !state->closing && !state->ending)
          state->ask_to_leave(m.attempts);
        else
          state->stop(caf::error(state->reason));
      },
  };
}

}  // namespace

bool comes_back(const caf::error& reason) {
  if (!is_storage(reason))
    return false;
  const auto error = storage_error_of(reason, StorageSubject::log, StorageVerb::write);
  return error.kind == StorageKind::no_space ||
         (error.kind == StorageKind::corruption && error.subject == StorageSubject::state_machine);
}

NodeActor spawn_node(caf::actor_system& system, NodeStart start) {
  return system.spawn(node, std::make_shared<NodeStart>(std::move(start)));
}

}  // namespace kiwi
