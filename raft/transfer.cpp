// Transfers of leadership (thesis 3.10). Proposals are refused from the beginning: a target that must catch
// up with a running stream may never be level, and a refusal is surely not done, so that the client may ask
// the next leader. Once the target is level it is asked to stand, and nothing more is appended: voters that
// had more than the target would not vote for it. Without leases reads need no special care: every read is
// confirmed by a majority that still was in this term after it came (read_queue.hpp). A lease is given up
// before the target is asked to stand, and for the rest of the term: see advance_transfer().

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "raft/core.hpp"

namespace kiwi::raft {

/// Could this voter win an election and serve?
bool Core::may_lead(const Progress& p) const {
  const auto& voters = membership().voters;  // not those that are about to leave
  return std::binary_search(voters.begin(), voters.end(), p.node()) && p.answered() &&
         p.active(now_ticks_, options_.election_ticks_max) && !p.takes_snapshot() && p.has_state() &&
         p.room() == DiskRoom::enough;
}

/// The one with the longest log. 0: nobody.
NodeId Core::best_successor() const {
  const Progress* best = nullptr;
  for (const Progress& p : progress_)
    if (may_lead(p) && (best == nullptr || p.match() > best->match()))
      best = &p;
  return best == nullptr ? NodeId(0) : best->node();
}

tl::expected<void, ChangeRefusal> Core::transfer_leadership(NodeId target) {
  using Kind = ChangeRefusal::Kind;
  const auto refuse = [](Kind kind, std::string text) {
    return tl::make_unexpected(ChangeRefusal{kind, std::move(text)});
  };
  if (role_ != Role::leader)
    return refuse(Kind::not_leader, "this node does not lead");
  if (transfer_)
    return refuse(Kind::handing_over,
                  "leadership is being handed over to node " + to_string(transfer_->target));
  if (commit_ < noop_)
    return refuse(Kind::not_ready, "this leader has not committed anything in its term yet");
  if (target == options_.id)
    return refuse(Kind::no_change, "this node leads already");
  if (!target) {
    target = best_successor();
    if (!target)
      return refuse(Kind::no_target, "no other voter answers and has the log");
  } else if (!std::binary_search(membership().voters.begin(), membership().voters.end(), target)) {
    return refuse(Kind::unknown_node, "node " + to_string(target) + " is not a voter");
  } else if (const Progress* p = progress_of(target); p == nullptr || !may_lead(*p)) {
    return refuse(Kind::no_target, "node " + to_string(target) + " does not answer, or lacks the log");
  }
  hand_over(target, true);
  return {};
}

void Core::hand_over(NodeId target, bool requested) {
  KIWI_ASSERT(role_ == Role::leader && !transfer_, "one transfer at a time");
  KIWI_MARK("transfer.begun");
  ++counters_.transfers;
  transfer_ = Transfer{target, vote_.term, now_ticks_, 0, requested};
  out_.state_changed = true;
}

/// Leader, before anything leaves: is the target level?
void Core::advance_transfer() {
  if (!transfer_ || transfer_->asked_ticks != 0)
    return;
  const Progress* p = progress_of(transfer_->target);
  if (p == nullptr || p->match() < log_.last().index)
    return;
  KIWI_MARK("transfer.asked");
  // Voters do not keep their promise for the target. This message may arrive late, also after the transfer
  // was given up, so there is no moment in this term at which a lease would be safe again (R03).
  if (!KIWI_MUTANT(lease_kept_in_transfer))
    lease_.give_up();
  transfer_->asked_ticks = now_ticks_;
  TimeoutNowRequest m;
  m.term = vote_.term;
  send(transfer_->target, m);
}

void Core::tick_transfer() {
  if (!transfer_)
    return;
  const std::uint64_t age = now_ticks_ - transfer_->since_ticks;
  if (role_ != Role::leader) {
    if (age >= 2 * std::uint64_t{options_.election_ticks_max})
      end_transfer(TransferEnd::Outcome::unknown);
    return;
  }
  if (age >= options_.election_ticks_max) {
    KIWI_MARK("transfer.aborted");
    ++counters_.transfers_aborted;
    end_transfer(TransferEnd::Outcome::aborted);
    // It leads on, unless it only waited for a successor.
    if (!membership().is_voter(options_.id) && memberships_.current_id().index <= commit_ && best_successor())
      step_down(StepDown::no_voter);
    return;
  }
  if (transfer_->asked_ticks != 0 && now_ticks_ - transfer_->asked_ticks >= options_.heartbeat_ticks)
    transfer_->asked_ticks = 0;  // the question may be lost
}

void Core::end_transfer(TransferEnd::Outcome outcome) {
  if (!transfer_)
    return;
  if (transfer_->requested)
    out_.transfer_ended = TransferEnd{transfer_->target, outcome};
  transfer_.reset();
  out_.state_changed = true;
}

}  // namespace kiwi::raft
