// What a leader takes and keeps is bounded (rule 10).

#include <gtest/gtest.h>

#include <algorithm>

#include "messages/codec.hpp"
#include "tests/unit/raft/broken_invariant.hpp"
#include "tests/unit/raft/lone.hpp"

namespace kiwi::raft {
namespace {

TEST(ReplicationLimits, UncommittedBytesAreBounded) {
  Options o = Lone::options(1);
  o.max_uncommitted_bytes = 1000;
  Lone n(o, restored({}, {}, voters(3)));
  EXPECT_EQ(n.core.propose(EntryKind::command, {}).error(), Refusal::not_leader);
  n.win(2);
  int accepted = 0;
  while (n.core.propose(EntryKind::command, Bytes::copy_of("x"))) ++accepted;
  EXPECT_EQ(n.core.propose(EntryKind::command, {}).error(), Refusal::overloaded);
  EXPECT_LE(n.core.uncommitted_bytes(), 1000u);
  EXPECT_EQ(accepted, (1000 - 64) / 65);
  n.take();
  n.ack(2, 1 + accepted);
  n.sync();
  EXPECT_EQ(n.core.uncommitted_bytes(), 0u);
  EXPECT_TRUE(n.core.propose(EntryKind::command, Bytes(std::string(5000, 'x')))) << "one always fits";
}

TEST(ReplicationLimits, ALeaderWhoseDiskHangsTakesNoMoreThanTheLimitThoughTheOthersCommit) {
  Options o = Lone::options(1);
  o.max_uncommitted_bytes = 1000;
  o.max_cached_bytes = 1000;
  Lone n(o, restored({}, {}, voters(3)));
  n.win(2);
  n.sync();
  n.ack(2, 1);
  n.ack(3, 1);
  bool refused = false;
  for (int i = 0; i < 100 && !refused; ++i) {
    refused = !n.core.propose(EntryKind::command, Bytes::copy_of("x"));
    n.take();
    n.ack(2, n.core.last_log_id().index.value);
    n.ack(3, n.core.last_log_id().index.value);
    ASSERT_EQ(n.core.uncommitted_bytes(), 0u);
    ASSERT_LE(n.core.log_bytes_in_memory(), 2000u);
  }
  EXPECT_TRUE(refused);
  n.sync();
  EXPECT_TRUE(n.core.propose(EntryKind::command, Bytes::copy_of("x"))) << "the disk is back";
}

TEST(ReplicationLimits, MemoryIsBoundedByTheCache) {
  Options o = Lone::options(1);
  o.max_cached_bytes = 1000;
  Lone n(o, restored({}, {}, voters(1)));
  n.tick();
  n.sync();
  for (int i = 0; i < 100; ++i) {
    (void)n.core.propose(EntryKind::command, Bytes::copy_of("x"));
    n.take();
    n.sync();
    n.core.applied(n.applied.back().id.index);
    n.take();
  }
  EXPECT_LE(n.core.log_bytes_in_memory(), 1000u);
  EXPECT_EQ(n.applied.size(), 101u);
}

}  // namespace
}  // namespace kiwi::raft
