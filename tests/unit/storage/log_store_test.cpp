#include "storage/log_store.hpp"

#include "log_testing.hpp"

namespace kiwi::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// A store on the real file system, with steps to tell its story.
class LogStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto made = LogStore::create(options(), some_identity());
    ASSERT_TRUE(made) << why(made);
    reopen();
  }
  LogStoreOptions options() const { return at(dir_.path()); }
  void reopen() {
    opened_.reset();
    opened_ = std::make_unique<Opened>(options());
    ASSERT_TRUE(*opened_) << why(opened_->error);
  }
  LogStore& store() { return *opened_->store; }
  const Recovered& found() const { return opened_->found; }
  LogId write(std::vector<LogWrite> group) {
    const auto last = store().write(group);
    EXPECT_TRUE(last) << why(last);
    return last.value_or(LogId{});
  }
  std::vector<Entry> read(std::uint64_t first, std::uint64_t last, std::uint64_t max_bytes = 1u << 30) {
    const auto entries = store().read(Index(first), Index(last), max_bytes);
    EXPECT_TRUE(entries) << why(entries);
    return entries.value_or(std::vector<Entry>{});
  }

  TempDir dir_;
  std::unique_ptr<Opened> opened_;
};

TEST_F(LogStoreTest, ANewStoreIsEmptyAndKnowsWhoItIs) {
  EXPECT_EQ(found().identity.cluster, ClusterId(9));
  EXPECT_EQ(found().identity.node, NodeId(1));
  EXPECT_EQ(found().identity.instance, InstanceId(77));
  EXPECT_EQ(found().identity.address, (NodeAddress{"10.0.0.1", 7001, 17001}));
  EXPECT_EQ(found().identity.initial_membership, three_voters());
  EXPECT_EQ(found().vote, Vote{});
  EXPECT_EQ(found().last, LogId{});
  EXPECT_EQ(found().purged, LogId{});
  EXPECT_EQ(found().torn_bytes, 0u);
  EXPECT_THAT(found().runs, SizeIs(0));
  EXPECT_EQ(store().last(), LogId{});
}

TEST_F(LogStoreTest, WhatIsWrittenIsReadBackAndSurvivesARestart) {
  EXPECT_EQ(write({append(1, 3), vote(2, 3), append(4, 5, 2), bind(2, 222)}), log_id(2, 5));
  EXPECT_THAT(read(2, 5), ElementsAre(entry(2), entry(3), entry(4, 2), entry(5, 2)));
  reopen();
  EXPECT_EQ(found().last, log_id(2, 5));
  EXPECT_EQ(found().entries, 5u);
  EXPECT_EQ(found().vote, (Vote{Term(2), NodeId(3)}));
  EXPECT_EQ(found().last_stamp_ms, 1005u);
  EXPECT_THAT(found().runs, ElementsAre(TermRun{Term(1), Index(1)}, TermRun{Term(2), Index(4)}));
  EXPECT_THAT(found().bindings, ElementsAre(PeerBinding{NodeId(2), InstanceId(222)}));
  EXPECT_THAT(read(1, 5), ElementsAre(entry(1), entry(2), entry(3), entry(4, 2), entry(5, 2)));
}

}  // namespace
}  // namespace kiwi::storage
