// What operators ask: changes of membership, transfers of leadership, joining a cluster, leaving before a
// stop.

#include <spdlog/spdlog.h>

#include <cstdio>
#include <utility>

#include "actors/raft_actor.hpp"

namespace kiwi {

namespace {

using raft::ChangeRefusal;

/// After leadership went so long ago clients of this node had the time to hear of it.
constexpr std::uint64_t kLedLatelyMs = 2000;

AdminAnswer refused(std::string problem, bool try_again = false) {
  AdminAnswer answer;
  answer.problem = std::move(problem);
  answer.try_again = try_again;
  return answer;
}

bool passes_soon(ChangeRefusal::Kind kind) {
  switch (kind) {
    case ChangeRefusal::Kind::not_ready:
    case ChangeRefusal::Kind::change_in_progress:
    case ChangeRefusal::Kind::handing_over:
    case ChangeRefusal::Kind::not_enough_voters:
    case ChangeRefusal::Kind::not_known_to_all:
    case ChangeRefusal::Kind::no_target:
      return true;
    case ChangeRefusal::Kind::not_leader:
    case ChangeRefusal::Kind::stale_condition:
    case ChangeRefusal::Kind::unknown_node:
    case ChangeRefusal::Kind::already_member:
    case ChangeRefusal::Kind::id_was_used:
    case ChangeRefusal::Kind::last_voter:
    case ChangeRefusal::Kind::too_many:
    case ChangeRefusal::Kind::no_change:
    case ChangeRefusal::Kind::cannot_cancel:
    case ChangeRefusal::Kind::invalid:
      break;
  }
  return false;
}

std::string hex(std::uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

}  // namespace

caf::result<AdminAnswer> RaftState::admin(AdminCall& m) {
  read_clocks();
  switch (m.what) {
    case AdminCall::What::change:
      return change_members(m);
    case AdminCall::What::cancel:
      return change_begun(core->cancel_change(), "cancel");
    case AdminCall::What::transfer:
    case AdminCall::What::leave:
      return hand_over(m);
    case AdminCall::What::join:
      return join(m);
  }
  return refused("unknown call");
}

AdminAnswer RaftState::not_for_this_node() const {
  AdminAnswer answer;
  answer.kind = not_serving();
  answer.leader = leader_address();
  return answer;
}

/// A node that asks for itself. Nothing: it may be added as any other.
std::optional<AdminAnswer> RaftState::judge_applicant(const AdminCall& m) const {
  const auto id = m.change.node;
  if (m.cluster && m.cluster != options.cluster)
    return refused("another cluster: node " + to_string(id) + " belongs to " + hex(m.cluster.value) +
                   ", this is " + hex(options.cluster.value));
  auto bound = bindings.find(id);
  if (bound != bindings.end() && bound->second != m.instance)
    return refused("node id " + to_string(id) +
                   " was used with another data directory; a node id is never used twice, take a new one");
  const auto* member = core->membership().find(id);
  if (member == nullptr || member->address != m.change.address)
    return std::nullopt;
  // It asked before, and did not hear the answer.
  if (core->membership().is_voter(id) || core->membership().joining == id) {
    AdminAnswer answer;
    answer.index = core->change_status().configuration;
    return answer;
  }
  return std::nullopt;
}

caf::result<AdminAnswer> RaftState::change_members(const AdminCall& m) {
  if (core->role() != raft::Role::leader)
    return not_for_this_node();
  if (!options.make_peer)
    return refused("this replica has no network to reach other nodes by");
  if (m.instance)
    if (auto known = judge_applicant(m))
      return std::move(*known);
  return change_begun(core->change_membership(m.change), raft::to_string(m.change.kind));
}

/// Answers when the first entry of the change is applied here, so committed.
caf::result<AdminAnswer> RaftState::change_begun(const tl::expected<Index, ChangeRefusal>& begun,
                                                 const char* what) {
  if (!begun && begun.error().kind == ChangeRefusal::Kind::not_leader)
    return not_for_this_node();
  if (!begun)
    return refused(begun.error().text, passes_soon(begun.error().kind));
  options.log->info("event=membership_change node={} change={} index={}", options.id.value, what,
                    begun->value);
  auto promise = self->make_response_promise<AdminAnswer>();
  wait_for(*begun, promise);
  schedule_drive();
  return promise;
}

caf::result<AdminAnswer> RaftState::hand_over(const AdminCall& m) {
  const bool leaving = m.what == AdminCall::What::leave;
  if (core->role() != raft::Role::leader) {
    if (!leaving)
      return not_for_this_node();
    AdminAnswer answer;
    if (led_until_tick != 0 && now_ticks - led_until_tick <= kLedLatelyMs / options.tick_ms)
      answer.leader = leader_address();  // its clients may not know yet
    return answer;
  }
  auto begun = core->transfer_leadership(m.target);
  if (!begun) {
    const auto& why = begun.error();
    if (!leaving)
      return refused(why.text, passes_soon(why.kind));
    options.log->warn("event=leadership_not_handed_over node={} reason=\"{}\"", options.id.value, why.text);
    // A leader of a moment ago, or one that is handing over already; not one that nobody can follow.
    return refused(why.text, why.kind == ChangeRefusal::Kind::not_ready ||
                                 why.kind == ChangeRefusal::Kind::handing_over);
  }
  auto promise = self->make_response_promise<AdminAnswer>();
  transfers.push_back(owe(promise, leaving ? AnswerKind::stopping : AnswerKind::unknown));
  schedule_drive();
  return promise;
}

void RaftState::transfer_ended(const raft::TransferEnd& end) {
  options.log->info("event=transfer_ended node={} target={} outcome={} leader={}", options.id.value,
                    end.target.value, raft::to_string(end.outcome), core->leader().value);
  AdminAnswer answer;
  switch (end.outcome) {
    case raft::TransferEnd::Outcome::done:
      answer.leader = leader_address();
      break;
    case raft::TransferEnd::Outcome::other:
      answer = refused("not node " + to_string(end.target) + " but node " + to_string(core->leader()) +
                       " leads now");
      break;
    case raft::TransferEnd::Outcome::aborted:
      answer =
          refused("node " + to_string(end.target) + " did not take over within an election time-out; node " +
                      to_string(options.id) + " goes on leading",
                  true);
      break;
    case raft::TransferEnd::Outcome::unknown:
      answer.kind = AnswerKind::unknown;
      break;
  }
  for (auto debt : std::exchange(transfers, {})) settle(debt).deliver(answer);
}

caf::result<AdminAnswer> RaftState::join(AdminCall& m) {
  if (core->membership().contains(options.id))
    return refused("this node belongs to a cluster already");
  if (joining)
    return refused("this node is joining a cluster already", true);
  if (!options.make_joiner)
    return refused("this node has no network to join a cluster by");
  JoinRequest request;
  request.targets = std::move(m.targets);
  request.self = {options.id, options.address};
  request.instance = options.instance;
  request.cluster = options.cluster;
  joining = options.make_joiner();
  auto promise = self->make_response_promise<AdminAnswer>();
  auto debt = owe(promise, AnswerKind::unknown);
  self->request(joining, caf::infinite, std::move(request))
      .then(
          [this, debt](AdminAnswer& answer) {
            joining = nullptr;
            settle(debt).deliver(std::move(answer));
          },
          [this, debt](const caf::error&) {
            joining = nullptr;
            settle(debt).deliver(refused("this node stops asking"));
          });
  return promise;
}

}  // namespace kiwi
