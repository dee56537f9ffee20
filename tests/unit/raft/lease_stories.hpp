#pragma once

// What must never happen with leases, one short story each; true: it happened. lease_test.cpp wants none of
// them, mutants_test.cpp puts the bug of each back and wants it.

#include <string>

#include "tests/unit/raft/lone.hpp"

namespace kiwi::raft::lease {

constexpr std::uint64_t kTickMs = 50;
constexpr std::uint64_t kPromiseMs = 10 * kTickMs;      // of a voter
constexpr std::uint64_t kLeaseMs = kPromiseMs * 7 / 8;  // of a leader, rounded down
constexpr std::uint64_t kEpochMs = 1'700'000'000'000;

inline Options leased(std::uint64_t id) {
  Options o = Lone::options(id);
  o.lease = true;
  o.tick_us = kTickMs * 1000;
  return o;
}

/// A core with two clocks that go alike until one of them is bent.
struct Timed : Lone {
  Timed(Options o, Restored r) : Lone(o, std::move(r)) { pass(0); }
  Timed(std::uint64_t id, std::size_t cluster, const std::vector<std::uint64_t>& terms, std::uint64_t term)
      : Timed(leased(id), restored(terms, {Term(term), NodeId(0)}, voters(cluster))) {}

  /// Time passes and nothing happens: the process sleeps.
  void pass(std::uint64_t ms) {
    steady_ms += ms;
    wall_ms += ms;
    core.set_clock(wall_ms, steady_ms * 1000);
  }
  /// Time passes with its ticks.
  void live(std::uint64_t ticks) {
    for (; ticks > 0; --ticks) {
      pass(kTickMs);
      tick();
    }
  }
  /// A read that comes now; true: served without asking anybody.
  bool serves_at_once() {
    const std::size_t before = reads.size();
    const bool taken = core.read(++token, Index(0)).has_value();
    take();
    return taken && reads.size() > before;
  }
  /// The newest round that was sent to `to`.
  std::uint64_t round(std::uint64_t to = 2) const { return got<HeartbeatRequest>(to).back().round; }
  void stand() {
    while (core.role() != Role::pre_candidate) live(1);
  }

  std::uint64_t steady_ms = 1000;
  std::uint64_t wall_ms = kEpochMs;
  std::uint64_t token = 0;
};

/// Node 1 leads three in term 1; its no-op is committed and applied; a round is answered by node 2, so that
/// it has a lease that began just now.
inline Timed leader(std::size_t nodes = 3) {
  Timed n(1, nodes, {}, 0);
  n.stand();
  for (const bool pre_vote : {true, false}) {
    for (std::uint64_t id = 2; id <= nodes / 2 + 1; ++id)
      n.step(id, vote_response(n.core.term().value + (pre_vote ? 1 : 0), true, pre_vote));
    n.sync();
  }
  for (std::uint64_t id = 2; id <= nodes; ++id) n.ack(id, 1);
  n.core.applied(Index(1));
  n.live(2);
  for (std::uint64_t id = 2; id <= nodes; ++id) n.beat(id, n.round());
  return n;
}

/// Node 2 heard node 1, the leader of term 1, just now.
inline Timed follower() {
  Timed n(2, 3, {1}, 1);
  n.live(30);  // longer than what it may have promised before it started
  n.sync();
  HeartbeatRequest beat;
  beat.term = n.core.term() + 1;
  n.step(1, beat);
  n.sync();
  return n;
}

/// Node 3 asks for a vote of the next term; true: it gets it.
inline bool votes(Timed& n, bool pre_vote = false, bool transfer = false) {
  n.forget();
  n.step(3, vote_request(n.core.term().value + 1, at(9, 9), pre_vote, transfer));
  n.sync();
  const auto answers = n.got<VoteResponse>(3);
  return !answers.empty() && answers.back().granted;
}

// --- The stories

/// The target of a transfer was asked to stand; the leader serves a read on its own.
inline bool read_after_the_target_was_asked() {
  Timed n = leader();
  (void)n.core.transfer_leadership(NodeId(2));
  n.take();
  return !n.got<TimeoutNowRequest>(2).empty() && n.serves_at_once();
}

/// The wall clock of the leader goes back while it sleeps for two seconds.
inline bool read_after_the_wall_clock_went_back() {
  Timed n = leader();
  n.wall_ms -= 3'600'000;
  n.pass(2000);
  return n.serves_at_once();
}

/// The answers to a round were on their way for most of the lease.
inline bool read_after_late_answers() {
  Timed n = leader();
  n.pass(kPromiseMs);
  n.live(2);
  const std::uint64_t round = n.round();
  n.pass(kLeaseMs - 20);
  n.beat(2, round);
  n.pass(40);
  return n.serves_at_once();
}

/// A voter's clock that is a tenth faster has the promise end already.
inline bool read_when_a_faster_clock_is_past_the_promise() {
  Timed n = leader();
  n.pass(kPromiseMs * 10 / 11 + 1);
  return n.serves_at_once();
}

/// A voter dies and is back within what it promised.
inline bool vote_right_after_a_restart() {
  Timed n(2, 3, {1, 1}, 1);
  n.pass(100);
  return votes(n);
}

struct Story {
  const char* mutant;  // makes it happen
  bool (*happens)();
};
constexpr Story kStories[] = {
    {"lease_kept_in_transfer", read_after_the_target_was_asked},
    {"lease_by_wall_clock", read_after_the_wall_clock_went_back},
    {"lease_from_receipt", read_after_late_answers},
    {"lease_without_margin", read_when_a_faster_clock_is_past_the_promise},
    {"promise_ends_with_process", vote_right_after_a_restart},
};

}  // namespace kiwi::raft::lease
