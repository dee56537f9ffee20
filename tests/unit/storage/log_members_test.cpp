// The membership as of the purge point outlives its entry: a node that lost its data must not count by the
// initial one.

#include "log_testing.hpp"
#include "messages/codec.hpp"

namespace kiwi::storage {
namespace {

Membership members_up_to(std::uint64_t n) {
  std::vector<Member> members;
  for (std::uint64_t id = 1; id <= n; ++id) {
    members.push_back({NodeId(id), {"10.0.0.1", 7001, static_cast<std::uint16_t>(17000 + id)}});
  }
  return membership_of(members);
}

LogWrite change(std::uint64_t index, std::uint64_t n) {
  auto e = entry(index);
  e.kind = EntryKind::membership;
  e.payload = Bytes(encode_membership(members_up_to(n)));
  return append({e});
}

/// "base 4/1+3" and then each of the log: id and how many members.
std::string told(const Recovered& found) {
  std::string text = "base ";
  if (found.base_membership) {
    text += to_string(found.base_membership->first) + "+" +
            std::to_string(found.base_membership->second.members.size());
  } else {
    text += "initial";
  }
  for (const auto& [id, membership] : found.memberships) {
    text += ", " + to_string(id) + "+" + std::to_string(membership.members.size());
  }
  return text;
}

struct LogMembersTest : ::testing::Test {
  LogMembersTest() { EXPECT_TRUE(LogStore::create(at(dir.path()), some_identity())); }
  void write(const std::vector<LogWrite>& steps) {
    Opened opened(at(dir.path()));
    ASSERT_TRUE(opened) << why(opened.error);
    ASSERT_TRUE(opened->write(steps));
  }
  std::string reopened() {
    Opened opened(at(dir.path()));
    return opened ? told(opened.found) : why(opened.error);
  }
  TempDir dir;
};

TEST_F(LogMembersTest, ThePurgeThatTakesTheEntryKeepsWhatItSaid) {
  write({append(1, 3), change(4, 4), append(5, 6), change(7, 5), append(8, 9)});
  EXPECT_EQ(reopened(), "base initial, 1/4+4, 1/7+5");
  write({purge(3)});
  EXPECT_EQ(reopened(), "base initial, 1/4+4, 1/7+5");
  write({purge(5)});
  EXPECT_EQ(reopened(), "base 1/4+4, 1/7+5");
  write({purge(9)});
  EXPECT_EQ(reopened(), "base 1/7+5");
}

TEST_F(LogMembersTest, SeveralAreWrittenAndPurgedInOneGroup) {
  write({change(1, 4), change(2, 5), append(3, 4), purge(2), change(5, 6)});
  EXPECT_EQ(reopened(), "base 1/2+5, 1/5+6");
}

TEST_F(LogMembersTest, WhatWasCutIsNotRemembered) {
  auto cut = append({entry(4, 2), entry(5, 2)});
  cut.truncate_from = Index(4);
  write({append(1, 3), change(4, 9)});
  write({cut, purge(5)});
  EXPECT_EQ(reopened(), "base initial");
}

TEST_F(LogMembersTest, AResetBringsTheSnapshotsMembership) {
  write({append(1, 3), change(4, 4), purge(4)});
  auto step = reset(3, 90);
  step.reset_membership_id = log_id(2, 70);
  step.reset_membership = members_up_to(7);
  write({step});
  EXPECT_EQ(reopened(), "base 2/70+7");
  write({reset(3, 95)});
  EXPECT_EQ(reopened(), "base initial");
}

TEST_F(LogMembersTest, AnInstallThatIsFinishedAtTheStartBringsIt) {
  write({append(1, 3), change(4, 4)});
  auto options = at(dir.path());
  options.installed = log_id(3, 90);
  options.installed_membership_id = log_id(2, 70);
  options.installed_membership = members_up_to(7);
  {
    Opened opened(options);
    ASSERT_TRUE(opened) << why(opened.error);
    EXPECT_EQ(told(opened.found), "base 2/70+7");
  }
  EXPECT_EQ(reopened(), "base 2/70+7");
}

}  // namespace
}  // namespace kiwi::storage
