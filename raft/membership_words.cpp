#include "raft/membership_change.hpp"

namespace kiwi::raft {

const char* to_string(MembershipChange::Kind kind) {
  switch (kind) {
    case MembershipChange::Kind::add_learner:
      return "add_learner";
    case MembershipChange::Kind::add_voter:
      return "add_voter";
    case MembershipChange::Kind::remove:
      return "remove";
    case MembershipChange::Kind::replace:
      return "replace";
  }
  return "?";
}

const char* to_string(ChangeRefusal::Kind kind) {
  using Kind = ChangeRefusal::Kind;
  switch (kind) {
    case Kind::not_leader:
      return "not_leader";
    case Kind::not_ready:
      return "not_ready";
    case Kind::change_in_progress:
      return "change_in_progress";
    case Kind::handing_over:
      return "handing_over";
    case Kind::stale_condition:
      return "stale_condition";
    case Kind::unknown_node:
      return "unknown_node";
    case Kind::already_member:
      return "already_member";
    case Kind::id_was_used:
      return "id_was_used";
    case Kind::last_voter:
      return "last_voter";
    case Kind::not_enough_voters:
      return "not_enough_voters";
    case Kind::not_known_to_all:
      return "not_known_to_all";
    case Kind::too_many:
      return "too_many";
    case Kind::no_change:
      return "no_change";
    case Kind::cannot_cancel:
      return "cannot_cancel";
    case Kind::no_target:
      return "no_target";
    case Kind::invalid:
      return "invalid";
  }
  return "?";
}

const char* to_string(ChangeStatus::Phase phase) {
  using Phase = ChangeStatus::Phase;
  switch (phase) {
    case Phase::none:
      return "none";
    case Phase::waiting_for_commit:
      return "waiting_for_commit";
    case Phase::catching_up:
      return "catching_up";
    case Phase::waiting_for_joint:
      return "waiting_for_joint";
    case Phase::waiting_for_final:
      return "waiting_for_final";
    case Phase::leaving:
      return "leaving";
  }
  return "?";
}

const char* to_string(TransferEnd::Outcome outcome) {
  switch (outcome) {
    case TransferEnd::Outcome::done:
      return "done";
    case TransferEnd::Outcome::other:
      return "other";
    case TransferEnd::Outcome::aborted:
      return "aborted";
    case TransferEnd::Outcome::unknown:
      return "unknown";
  }
  return "?";
}

}  // namespace kiwi::raft
