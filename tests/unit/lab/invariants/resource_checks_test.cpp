#include "tests/unit/lab/invariants/scene.hpp"

namespace kiwi::lab::invariants::test {
namespace {

struct ResourceChecksTest : testing::Test {
  int broken() const { return findings.first() ? findings.first()->number : 0; }
  raft::Options limits;
  Findings findings;
};

TEST_F(ResourceChecksTest, what_fits_is_fine) {
  check_memory({n1, true, 1000, 1000, 10, 10, 10}, limits, findings);
  check_window(n1, {n2, Index(0), 64, 4u << 20}, limits, findings);
  check_owners(n1, 3, 3, 5, findings);
  EXPECT_EQ(broken(), 0);
}

TEST_F(ResourceChecksTest, too_much_log_in_memory) {
  check_memory({n1, false, 1ull << 40, 0, 0, 0, 0}, limits, findings);
  EXPECT_EQ(broken(), 34);
}

TEST_F(ResourceChecksTest, too_much_uncommitted) {
  check_memory({n1, true, 0, 1ull << 40, 0, 0, 0}, limits, findings);
  EXPECT_EQ(broken(), 34);
}

TEST_F(ResourceChecksTest, too_many_reads) {
  check_memory({n1, true, 0, 0, limits.max_pending_reads + 1, 0, 0}, limits, findings);
  EXPECT_EQ(broken(), 34);
}

TEST_F(ResourceChecksTest, too_many_calls) {
  check_memory({n1, true, 0, 0, 0, kMostCalls + 1, 0}, limits, findings);
  EXPECT_EQ(broken(), 34);
}

TEST_F(ResourceChecksTest, too_many_appends_on_their_way) {
  check_window(n1, {n2, Index(0), limits.max_inflight_appends + 1, 0}, limits, findings);
  EXPECT_EQ(broken(), 34);
}

TEST_F(ResourceChecksTest, too_many_bytes_on_their_way) {
  check_window(n1, {n2, Index(0), 1, 1ull << 40}, limits, findings);
  EXPECT_EQ(broken(), 34);
}

TEST_F(ResourceChecksTest, a_write_that_nobody_waits_for) {
  check_owners(n1, 3, 2, 3, findings);
  EXPECT_EQ(broken(), 32);
}

TEST_F(ResourceChecksTest, a_write_that_the_adaptor_has_forgotten) {
  check_owners(n1, 3, 3, 2, findings);
  EXPECT_EQ(broken(), 32);
}

}  // namespace
}  // namespace kiwi::lab::invariants::test
