// Reads by lease (Options::lease): what the leader counts on, and what voters promise. thesis 6.4.1, 4.2.3;
// docs/reads.md.

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "raft/core.hpp"

namespace kiwi::raft {

void Core::set_clock(std::uint64_t unix_ms, std::uint64_t steady_us) {
  set_clock(unix_ms);
  steady_us_ = std::max(steady_us_, steady_us);
  // What was promised before the restart is not known: as if a leader had been heard just now. In term 0
  // nobody was heard ever, for an answer leaves only once its term is durable.
  if (promise_unknown_) {
    promise_unknown_ = false;
    promise();
  }
}

std::uint64_t Core::promise_us() const { return options_.election_ticks_min * options_.tick_us; }

/// The follower's side: a leader was heard. Counted from here on, so later than the leader sent it.
void Core::promise() {
  if (options_.lease)
    promised_until_us_ = steady_us_ + promise_us();
}

/// This node votes for nobody but in a transfer, and does not stand by itself.
bool Core::promised() const {
  return options_.lease && (promise_unknown_ || steady_us_ < promised_until_us_);
}

std::uint64_t Core::lease_clock_us() const {
  return KIWI_MUTANT(lease_by_wall_clock) ? clocks_.own() * 1000 : steady_us_;
}

/// A leader that is no voter any more has none: a sole voter that is left stands without asking anybody.
bool Core::lease_holds() const {
  return options_.lease && leader_ready() && (!transfer_ || KIWI_MUTANT(lease_kept_in_transfer)) &&
         membership().is_voter(options_.id) && lease_.holds(lease_clock_us());
}

void Core::begin_round() {
  const std::uint64_t round = reads_.start_round();
  if (options_.lease)
    lease_.round_begins(round, lease_clock_us());
  broadcast_heartbeat();
  check_rounds();  // a single voter is its own quorum
}

/// A single voter is its own quorum: a round costs it nothing.
bool Core::round_waits() const {
  return serving_reads_ && role_ == Role::leader && reads_.wants_round() && !alone();
}

/// Nobody else leads now, hence nobody else did when these reads came; all of them, so that no read of a
/// connection overtakes an earlier one (rule 13).
void Core::confirm_by_lease() {
  if (!reads_.has_unconfirmed() || !lease_holds())
    return;
  KIWI_MARK("read.by_lease");
  counters_.lease_reads += reads_.confirm_all();
}

}  // namespace kiwi::raft
