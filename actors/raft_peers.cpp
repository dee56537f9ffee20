#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "actors/raft_actor.hpp"
#include "messages/cluster_id.hpp"
#include "messages/fault_points.hpp"

namespace kiwi {

void RaftState::from_peer(FromPeer& m) {
  core->set_clock(options.unix_clock_ms());
  for (auto& message : m.messages)
    if (!take_snapshot_traffic(m.from, message))
      core->step(m.from, std::move(message));
  schedule_drive();
}

void RaftState::peer_up(NodeId peer) {
  auto at = std::lower_bound(connected.begin(), connected.end(), peer);
  if (at == connected.end() || *at != peer)
    connected.insert(at, peer);
}

void RaftState::peer_down(NodeId peer) {
  auto at = std::lower_bound(connected.begin(), connected.end(), peer);
  if (at != connected.end() && *at == peer)
    connected.erase(at);
  core->unreachable(peer);
  schedule_drive();
}

Hello RaftState::own_hello() const {
  Hello hello;
  hello.protocol_version = kPeerProtocolVersion;
  hello.cluster = options.cluster;
  hello.node = options.id;
  hello.instance = options.instance;
  return hello;
}

void RaftState::connect_peers() {
  for (const auto& member : core->membership().members) {
    if (member.id == options.id || peers.contains(member.id))
      continue;
    peers.emplace(member.id, options.make_peer(member, own_hello(), ReplicaActor{self}));
  }
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
  if (!options.cluster)
    return refuse_with("this node belongs to no cluster yet");
  if (h.cluster != options.cluster)
    return refuse_with("another cluster: its members, addresses or token differ");
  if (h.target != options.id)
    return refuse_with("this is node " + to_string(options.id) + ", not node " + to_string(h.target));
  if (h.node == options.id)
    return refuse_with("node id " + to_string(h.node) + " is this node's own");
  if (!core->membership().contains(h.node))
    return refuse_with("node " + to_string(h.node) + " is not a member");
  if (!h.instance)
    return refuse_with("no instance id");
  if (auto bound = bindings.find(h.node); bound != bindings.end()) {
    if (bound->second != h.instance) {
      KIWI_MARK("peer.refused_instance");
      return refuse_with("node " + to_string(h.node) +
                         " came back with another data directory; a node id is never used twice");
    }
    return verdict;
  }
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
            settle(debt).deliver(std::move(verdict));
          },
          [this, debt](const caf::error& e) {
            settle(debt).deliver(e);
            fail(e, StorageSubject::identity, StorageVerb::write);
          });
  return promise;
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
