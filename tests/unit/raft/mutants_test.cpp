// Are the storms that change memberships worth anything? With each of these bugs put back (the mutants of
// messages/fault_tables.hpp that are about membership) they must break an invariant within some seeds.

#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <string>

#include "messages/fault_tables.hpp"
#include "tests/unit/raft/broken_invariant.hpp"
#include "tests/unit/raft/lease_stories.hpp"
#include "tests/unit/raft/random_world.hpp"

namespace kiwi::raft {
namespace {

constexpr std::uint64_t kSeeds = 400;

std::optional<std::string> storm_breaks(std::uint64_t seed, std::size_t nodes, bool leases = false) {
  try {
    RandomWorld world(seed, nodes, 6, leases);
    world.run(6000, 10'000);
    return std::nullopt;
  } catch (const BrokenInvariant& e) {
    return e.what();
  }
}

class Mutants : public testing::TestWithParam<const char*> {};

TEST_P(Mutants, IsFound) {
  ASSERT_TRUE(fault::switch_on(GetParam()));
  std::optional<std::string> broken;
  std::uint64_t seed = 0;
  std::size_t nodes = 0;
  while (!broken && seed < kSeeds) {
    ++seed;
    for (nodes = 1; nodes <= 5 && !(broken = storm_breaks(seed, nodes)); nodes += 2) {
    }
  }
  fault::all_off();
  ASSERT_TRUE(broken) << "not within " << kSeeds << " seeds";
  std::printf("%s: seed %llu, %zu nodes: %s\n", GetParam(), (unsigned long long)seed, nodes, broken->c_str());
}

INSTANTIATE_TEST_SUITE_P(Membership, Mutants,
                         testing::Values("change_before_own_commit", "joint_left_at_once",
                                         "truncated_membership_kept", "snapshot_forgets_members",
                                         "learners_counted", "only_old_half_counted", "only_new_half_counted",
                                         "promoted_unlevel"),
                         [](const auto& row) { return std::string(row.param); });

/// Bugs of leases in storms: a leader counts on its lease when another one leads.
class LeaseStorms : public testing::TestWithParam<const char*> {};

TEST_P(LeaseStorms, FindIt) {
  ASSERT_TRUE(fault::switch_on(GetParam()));
  std::optional<std::string> broken;
  std::uint64_t seed = 0;
  while (!broken && seed < kSeeds) broken = storm_breaks(++seed, 3, true);
  fault::all_off();
  ASSERT_TRUE(broken) << "not within " << kSeeds << " seeds";
  std::printf("%s: seed %llu: %s\n", GetParam(), (unsigned long long)seed, broken->c_str());
}

INSTANTIATE_TEST_SUITE_P(Leases, LeaseStorms,
                         testing::Values("lease_kept_in_transfer", "lease_by_wall_clock"),
                         [](const auto& row) { return std::string(row.param); });

/// The bugs of leases, each by its story.
class LeaseMutants : public testing::TestWithParam<lease::Story> {};

TEST_P(LeaseMutants, MakesItsStoryHappen) {
  EXPECT_FALSE(GetParam().happens());
  ASSERT_TRUE(fault::switch_on(GetParam().mutant));
  EXPECT_TRUE(GetParam().happens());
  fault::all_off();
}

INSTANTIATE_TEST_SUITE_P(Leases, LeaseMutants, testing::ValuesIn(lease::kStories),
                         [](const auto& row) { return std::string(row.param.mutant); });

}  // namespace
}  // namespace kiwi::raft
