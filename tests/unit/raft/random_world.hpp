#pragma once

// A cluster under a seeded storm: links that drop, delay, duplicate, reorder and go one way; disks that are
// slow; nodes that crash and lose what is not synced. One seed, one run, bit for bit.

#include <cstdint>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/raft/checker.hpp"
#include "tests/unit/raft/sim_node.hpp"

namespace kiwi::raft {

class RandomWorld {
 public:
  struct Figures {
    std::uint64_t committed = 0;
    std::uint64_t reads = 0;
    std::uint64_t failed_reads = 0;
    std::uint64_t crashes = 0;
    std::uint64_t terms = 0;
    std::uint64_t mismatches = 0;
    std::uint64_t fetches = 0;
    std::uint64_t truncations = 0;
    std::uint64_t check_quorum_failures = 0;
    std::uint64_t purges = 0;
    std::uint64_t installs = 0;
    std::uint64_t resets = 0;  // installs that found another log
    std::uint64_t lost_data = 0;
    std::uint64_t gave_way = 0;  // leaders that stood in the way (stall_watch.hpp)
    std::uint64_t changes = 0;   // of membership, begun
    std::uint64_t refused_changes = 0;
    std::uint64_t removed_nodes = 0;
    std::uint64_t grown = 0;      // voters added, all joint memberships that were left
    std::uint64_t transfers = 0;  // requested
    std::uint64_t transfers_done = 0;
    std::uint64_t transfers_aborted = 0;
    std::uint64_t settled_without_one = 0;  // runs in which a voter stayed dead at first
    std::uint64_t out_of_joint = 0;         // those of them that began joint
    std::uint64_t lease_reads = 0;          // served without a round
    std::uint64_t rolled_back = 0;          // changes whose first entry never committed
  };

  /// `spares`: nodes that belong to no cluster and may be added; with them memberships change.
  /// `leases`: reads are served by leases, and steady clocks go at different rates, within the bound.
  RandomWorld(std::uint64_t seed, std::size_t nodes, std::size_t spares = 0, bool leases = false);
  /// Time under faults, then healing. Throws BrokenInvariant; also when the healed cluster does not converge.
  void run(std::uint64_t storm_units, std::uint64_t heal_units);
  const Figures& figures() const { return figures_; }

 private:
  enum class What { deliver, tick, persist, apply, fetch, client, fault, save, build, receive, admin };
  struct Event {
    std::uint64_t at = 0;
    std::uint64_t order = 0;
    What what = What::tick;
    std::size_t node = 0;
    std::uint64_t life = 0;
    NodeId from;
    std::shared_ptr<PeerMessage> message;
    SnapshotWanted wanted;
    SnapshotMeta snapshot;
    bool operator>(const Event& o) const { return at != o.at ? at > o.at : order > o.order; }
  };

  std::uint64_t random(std::uint64_t below);
  bool chance(std::uint64_t per_mille) { return random(1000) < per_mille; }
  void schedule(std::uint64_t in, What what, std::size_t node);
  Event event(std::uint64_t in, What what, std::size_t node);
  void maybe_lose_data(std::size_t node);
  // random_membership.cpp
  void admin();
  std::optional<NodeId> spare(const SimNode& leader);
  bool is_member(const SimNode& node) const { return members().contains(node.id()); }
  Membership members() const;
  bool settled() const;
  std::string describe() const;
  static constexpr std::size_t kNobody = 1000;
  void expect_removed_know();
  std::size_t one_to_spare();
  void settle_without(std::size_t dead);
  void tally_membership();
  void handle(const Event& event);
  void after_input(std::size_t node);
  void send(std::size_t from, Outgoing out);
  void client(std::size_t node);
  void clients();
  std::uint64_t steady_us(std::size_t node) const;
  void read_clocks(std::size_t node);
  void check_leases() const;
  void tally(const Counters& counters);
  void fault();
  void lose_link(std::size_t i, NodeId peer);
  void hunt_leader();
  void deafen_leader();
  void until(std::uint64_t end);
  void heal(std::size_t but = kNobody);
  void start(std::size_t node);
  bool converged();
  bool level();

  Checker checker_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<std::uint64_t> lives_;
  std::vector<std::uint64_t> clock_offset_;
  std::vector<std::uint64_t> disk_delay_;
  std::vector<std::uint8_t> disk_busy_, apply_busy_, fetch_busy_, receive_busy_;
  std::set<std::pair<std::size_t, std::size_t>> cut_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t now_ = 0;
  std::uint64_t order_ = 0;
  std::uint64_t rng_;
  std::uint64_t drop_ = 20, duplicate_ = 20, slow_ = 20;  // per mille
  bool leases_ = false;
  bool storm_ = true;
  bool quiet_ = false;       // clients pause
  std::size_t initial_ = 0;  // nodes of the first cluster: the first ones
  Membership first_;
  std::vector<Index> begun_;  // first entries of changes
  std::uint64_t next_token_ = 1;
  std::uint64_t next_text_ = 1;
  Figures figures_;
};

}  // namespace kiwi::raft
