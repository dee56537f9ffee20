#pragma once

// The message router between the core's driver and the storage actors. It owns nothing but routes and the ids
// of outstanding requests: it stamps each request with the target's epoch and a sequence number, passes it
// on, and passes the answer back. What goes wrong below comes back as a StorageError, exactly once per
// request, also when the target dies with the request in hand (rules 3 and 12).

#include <map>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/spawn_mode.hpp"

namespace kiwi {

using AdaptorImpl = StorageActor::extend<caf::reacts_to<caf::flush_atom>>;

struct AdaptorState {
  using Self = AdaptorImpl::stateful_pointer<AdaptorState>;
  static constexpr const char* name = "adaptor";

  explicit AdaptorState(Self actor) : self(actor) {}

  /// One storage actor and what it still owes answers for.
  struct Route {
    caf::actor_addr address;
    StorageSubject subject = StorageSubject::log;
    std::uint64_t epoch = 0;
    bool down = false;
    caf::error reason;
    /// By sequence number: who waits, and for what kind of call. Invariant: each is answered once, on
    /// removal.
    struct Waiting {
      caf::response_promise promise;
      StorageVerb verb = StorageVerb::read;
    };
    std::map<std::uint64_t, Waiting> outstanding;
  };

  /// Passes `call` on and answers the current request with what comes back.
  template <class Reply, class Target, class Call>
  caf::result<Reply> route(Route& route, const Target& target, Call& call, StorageVerb verb);
  /// Writes of the log that are in the mailbox together travel together: one message each way per sync.
  caf::result<LogWritten> write(LogWrite& call);
  void flush();
  /// Takes the debt out of the route and lets `deliver` pay it. It is gone already when the target died and
  /// its answer was overtaken by the news.
  template <class Deliver>
  static void settle(Route& route, std::uint64_t number, Deliver deliver);
  void target_down(const caf::down_msg& m);
  void stop(const caf::error& reason);
  /// Answers everything that `route` owes with "unavailable, outcome unknown".
  void fail_all(Route& route, const caf::error& reason);

  Self self;
  LogStoreActor log;
  StateMachineActor machine;
  Route log_route;
  Route machine_route;
  std::uint64_t sequence = 0;
  std::vector<LogWrite> log_writes;  // stamped, not yet passed on
};

/// `epoch` is the one both storage actors were spawned with.
StorageActor spawn_adaptor(caf::actor_system& system, LogStoreActor log, StateMachineActor machine,
                           std::uint64_t epoch, CorePlace place = CorePlace::scheduler);

}  // namespace kiwi
