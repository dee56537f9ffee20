#pragma once

// The list of what must never be seen, and where the first breach goes. Numbers and names are those of
// docs/lab-invariants.md, which says of each what it proves and what it does not.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lab/run/backend.hpp"

namespace kiwi::lab::invariants {

/// As scripts name them: `always raft, storage`.
enum class Group : std::uint8_t { raft, clients, storage, resources };
const char* to_string(Group group);
std::optional<Group> parse_group(const std::string& word);

enum class Check : std::uint8_t {
  one_leader = 1,
  leader_appends = 2,
  log_matching = 3,
  leader_completeness = 4,
  same_state = 5,
  durable_majority = 6,
  committed_stays = 7,
  own_term_counts = 8,
  one_vote = 9,
  acknowledged_is_synced = 10,
  own_log_is_synced = 11,
  nothing_goes_back = 12,
  indexes_in_order = 13,
  one_change_at_a_time = 14,
  removed_never_leads = 15,
  pre_vote_changes_nothing = 17,
  read_after_commit = 18,
  reply_after_apply = 21,
  one_reply_in_order = 25,
  every_operation_ends = 26,
  legal_recovery = 27,
  failed_sync = 28,
  damage_stalls = 29,
  data_with_index = 30,
  acknowledged_is_durable = 31,
  one_owner = 32,
  old_epochs = 33,
  limits = 34,
  time_in_log = 37,
  bound_instance = 38,
  durable_claim = 39,
  match_is_durable = 40,
  term_is_campaigned = 41,
  applied_in_order = 42,
  term_is_durable = 43,
  leader_is_heard = 44,
  pre_vote_by_log = 45,
  leader_is_elected = 46,
  vote_by_log = 47,
  match_is_acknowledged = 48,
  purged_is_durable = 49,
};

struct Invariant {
  Check check;
  const char* name;
  Group group;
};
/// By number.
const std::vector<Invariant>& all_invariants();
const Invariant& invariant(Check check);

/// Keeps the first breach of a group that is asked for; of the others it knows nothing.
class Findings {
 public:
  /// Empty: all groups.
  explicit Findings(std::set<Group> groups = {});
  void add(Check check, std::string what);
  const std::optional<BrokenInvariant>& first() const { return first_; }

 private:
  std::set<Group> groups_;
  std::optional<BrokenInvariant> first_;
};

}  // namespace kiwi::lab::invariants
