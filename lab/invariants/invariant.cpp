#include "lab/invariants/invariant.hpp"

#include <array>
#include <utility>

#include "messages/assert.hpp"

namespace kiwi::lab::invariants {

namespace {
constexpr std::array kGroupNames = {"raft", "clients", "storage", "resources"};
}  // namespace

const char* to_string(Group group) { return kGroupNames.at(static_cast<std::size_t>(group)); }

std::optional<Group> parse_group(const std::string& word) {
  for (std::size_t i = 0; i < kGroupNames.size(); ++i)
    if (word == kGroupNames[i])
      return static_cast<Group>(i);
  return std::nullopt;
}

const std::vector<Invariant>& all_invariants() {
  static const std::vector<Invariant> kAll = {
      {Check::one_leader, "one leader per term", Group::raft},
      {Check::leader_appends, "a leader only appends", Group::raft},
      {Check::log_matching, "log matching", Group::raft},
      {Check::leader_completeness, "leader completeness", Group::raft},
      {Check::same_state, "same applied index, same state", Group::raft},
      {Check::durable_majority, "committed is durable on a majority", Group::raft},
      {Check::committed_stays, "a committed entry never changes", Group::raft},
      {Check::own_term_counts, "only entries of the own term are committed by counting", Group::raft},
      {Check::one_vote, "one durable vote per term and node", Group::raft},
      {Check::acknowledged_is_synced, "an acknowledgement never exceeds the synced log", Group::raft},
      {Check::own_log_is_synced, "the own log counts only as far as it is synced", Group::raft},
      {Check::nothing_goes_back, "terms, commit and applied never go back", Group::raft},
      {Check::indexes_in_order, "purged <= applied <= committed <= last", Group::raft},
      {Check::one_change_at_a_time, "one change of membership at a time", Group::raft},
      {Check::removed_never_leads, "a removed node never wins", Group::raft},
      {Check::pre_vote_changes_nothing, "a pre-vote changes nothing", Group::raft},
      {Check::read_after_commit, "no read after a newer leader committed", Group::raft},
      {Check::reply_after_apply, "no reply before apply", Group::clients},
      {Check::one_reply_in_order, "one reply per request, in order", Group::clients},
      {Check::every_operation_ends, "every operation ends, and a refusal is true", Group::clients},
      {Check::legal_recovery, "what is recovered was written", Group::storage},
      {Check::failed_sync, "nothing is believed after a failed sync", Group::storage},
      {Check::damage_stalls, "damage of the log is not cut off", Group::storage},
      {Check::data_with_index, "data and applied index move together", Group::storage},
      {Check::acknowledged_is_durable, "an acknowledged write is durable on a majority", Group::storage},
      {Check::one_owner, "every storage request has one owner", Group::resources},
      {Check::old_epochs, "a call of another epoch changes nothing", Group::resources},
      {Check::limits, "queues and caches stay within their limits", Group::resources},
      {Check::time_in_log, "time in the log never goes back", Group::raft},
      {Check::bound_instance, "an instance is bound to its node id", Group::storage},
      {Check::durable_claim, "a candidate claims only what is synced", Group::raft},
      {Check::match_is_durable, "what a leader counts is durable there", Group::raft},
      {Check::term_is_campaigned, "a term is begun by its candidate", Group::raft},
      {Check::applied_in_order, "applied is what was committed, in order, once", Group::raft},
      {Check::term_is_durable, "a promise is made in a durable term", Group::raft},
      {Check::leader_is_heard, "a leader hears a majority", Group::raft},
      {Check::pre_vote_by_log, "a pre-vote is for a log that is as good", Group::raft},
      {Check::leader_is_elected, "a leader has the votes of a majority", Group::raft},
      {Check::vote_by_log, "a vote is for a log that is as good", Group::raft},
      {Check::match_is_acknowledged, "a leader counts what was acknowledged in its term", Group::raft},
      {Check::purged_is_durable, "what is purged is in the durable data", Group::storage},
  };
  return kAll;
}

const Invariant& invariant(Check check) {
  for (const auto& i : all_invariants())
    if (i.check == check)
      return i;
  KIWI_ASSERT(false, "an invariant is in the table");
  return all_invariants().front();
}

Findings::Findings(std::set<Group> groups) : groups_(std::move(groups)) {}

void Findings::add(Check check, std::string what) {
  if (first_)
    return;
  const auto& broken = invariant(check);
  if (groups_.empty() || groups_.contains(broken.group))
    first_ = BrokenInvariant{static_cast<int>(check), broken.name, std::move(what), Time{0}};
}

}  // namespace kiwi::lab::invariants
