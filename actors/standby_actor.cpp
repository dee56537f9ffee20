#include "actors/standby_actor.hpp"

#include <utility>

#include "actors/io_thread.hpp"
#include "actors/replica_errors.hpp"

namespace kiwi {

namespace {

struct StandbyState {
  using Self = StandbyActor::stateful_pointer<StandbyState>;
  static constexpr const char* name = "standby";

  explicit StandbyState(Self actor) : self(actor) {}

  void submit(const Submit& m) {
    Answers answers;
    for (const auto& command : m.commands)
      answers.answers.push_back(Answer{command.slot, AnswerKind::out_of_service, {}, {}});
    self->send(m.port, std::move(answers));
  }

  StatusPtr status() const {
    auto s = std::make_shared<NodeStatus>();
    s->id = facts.identity.node;
    s->cluster = facts.identity.cluster;
    s->instance = facts.identity.instance;
    s->address = facts.identity.address;
    s->has_cluster = static_cast<bool>(facts.identity.cluster);
    s->membership = facts.identity.initial_membership;
    s->out_of_service = facts.reason;
    s->reopen_attempts = attempts;
    return s;
  }

  Self self;
  StandbyFacts facts;
  std::uint64_t attempts = 0;
};

caf::error closed() { return to_caf_error(AnswerKind::out_of_service, NodeAddress{}); }

StandbyActor::behavior_type standby(StandbyState::Self self, StandbyFacts facts) {
  auto* s = &self->state;
  s->facts = std::move(facts);
  return {
      // clients
      [s](const Submit& m) { s->submit(m); },
      [](const Propose&) -> caf::result<ClientResponse> { return closed(); },
      [](const Query&) -> caf::result<ClientResponse> { return closed(); },
      // network
      [](const FromPeer&) {},
      [](const PeerUnreachable&) {},
      [](const PeerGone&) {},
      [](const PeerUp&) {},
      [](const ToldRemoved&) {},
      [](const HelloQuestion&) -> caf::result<HelloVerdict> { return closed(); },
      // administration
      [s](const StatusRequest&) -> caf::result<StatusPtr> { return s->status(); },
      [](const DigestMarker&) -> caf::result<Index> { return closed(); },
      [](const DigestRequest&) -> caf::result<DigestAnswer> { return closed(); },
      [](const Bootstrap&) -> caf::result<ClusterId> { return closed(); },
      [](const AdminCall&) -> caf::result<AdminAnswer> { return closed(); },
      // the snapshot builder
      [](const SnapshotTraffic&) {},
      [](const SnapshotProgress&) {},
      [](const BuildSnapshot&) -> caf::result<SnapshotManifest> { return closed(); },
      [](const SnapshotFiguresRequest&) -> caf::result<SnapshotFigures> { return closed(); },
      // the node
      [s](StillClosed& m) {
        s->attempts = m.attempts;
        s->facts.reason = std::move(m.reason);
      },
  };
}

}  // namespace

StandbyActor spawn_standby(caf::actor_system& system, CorePlace place, StandbyFacts facts) {
  return spawn_at(system, place, standby, std::move(facts));
}

}  // namespace kiwi
