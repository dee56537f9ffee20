// The tables of marks and mutants, and how one is switched on.

#include "messages/fault_tables.hpp"

#include <gmock/gmock.h>

#include <set>

#include "messages/fault_points.hpp"

namespace kiwi::fault {
namespace {

using testing::HasSubstr;

std::vector<std::size_t> passed;

class FaultTables : public testing::Test {
 protected:
  void TearDown() override {
    all_off();
    set_mark_sink(nullptr);
    passed.clear();
  }
};

TEST_F(FaultTables, NamesAndIdsAreUsedOnceAndSaySomething) {
  std::set<std::string_view> names, ids;
  for (const auto& row : kMutants) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_GT(row.what.size(), 15u) << row.name;
  }
  for (const auto& row : kMarks) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_GT(row.what.size(), 15u) << row.name;
  }
}

TEST_F(FaultTables, AMutantIsOnOnlyWhenItWasSwitchedOn) {
  EXPECT_FALSE(KIWI_MUTANT(vote_before_sync));
  ASSERT_TRUE(switch_on("vote_before_sync"));
  EXPECT_TRUE(KIWI_MUTANT(vote_before_sync));
  EXPECT_FALSE(KIWI_MUTANT(log_sync_skipped));
  all_off();
  EXPECT_FALSE(KIWI_MUTANT(vote_before_sync));
}

TEST_F(FaultTables, AnUnknownNameIsAnErrorThatListsAll) {
  const auto wrong = switch_on("vote_befor_sync");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error(), HasSubstr("'vote_befor_sync'"));
  for (const auto& row : kMutants) {
    EXPECT_THAT(wrong.error(), HasSubstr(std::string(row.name)));
    EXPECT_FALSE(mutants[static_cast<std::size_t>(&row - kMutants)]) << row.name;
  }
}

TEST_F(FaultTables, AMarkIsHeardByItsNumber) {
  KIWI_MARK("vote.synced");  // nobody listens
  set_mark_sink([](std::size_t mark) { passed.push_back(mark); });
  KIWI_MARK("vote.synced");
  KIWI_MARK("client.paused");
  ASSERT_EQ(passed.size(), 2u);
  EXPECT_EQ(kMarks[passed[0]].name, "vote.synced");
  EXPECT_EQ(kMarks[passed[1]].name, "client.paused");
}

}  // namespace
}  // namespace kiwi::fault
