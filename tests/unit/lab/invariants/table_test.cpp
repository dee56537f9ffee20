// The list of invariants, and what is kept of a breach.

#include <gmock/gmock.h>

#include <set>
#include <string>

#include "lab/invariants/invariants.hpp"

namespace kiwi::lab::invariants {
namespace {

TEST(Table, every_invariant_has_its_own_number_and_name) {
  std::set<Check> numbers;
  std::set<std::string> names;
  for (const auto& i : all_invariants()) {
    numbers.insert(i.check);
    names.insert(i.name);
    EXPECT_EQ(invariant(i.check).name, i.name);
  }
  EXPECT_EQ(numbers.size(), all_invariants().size());
  EXPECT_EQ(names.size(), all_invariants().size());
  EXPECT_GE(numbers.size(), 24u);
}

TEST(Table, groups_are_words_of_scripts) {
  for (auto group : {Group::raft, Group::clients, Group::storage, Group::resources})
    EXPECT_EQ(parse_group(to_string(group)), group);
  EXPECT_EQ(parse_group("leader"), std::nullopt);
}

TEST(FindingsTest, the_first_breach_is_kept) {
  Findings f;
  f.add(Check::one_vote, "first");
  f.add(Check::limits, "second");
  ASSERT_TRUE(f.first());
  EXPECT_EQ(f.first()->number, 9);
  EXPECT_EQ(f.first()->name, "one durable vote per term and node");
  EXPECT_EQ(f.first()->what, "first");
}

TEST(FindingsTest, only_groups_that_were_asked_for_count) {
  Findings f({Group::storage});
  f.add(Check::one_vote, "raft");
  EXPECT_FALSE(f.first());
  f.add(Check::failed_sync, "storage");
  EXPECT_TRUE(f.first());
}

}  // namespace
}  // namespace kiwi::lab::invariants
