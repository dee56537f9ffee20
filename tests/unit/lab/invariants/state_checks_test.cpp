#include "tests/unit/lab/invariants/scene.hpp"

namespace kiwi::lab::invariants::test {
namespace {

using testing::HasSubstr;

/// Entries 1 and 2 are committed on n1 and n2; n3 has none.
struct StateChecksTest : testing::Test {
  StateChecksTest() {
    s.elect(n1, 1, n2);
    first = s.replicate(n1, 1, {n2});
    second = s.replicate(n1, 1, {n2});
    s.commit(n1, 2);
  }
  static StateDigest digest(std::uint64_t index, std::string hex) {
    StateDigest d;
    d.index = Index(index);
    d.hex = std::move(hex);
    return d;
  }
  Scene s;
  Entry first, second;
};

// --- 42

TEST_F(StateChecksTest, committed_entries_are_applied_in_order) {
  s.states.applied(n1, {first, second});
  s.states.applied(n2, {first});
  s.states.applied(n2, {second});
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(StateChecksTest, an_entry_is_applied_twice) {
  s.states.applied(n1, {first});
  s.states.applied(n1, {first});
  EXPECT_EQ(s.broken(), 42) << s.what();
}

TEST_F(StateChecksTest, an_entry_is_left_out) {
  s.states.applied(n1, {second});
  EXPECT_EQ(s.broken(), 42) << s.what();
}

TEST_F(StateChecksTest, an_entry_is_applied_that_is_not_committed) {
  const auto third = s.replicate(n1, 1, {n2});
  s.states.applied(n1, {first, second, third});
  EXPECT_EQ(s.broken(), 42) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("applies 1/3, but only 2 entries are committed"));
}

TEST_F(StateChecksTest, another_entry_is_applied_than_was_committed) {
  s.states.applied(n1, {entry(1, 1, "forged")});
  EXPECT_EQ(s.broken(), 42) << s.what();
}

TEST_F(StateChecksTest, an_entry_is_applied_that_is_not_on_the_own_disk) {
  s.states.applied(n3, {first});
  EXPECT_EQ(s.broken(), 42) << s.what();
}

// --- 5

TEST_F(StateChecksTest, equal_states_at_an_index) {
  s.states.digest(n1, digest(2, "aa"), false);
  s.states.digest(n2, digest(2, "aa"), false);
  s.states.digest(n2, digest(1, "bb"), false);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(StateChecksTest, different_states_at_an_index) {
  s.states.digest(n1, digest(2, "aa"), false);
  s.states.digest(n2, digest(2, "bb"), false);
  EXPECT_EQ(s.broken(), 5) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("n2 at applied index 2 has the state bb, n1 had aa"));
}

TEST_F(StateChecksTest, some_states_are_looked_at) {
  int wanted = 0;
  for (std::uint64_t i = 1; i <= 6400; ++i) wanted += StateChecks::wants_digest(Index(i)) ? 1 : 0;
  EXPECT_GT(wanted, 50);
  EXPECT_LT(wanted, 200);
}

// --- 30

TEST_F(StateChecksTest, a_crash_comes_back_to_a_state_that_was_flushed) {
  s.states.applied(n1, {first});
  s.states.digest(n1, digest(1, "aa"), true);
  s.states.applied(n1, {second});
  s.states.started(n1, Index(1), "aa");
  s.states.applied(n1, {second});
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(StateChecksTest, a_crash_comes_back_to_nothing) {
  s.states.applied(n1, {first, second});
  s.states.started(n1, Index(0), "");
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(StateChecksTest, the_applied_index_is_ahead_of_what_was_flushed) {
  s.states.applied(n1, {first});
  s.states.digest(n1, digest(1, "aa"), true);
  s.states.applied(n1, {second});
  s.states.started(n1, Index(2), "");
  EXPECT_EQ(s.broken(), 30) << s.what();
}

TEST_F(StateChecksTest, the_data_is_ahead_of_the_applied_index) {
  s.states.applied(n1, {first});
  s.states.digest(n1, digest(1, "aa"), true);
  s.states.applied(n1, {second});
  s.states.digest(n1, digest(2, "bb"), true);
  s.states.started(n1, Index(1), "bb");
  EXPECT_EQ(s.broken(), 30) << s.what();
}

}  // namespace
}  // namespace kiwi::lab::invariants::test
