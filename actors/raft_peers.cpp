#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "actors/raft_actor.hpp"
#include "messages/cluster_id.hpp"
#include "messages/fault_points.hpp"

namespace kiwi {

namespace {
std::string hex16(std::uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}
}  // namespace

void RaftState::from_peer(FromPeer& m) {
  read_clocks();
  heard_from(m.from);
  for (auto& message : m.messages)
    if (!take_snapshot_traffic(m.from, message))
      core->step(m.from, std::move(message));
  schedule_drive();
}

void RaftState::peer_up(NodeId peer) {
  auto at = std::lower_bound(connected.begin(), connected.end(), peer);
  if (at == connected.end() || *at != peer)
    connected.insert(at, peer);
  core->reachable(peer, unasked.erase(peer) > 0);
  schedule_drive();
}

void RaftState::peer_down(NodeId peer) {
  auto at = std::lower_bound(connected.begin(), connected.end(), peer);
  if (at != connected.end() && *at == peer)
    connected.erase(at);
  core->unreachable(peer);
  if (KIWI_MUTANT(lost_link_deposes))
    core->gone(peer);
  schedule_drive();
}

void RaftState::peer_gone(NodeId peer) {
  if (core->gone(peer))
    options.log->info(
        "event=leader_gone node={} leader={} help=\"its connection closed, and nobody listens there\"",
        options.id.value, peer.value);
}

void RaftState::called_by(NodeId peer) {
  if (auto link = peers.find(peer); link != peers.end())
    self->send(link->second, PeerCalled{});
}

Hello RaftState::own_hello() const {
  Hello hello;
  hello.protocol_version = kPeerProtocolVersion;
  hello.cluster = options.cluster;
  hello.node = options.id;
  hello.instance = options.instance;
  hello.address = options.address;
  return hello;
}

caf::result<HelloVerdict> RaftState::hello(const HelloQuestion& m) {
  const auto& h = m.hello;
  HelloVerdict verdict;
  verdict.own = own_hello();
  verdict.own.target = h.node;
  verdict.own.lane = h.lane;
  auto refuse_with = [&](std::string reason) {
    verdict.refusal = reason;
    verdict.own.reason = std::move(reason);
    return verdict;
  };
  if (h.protocol_version != kPeerProtocolVersion)
    return refuse_with("protocol version " + std::to_string(h.protocol_version) +
                       " is not spoken here, only " + std::to_string(kPeerProtocolVersion));
  if (!options.cluster) {
    const bool invited = h.invites && h.cluster && h.target == options.id && h.node != options.id;
    if (!invited)
      return refuse_with("this node belongs to no cluster yet");
    accept_invitation(h);
    return refuse_with("this node joins the cluster just now; call again");
  }
  if (h.cluster != options.cluster)
    return refuse_with("another cluster: node " + to_string(options.id) + " belongs to " +
                       hex16(options.cluster.value) + ", node " + to_string(h.node) + " to " +
                       hex16(h.cluster.value) + "; their members, addresses or token differ");
  if (h.target != options.id)
    return refuse_with("this is node " + to_string(options.id) + ", not node " + to_string(h.target));
  if (h.node == options.id)
    return refuse_with("node id " + to_string(h.node) + " is this node's own");
  if (h.removed) {
    told_removed(h.node);
    return refuse_with("node " + to_string(options.id) + " has heard that it was removed");
  }
  // A removal that is not committed could be rolled back, and until then the node may be needed: it may even
  // lead those who do not have that entry.
  if (gone(h.node)) {
    verdict.own.removed = true;
    return refuse_with("node " + to_string(h.node) + " was removed from the cluster");
  }
  if (!h.instance)
    return refuse_with("no instance id");
  if (auto bound = bindings.find(h.node); bound != bindings.end()) {
    if (bound->second != h.instance) {
      KIWI_MARK("peer.refused_instance");
      return refuse_with("node " + to_string(h.node) +
                         " came back with another data directory; a node id is never used twice");
    }
    if (auto problem = meet_stranger(h); !problem.empty())
      return refuse_with(problem);
    called_by(h.node);
    return verdict;
  }
  if (auto problem = meet_stranger(h); !problem.empty())
    return refuse_with(problem);
  // First contact: remember this life of the node durably before a vote of it counts (rule 11).
  auto [pending, is_new] = pending_bindings.try_emplace(h.node, h.instance);
  if (!is_new && pending->second != h.instance)
    return refuse_with("node " + to_string(h.node) + " is being bound to another data directory right now");
  LogWrite call;
  call.has_binding = true;
  call.binding = PeerBinding{h.node, h.instance};
  auto promise = self->make_response_promise<HelloVerdict>();
  auto debt = owe(promise, AnswerKind::stopping);
  self->request(storage, caf::infinite, std::move(call))
      .then(
          [this, debt, verdict, binding = PeerBinding{h.node, h.instance}](const LogWritten&) mutable {
            bindings[binding.node] = binding.instance;
            pending_bindings.erase(binding.node);
            KIWI_MARK("peer.bound");
            called_by(binding.node);
            settle(debt).deliver(std::move(verdict));
          },
          [this, debt](const caf::error& e) {
            settle(debt).deliver(e);
            fail(e, StorageSubject::identity, StorageVerb::write);
          });
  return promise;
}

void RaftState::accept_invitation(const Hello& from) {
  if (std::exchange(bootstrapping, true))
    return;
  options.log->info("event=cluster_joining node={} cluster={} invited_by={}", options.id.value,
                    hex16(from.cluster.value), from.node.value);
  // Durable first: a restart must find the cluster that may count on this node's acknowledgements.
  self->request(storage, caf::infinite, AdoptCluster{from.cluster, Membership{}})
      .then(
          [this](ClusterId adopted) {
            bootstrapping = false;
            options.cluster = adopted;
          },
          [this](const caf::error& e) { fail(e, StorageSubject::identity, StorageVerb::write); });
}

caf::result<ClusterId> RaftState::bootstrap() {
  if (core->has_cluster() || options.cluster || bootstrapping)
    return caf::make_error(caf::sec::runtime_error, "this node already belongs to a cluster");
  auto membership = membership_of({Member{options.id, options.address}});
  auto cluster = cluster_id_of(membership, options.cluster_token);
  auto promise = self->make_response_promise<ClusterId>();
  auto debt = owe(promise, AnswerKind::unknown);
  bootstrapping = true;
  self->request(storage, caf::infinite, AdoptCluster{cluster, membership})
      .then(
          [this, debt, membership](ClusterId adopted) {
            if (!core->has_cluster()) {
              options.cluster = adopted;
              core->bootstrap(membership);
              options.log->info("event=cluster_init node={} cluster={:016x}", options.id.value,
                                adopted.value);
              schedule_drive();
            }
            settle(debt).deliver(adopted);
          },
          [this, debt](const caf::error& e) {
            settle(debt).deliver(e);
            fail(e, StorageSubject::identity, StorageVerb::write);
          });
  return promise;
}

}  // namespace kiwi
