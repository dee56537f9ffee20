// Random storms with every invariant checked at every step. A failure prints the seed:
//   KIWI_SEED=17 KIWI_NODES=3 raft_random_test      repeats one run
//   KIWI_SEEDS=100000 raft_random_test              runs longer

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/unit/raft/broken_invariant.hpp"
#include "tests/unit/raft/random_world.hpp"

namespace kiwi::raft {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

RandomWorld::Figures storm(std::uint64_t seed, std::size_t nodes, std::size_t spares = 0,
                           bool leases = false) {
  try {
    RandomWorld world(seed, nodes, spares, leases);
    world.run(6000, 10'000);
    return world.figures();
  } catch (const BrokenInvariant& e) {
    ADD_FAILURE() << "KIWI_SEED=" << seed << " KIWI_NODES=" << nodes << ", " << spares
                  << " spares: " << e.what();
    return {};
  }
}

void storms(std::size_t nodes, std::uint64_t seeds) {
  if (setting("KIWI_SEED", 0) != 0) {
    if (setting("KIWI_NODES", 3) == nodes)
      storm(setting("KIWI_SEED", 0), nodes);
    return;
  }
  RandomWorld::Figures sum;
  seeds = setting("KIWI_SEEDS", seeds);
  for (std::uint64_t seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    const RandomWorld::Figures f = storm(seed, nodes);
    sum.committed += f.committed;
    sum.reads += f.reads;
    sum.failed_reads += f.failed_reads;
    sum.crashes += f.crashes;
    sum.terms += f.terms;
    sum.mismatches += f.mismatches;
    sum.fetches += f.fetches;
    sum.check_quorum_failures += f.check_quorum_failures;
    sum.gave_way += f.gave_way;
    sum.purges += f.purges;
    sum.installs += f.installs;
    sum.resets += f.resets;
    sum.lost_data += f.lost_data;
  }
  std::printf(
      "%zu nodes, %llu seeds: committed %llu, reads %llu (%llu failed), crashes %llu, terms %llu, "
      "mismatches %llu, fetches %llu, check-quorum %llu, gave way %llu, purges %llu, installs %llu (%llu "
      "resets), lost data %llu\n",
      nodes, (unsigned long long)seeds, (unsigned long long)sum.committed, (unsigned long long)sum.reads,
      (unsigned long long)sum.failed_reads, (unsigned long long)sum.crashes, (unsigned long long)sum.terms,
      (unsigned long long)sum.mismatches, (unsigned long long)sum.fetches,
      (unsigned long long)sum.check_quorum_failures, (unsigned long long)sum.gave_way,
      (unsigned long long)sum.purges, (unsigned long long)sum.installs, (unsigned long long)sum.resets,
      (unsigned long long)sum.lost_data);
  if (testing::Test::HasFailure())
    return;
  // Not vacuous: the faults fired, and work went on beside them.
  EXPECT_GT(sum.committed, seeds * 50);
  EXPECT_GT(sum.reads, seeds * 50);
  EXPECT_GT(sum.failed_reads, 0u);
  EXPECT_GT(sum.crashes, seeds);
  EXPECT_GT(sum.terms, seeds * 2);
  EXPECT_GT(sum.mismatches, seeds);
  EXPECT_GT(sum.fetches, seeds);
  EXPECT_GT(sum.gave_way, 0u);
  EXPECT_GT(sum.purges, seeds);
  EXPECT_GT(sum.installs, seeds / 10);
  EXPECT_GT(sum.resets, 0u);
  EXPECT_GT(sum.lost_data, 0u);
}

TEST(RandomStorms, ThreeNodes) { storms(3, 150); }
TEST(RandomStorms, FiveNodes) { storms(5, 80); }
/// The same storms, while nodes come and go and leadership is handed around.
void changing_storms(std::size_t nodes, std::uint64_t seeds) {
  constexpr std::size_t kSpares = 6;
  if (setting("KIWI_SEED", 0) != 0) {
    if (setting("KIWI_NODES", 3) == nodes)
      storm(setting("KIWI_SEED", 0), nodes, kSpares);
    return;
  }
  RandomWorld::Figures sum;
  seeds = setting("KIWI_SEEDS", seeds);
  for (std::uint64_t seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    const RandomWorld::Figures f = storm(seed, nodes, kSpares);
    sum.committed += f.committed;
    sum.changes += f.changes;
    sum.refused_changes += f.refused_changes;
    sum.removed_nodes += f.removed_nodes;
    sum.grown += f.grown;
    sum.transfers += f.transfers;
    sum.transfers_done += f.transfers_done;
    sum.transfers_aborted += f.transfers_aborted;
    sum.rolled_back += f.rolled_back;
    sum.settled_without_one += f.settled_without_one;
    sum.out_of_joint += f.out_of_joint;
    sum.installs += f.installs;
    sum.lost_data += f.lost_data;
  }
  std::printf(
      "%zu nodes, %llu seeds: committed %llu, changes %llu (%llu refused, %llu rolled back), joint ones left "
      "%llu, settled without a voter %llu (%llu began joint), removed %llu, transfers %llu (%llu done, %llu "
      "aborted), installs %llu, lost data %llu\n",
      nodes, (unsigned long long)seeds, (unsigned long long)sum.committed, (unsigned long long)sum.changes,
      (unsigned long long)sum.refused_changes, (unsigned long long)sum.rolled_back,
      (unsigned long long)sum.grown, (unsigned long long)sum.settled_without_one,
      (unsigned long long)sum.out_of_joint, (unsigned long long)sum.removed_nodes,
      (unsigned long long)sum.transfers, (unsigned long long)sum.transfers_done,
      (unsigned long long)sum.transfers_aborted, (unsigned long long)sum.installs,
      (unsigned long long)sum.lost_data);
  if (testing::Test::HasFailure())
    return;
  EXPECT_GT(sum.committed, seeds * 50);
  EXPECT_GT(sum.changes, seeds * 2);
  EXPECT_GT(sum.refused_changes, seeds);
  EXPECT_GT(sum.grown, seeds);
  EXPECT_GT(sum.removed_nodes, seeds / 6);
  EXPECT_GT(sum.rolled_back, 0u);
  if (nodes > 1) {
    EXPECT_GT(sum.out_of_joint, 0u);
  }
  EXPECT_GT(sum.transfers_done, seeds / 10);
  EXPECT_GT(sum.transfers_aborted, 0u);
}

TEST(RandomStorms, ThreeNodesThatChange) { changing_storms(3, 100); }
TEST(RandomStorms, OneNodeThatGrows) { changing_storms(1, 120); }
TEST(RandomStorms, FiveNodesThatChange) { changing_storms(5, 40); }

/// Reads by lease, in both kinds of storms. No read is from the past, though clocks go at different rates.
void storms_with_leases(std::size_t nodes, std::size_t spares, std::uint64_t seeds) {
  RandomWorld::Figures sum;
  seeds = setting("KIWI_SEEDS", seeds);
  const std::uint64_t only = setting("KIWI_SEED", 0);
  for (std::uint64_t seed = only != 0 ? only : 1;
       seed <= (only != 0 ? only : seeds) && !testing::Test::HasFailure(); ++seed) {
    const RandomWorld::Figures f = storm(seed, nodes, spares, true);
    sum.reads += f.reads;
    sum.lease_reads += f.lease_reads;
    sum.failed_reads += f.failed_reads;
    sum.terms += f.terms;
    sum.committed += f.committed;
  }
  std::printf(
      "%zu nodes, %zu spares, %llu seeds: reads %llu, by lease %llu, failed %llu, terms %llu, committed "
      "%llu\n",
      nodes, spares, (unsigned long long)seeds, (unsigned long long)sum.reads,
      (unsigned long long)sum.lease_reads, (unsigned long long)sum.failed_reads,
      (unsigned long long)sum.terms, (unsigned long long)sum.committed);
  if (testing::Test::HasFailure() || only != 0)
    return;
  EXPECT_GT(sum.lease_reads, seeds * 20);
  EXPECT_GT(sum.reads, sum.lease_reads) << "some had to ask";
  EXPECT_GT(sum.terms, seeds * 2);
}

TEST(RandomStorms, LeasesOnThreeNodes) { storms_with_leases(3, 0, 80); }
TEST(RandomStorms, LeasesOnFiveNodes) { storms_with_leases(5, 0, 40); }
TEST(RandomStorms, LeasesWhileNodesChange) { storms_with_leases(3, 6, 60); }

TEST(RandomStorms, OneNode) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) storm(seed, 1);
}

}  // namespace
}  // namespace kiwi::raft
