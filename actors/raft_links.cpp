// To whom this node speaks: links follow the newest membership while the node runs.

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "actors/raft_actor.hpp"

namespace kiwi {

namespace {
/// A link that is not needed any more stays so long: a removed node hears of its removal by the log, and a
/// membership may be rolled back.
constexpr std::uint64_t kLingerMs = 10'000;
/// Nodes of this cluster that the membership here does not know, at a time.
constexpr std::size_t kMaxStrangers = 16;
}  // namespace

void RaftState::make_link(const Member& peer) {
  auto hello = own_hello();
  hello.invites = core->membership().contains(peer.id);
  hello.removed = gone(peer.id);
  peers.emplace(peer.id, options.make_peer(peer, hello, ReplicaActor{self}));
  links.emplace(peer.id, Link{peer.address, now_ticks, now_ticks, hello.removed});
}

void RaftState::end_link(NodeId peer) {
  if (auto link = peers.extract(peer); !link.empty())
    self->send_exit(link.mapped(), caf::exit_reason::user_shutdown);
  links.erase(peer);
  unasked.erase(peer);
  if (auto at = std::lower_bound(connected.begin(), connected.end(), peer);
      at != connected.end() && *at == peer)
    connected.erase(at);
}

bool RaftState::gone(NodeId node) const {
  return core->membership().was_removed(node) && core->change_status().committed;
}

void RaftState::follow_membership() {
  for (const auto& member : core->peers()) {
    if (auto link = links.find(member.id); link != links.end()) {
      link->second.used_tick = link->second.member_tick = now_ticks;
      if (link->second.address == member.address)
        continue;
      end_link(member.id);  // it called from an address that it does not have any more
    }
    make_link(member);
  }
  end_unused_links();
}

void RaftState::end_unused_links() {
  const bool removed = core->removed() && core->role() != raft::Role::leader;
  const auto needed = core->peers();
  for (const auto& peer : needed)
    if (auto link = links.find(peer.id); link != links.end() && !removed)
      link->second.used_tick = link->second.member_tick = now_ticks;
  if (!removed && links.size() == needed.size())
    return;  // as most of the time: each link is a member's
  if (removed && removed_since_tick == 0) {
    removed_since_tick = std::max<std::uint64_t>(now_ticks, 1);
    options.log->warn("event=removed_from_cluster node={} help=\"this node takes no part any more\"",
                      options.id.value);
  }
  const auto linger = kLingerMs / options.tick_ms;
  const bool alone = removed && removed_since_tick + linger < now_ticks;
  std::vector<NodeId> unused;
  for (const auto& [id, link] : links)
    if (alone || link.used_tick + linger < now_ticks)
      unused.push_back(id);
  for (const auto id : unused) {
    if (!alone && strangers.size() < kMaxStrangers)
      strangers.emplace(id, links.at(id).address);
    options.log->info("event=peer_link_ended node={} peer={}", options.id.value, id.value);
    end_link(id);
  }
}

std::string RaftState::meet_stranger(const Hello& hello) {
  if (core->membership().contains(hello.node))
    return {};
  if (core->removed())
    return "node " + to_string(options.id) + " was removed from the cluster itself";
  const auto not_member = "node " + to_string(hello.node) + " is not a member";
  if (hello.address.raft_port == 0)
    return not_member;
  if (auto link = links.find(hello.node); link != links.end()) {
    link->second.used_tick = now_ticks;
    if (link->second.address == hello.address)
      return {};
    end_link(hello.node);
  }
  const bool full = strangers.size() >= kMaxStrangers;
  std::erase_if(strangers, [&](const auto& known) {
    return core->membership().contains(known.first) || (full && !links.contains(known.first));
  });
  if (strangers.size() >= kMaxStrangers)
    return not_member + ", and there are too many others that are not";
  strangers[hello.node] = hello.address;
  make_link(Member{hello.node, hello.address});
  return {};
}

void RaftState::heard_from(NodeId peer) {
  if (auto link = links.find(peer); link != links.end()) {
    link->second.used_tick = now_ticks;
    // By now it would have heard of its removal by the log, or by a refusal, if this link reached it.
    const bool late = link->second.member_tick + kLingerMs / options.tick_ms < now_ticks;
    if (late && !link->second.tells_removal && gone(peer)) {
      const Member former{peer, link->second.address};
      end_link(peer);
      make_link(former);
    }
    return;
  }
  // It was silent for long, or left by a membership that is not committed, and its own link still stands: its
  // words want an answer. Who was removed and never heard of it is rung up to be told.
  if (auto known = strangers.find(peer); known != strangers.end() && !core->removed())
    make_link(Member{peer, known->second});
}

void RaftState::told_removed(NodeId by) {
  options.log->info("event=told_removed node={} by={}", options.id.value, by.value);
  core->told_removed();
  schedule_drive();
}

}  // namespace kiwi
