#include "tests/unit/lab/invariants/scene.hpp"

namespace kiwi::lab::invariants::test {
namespace {

using raft::Role;
using testing::HasSubstr;

/// n1 leads term 1; entries 1 and 2 are on n1 and n2 and committed.
struct AfterTwoWrites : testing::Test {
  AfterTwoWrites() {
    s.elect(n1, 1, n2);
    s.replicate(n1, 1, {n2});
    s.replicate(n1, 1, {n2});
    s.commit(n1, 2);
    s.commit(n2, 2);
  }
  Scene s;
};

TEST_F(AfterTwoWrites, nothing_is_broken) { EXPECT_EQ(s.broken(), 0) << s.what(); }

TEST_F(AfterTwoWrites, another_leader_of_a_later_term_is_fine) {
  s.elect(n2, 2, n3);
  s.replicate(n2, 2, {n1});
  s.commit(n2, 3);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(AfterTwoWrites, two_leaders_of_one_term) {
  s.core(n2).seen.vote = {Term(1), n1};
  s.core(n2).seen.role = Role::leader;
  s.step(n2);
  EXPECT_EQ(s.broken(), 1) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("n2 leads in term 1, but so did n1"));
}

TEST_F(AfterTwoWrites, a_leader_that_nobody_else_voted_for) {
  s.core(n2).seen.vote = {Term(2), n2};
  s.core(n2).seen.role = Role::candidate;
  s.step(n2);
  s.vote(n2, 2, n2);
  s.vote(n3, 2, n1);
  s.core(n2).seen.role = Role::leader;
  s.step(n2);
  EXPECT_EQ(s.broken(), 46) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("n2 leads in term 2 with the votes of n2 only"));
}

TEST_F(AfterTwoWrites, a_leader_whose_voter_lost_its_disk) {
  s.core(n2).seen.vote = {Term(2), n2};
  s.core(n2).seen.role = Role::candidate;
  s.step(n2);
  s.vote(n2, 2, n2);
  s.vote(n3, 2, n2);
  VoteResponse grant;
  grant.term = Term(2);
  grant.granted = true;
  s.logs.leaving(n3, n2, PeerMessage(grant));
  s.logs.harmed(n3, "wipe");
  s.core(n2).seen.role = Role::leader;
  s.step(n2);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(AfterTwoWrites, a_leader_removes_its_own_entry) {
  s.replicate(n1, 1, {});
  s.core(n1).log.pop_back();
  s.core(n1).seen.durable = Index(2);
  s.step(n1);
  EXPECT_EQ(s.broken(), 2) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("1/3"));
}

TEST_F(AfterTwoWrites, a_follower_removes_what_is_not_committed) {
  s.replicate(n1, 1, {n3});
  s.core(n3).log.pop_back();
  s.core(n3).seen.durable = Index(2);
  s.step(n3);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(AfterTwoWrites, a_leader_without_a_committed_entry) {
  s.elect(n3, 2, n2);
  EXPECT_EQ(s.broken(), 4) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("1/2 was committed in term 1 by n1; it has no entry 2"));
}

TEST_F(AfterTwoWrites, an_entry_is_committed_that_the_later_leader_lacks) {
  s.replicate(n1, 1, {n2});   // entry 3, not committed yet
  s.core(n2).log.pop_back();  // forged: n2 forgets it and wins
  s.core(n2).seen.durable = Index(2);
  s.step(n2);
  s.elect(n2, 2, n3);
  ASSERT_EQ(s.broken(), 0) << s.what();
  s.commit(n1, 3);
  EXPECT_EQ(s.broken(), 4) << s.what();
}

TEST_F(AfterTwoWrites, committed_on_a_minority_of_disks) {
  s.replicate(n1, 1, {});
  s.commit(n1, 3);
  EXPECT_EQ(s.broken(), 6) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("commits 1/3, which is durable on n1 only"));
}

TEST_F(AfterTwoWrites, a_committed_entry_is_replaced) {
  s.core(n2).log.back() = Term(7);
  s.step(n2);
  EXPECT_EQ(s.broken(), 7) << s.what();
}

TEST_F(AfterTwoWrites, two_nodes_commit_different_entries) {
  s.core(n3).log = {Term(1), Term(7)};
  s.write(n3, {entry(1, 1), entry(7, 2)});
  s.core(n3).seen.commit = Index(2);
  s.step(n3);
  EXPECT_EQ(s.broken(), 7) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("commits 7/2, but 1/2 was committed there"));
}

TEST_F(AfterTwoWrites, an_entry_of_an_earlier_term_is_committed_by_counting) {
  s.replicate(n1, 1, {n2});  // 1/3 is on a majority, not committed
  s.elect(n2, 2, n3);
  s.write(n3, {entry(1, 1), entry(1, 2), entry(1, 3)});
  s.core(n2).others = {{n1, Index(3), 0, 0}, {n3, Index(3), 0, 0}};
  s.commit(n2, 3);
  EXPECT_EQ(s.broken(), 8) << s.what();
}

TEST_F(AfterTwoWrites, a_vote_changes_within_a_term) {
  s.core(n2).seen.vote = {Term(1), n3};
  s.step(n2);
  EXPECT_EQ(s.broken(), 9) << s.what();
}

TEST_F(AfterTwoWrites, the_leader_counts_itself_before_its_sync) {
  // On n2 and n3 it is durable, so it may be committed; but the leader knew of n2 only.
  s.core(n1).log.push_back(Term(1));
  s.step(n1);
  s.give(n1, {entry(1, 3)});
  s.write(n2, {entry(1, 3)});
  s.write(n3, {entry(1, 1), entry(1, 2), entry(1, 3)});
  s.ledger.note_ack(n2, n1, Term(1), Index(3));
  s.core(n1).others = {{n2, Index(3), 0, 0}, {n3, Index(0), 0, 0}};
  s.commit(n1, 3);
  EXPECT_EQ(s.broken(), 11) << s.what();
}

TEST_F(AfterTwoWrites, others_may_commit_without_the_leaders_disk) {
  s.core(n1).log.push_back(Term(1));
  s.step(n1);
  s.give(n1, {entry(1, 3)});
  s.write(n2, {entry(1, 3)});
  s.write(n3, {entry(1, 1), entry(1, 2), entry(1, 3)});
  s.ledger.note_ack(n2, n1, Term(1), Index(3));
  s.ledger.note_ack(n3, n1, Term(1), Index(3));
  s.core(n1).others = {{n2, Index(3), 0, 0}, {n3, Index(3), 0, 0}};
  s.commit(n1, 3);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(AfterTwoWrites, an_acknowledgement_of_an_earlier_term_is_counted) {
  s.elect(n2, 2, n3);
  s.replicate(n2, 2, {n3});
  s.ledger.note_ack(n1, n2, Term(1), Index(2));
  s.core(n2).others = {{n1, Index(2), 0, 0}, {n3, Index(3), 0, 0}};
  s.commit(n2, 3);
  EXPECT_EQ(s.broken(), 48) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("n1 holds 2; in this term that node has acknowledged 0"));
}

TEST_F(AfterTwoWrites, a_core_believes_in_what_is_not_synced) {
  s.core(n2).log.push_back(Term(1));
  s.give(n2, {entry(1, 3)});
  s.core(n2).seen.durable = Index(3);
  s.step(n2);
  EXPECT_EQ(s.broken(), 11) << s.what();
}

TEST_F(AfterTwoWrites, an_old_entry_is_durable_where_a_new_one_is_believed) {
  s.replicate(n1, 1, {n2});
  s.core(n2).log.back() = Term(2);  // replaced in memory; the disk still holds 1/3
  s.core(n2).seen.vote.term = Term(1);
  s.core(n2).seen.durable = Index(2);
  s.step(n2);
  s.core(n2).seen.durable = Index(3);
  s.step(n2);
  EXPECT_EQ(s.broken(), 11) << s.what();
}

TEST_F(AfterTwoWrites, the_term_goes_back) {
  s.core(n2).seen.vote = {};
  s.step(n2);
  EXPECT_EQ(s.broken(), 12) << s.what();
}

TEST_F(AfterTwoWrites, the_commit_index_goes_back) {
  s.commit(n2, 1);
  EXPECT_EQ(s.broken(), 12) << s.what();
}

TEST_F(AfterTwoWrites, the_applied_index_goes_back) {
  s.core(n2).seen.applied = Index(2);
  s.step(n2);
  s.core(n2).seen.applied = Index(1);
  s.step(n2);
  EXPECT_EQ(s.broken(), 12) << s.what();
}

TEST_F(AfterTwoWrites, commit_and_applied_may_go_back_with_a_restart) {
  s.restart(n2);
  s.step(n2);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(AfterTwoWrites, the_durable_term_goes_back_with_a_restart) {
  auto found = s.found(n2);
  found.vote = {};
  s.cores.started(n2, found, false);
  EXPECT_EQ(s.broken(), 12) << s.what();
}

TEST_F(AfterTwoWrites, applied_is_above_committed) {
  s.core(n1).seen.applied = Index(3);
  s.step(n1);
  EXPECT_EQ(s.broken(), 13) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("applied 3 is above committed 2"));
}

TEST_F(AfterTwoWrites, purged_is_above_applied) {
  s.core(n1).seen.purged = Index(1);
  s.step(n1);
  EXPECT_EQ(s.broken(), 13) << s.what();
}

TEST_F(AfterTwoWrites, two_voters_are_exchanged_at_once) {
  const auto other = membership_of({{n1, {}}, {NodeId(4), {}}, {NodeId(5), {}}});
  s.core(n1).seen.membership = &other;
  s.core(n1).number = Index(3);
  s.core(n1).log.push_back(Term(1));
  s.step(n1);
  EXPECT_EQ(s.broken(), 14) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("straight from n1,n2,n3"));
}

/// n3 installs a snapshot up to index 2, which it had not committed.
void install(Scene& s, const Membership& covered) {
  auto& seen = s.core(n3).seen;
  seen.membership = &covered;
  seen.purged = seen.applied = seen.commit = Index(2);
  s.core(n3).log = s.core(n1).log;
  s.step(n3);
}

TEST_F(AfterTwoWrites, a_snapshot_brings_two_changes_that_the_leader_made_one_by_one) {
  const auto first = membership_of({{n1, {}}, {n2, {}}, {n3, {}}, {NodeId(4), {}}});
  const auto second = membership_of({{n1, {}}, {n2, {}}, {n3, {}}, {NodeId(4), {}}, {NodeId(5), {}}});
  for (const auto* each : {&first, &second}) {
    s.core(n2).seen.membership = each;
    s.core(n2).number = s.core(n2).number + 1;
    s.step(n2);
  }
  install(s, second);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(AfterTwoWrites, a_snapshot_brings_members_that_nobody_had) {
  install(s, membership_of({{n1, {}}}));
  EXPECT_EQ(s.broken(), 14) << s.what();
}

TEST_F(AfterTwoWrites, a_leader_makes_two_changes_at_once_although_another_node_had_them) {
  const auto first = membership_of({{n1, {}}, {n2, {}}, {n3, {}}, {NodeId(4), {}}});
  const auto second = membership_of({{n1, {}}, {n2, {}}, {n3, {}}, {NodeId(4), {}}, {NodeId(5), {}}});
  for (const auto* each : {&first, &second}) {
    s.core(n2).seen.membership = each;
    s.core(n2).number = s.core(n2).number + 1;
    s.step(n2);
  }
  s.core(n1).seen.membership = &second;  // n1 leads
  s.core(n1).number = Index(3);
  s.core(n1).log.push_back(Term(1));
  s.step(n1);
  EXPECT_EQ(s.broken(), 14) << s.what();
}

TEST_F(AfterTwoWrites, a_voter_is_added_and_a_joint_membership_is_entered) {
  const auto more = membership_of({{n1, {}}, {n2, {}}, {n3, {}}, {NodeId(4), {}}});
  s.core(n1).seen.membership = &more;
  s.core(n1).number = Index(3);
  s.replicate(n1, 1, {n2, n3});
  s.commit(n1, 3);
  auto joint = membership_of({{n1, {}}, {NodeId(5), {}}});
  joint.outgoing_voters = more.voters;
  s.core(n1).seen.membership = &joint;
  s.core(n1).number = Index(4);
  s.replicate(n1, 1, {n2, n3});
  EXPECT_EQ(s.broken(), 0) << s.what();
  EXPECT_FALSE(is_majority(bit(n2) | bit(n3) | bit(NodeId(4)), joint)) << "both halves count";
  EXPECT_TRUE(is_majority(bit(n1) | bit(NodeId(5)) | bit(n2) | bit(n3), joint));
}

TEST_F(AfterTwoWrites, a_follower_may_hear_of_two_changes_at_once) {
  const auto other = membership_of({{n1, {}}, {n2, {}}, {NodeId(4), {}}, {NodeId(5), {}}});
  s.core(n2).seen.membership = &other;
  s.core(n2).number = Index(2);
  s.step(n2);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(AfterTwoWrites, members_are_changed_on_top_of_a_change_that_is_not_committed) {
  const auto more = membership_of({{n1, {}}, {n2, {}}, {n3, {}}, {NodeId(4), {}}});
  s.core(n1).seen.membership = &more;
  s.core(n1).number = Index(3);
  s.replicate(n1, 1, {n2});
  s.core(n1).seen.membership = &s.membership;
  s.core(n1).number = Index(4);
  s.replicate(n1, 1, {n2});
  EXPECT_EQ(s.broken(), 14) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("1/3, is not committed"));
}

TEST_F(AfterTwoWrites, members_are_changed_before_anything_of_the_term_is_committed) {
  s.elect(n2, 2, n3);
  const auto more = membership_of({{n1, {}}, {n2, {}}, {n3, {}}, {NodeId(4), {}}});
  s.core(n2).seen.membership = &more;
  s.core(n2).number = Index(3);
  s.core(n2).log.push_back(Term(2));
  s.step(n2);
  EXPECT_EQ(s.broken(), 14) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("before it has committed anything of its term"));
}

TEST_F(AfterTwoWrites, two_nodes_take_one_configuration_for_different_members) {
  const auto more = membership_of({{n1, {}}, {n2, {}}, {n3, {}}, {NodeId(4), {}}});
  const auto less = membership_of({{n1, {}}, {n2, {}}});
  s.core(n2).seen.membership = &more;
  s.core(n2).number = Index(1);
  s.step(n2);
  s.core(n3).log = {Term(1)};
  s.core(n3).seen.membership = &less;
  s.core(n3).number = Index(1);
  s.step(n3);
  EXPECT_EQ(s.broken(), 14) << s.what();
}

TEST_F(AfterTwoWrites, the_members_of_a_truncated_entry_go_on_to_count) {
  const auto more = membership_of({{n1, {}}, {n2, {}}, {n3, {}}, {NodeId(4), {}}});
  s.core(n2).seen.membership = &more;
  s.core(n2).number = Index(3);
  s.core(n2).log.push_back(Term(1));
  s.step(n2);
  EXPECT_EQ(s.broken(), 0) << s.what();
  s.core(n2).log.pop_back();
  s.step(n2);
  EXPECT_EQ(s.broken(), 14) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("which its log does not have any more"));
}

TEST_F(AfterTwoWrites, a_removed_node_leads) {
  auto less = membership_of({{n1, {}}, {n3, {}}});
  less.removed = {n2};
  s.core(n2).seen.membership = &less;
  s.core(n2).number = Index(2);
  s.step(n2);
  s.elect(n2, 2, n3);
  EXPECT_EQ(s.broken(), 15) << s.what();
}

TEST_F(AfterTwoWrites, asking_for_pre_votes_raises_the_term) {
  s.elect(n2, 2, n3);  // so that term 2 is known
  s.core(n1).seen.role = Role::pre_candidate;
  s.core(n1).seen.vote = {Term(2), NodeId{}};
  s.step(n1);
  EXPECT_EQ(s.broken(), 17) << s.what();
}

TEST_F(AfterTwoWrites, a_pre_candidate_keeps_its_term) {
  s.core(n2).seen.role = Role::pre_candidate;
  s.step(n2);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(AfterTwoWrites, a_leader_counts_what_never_was_synced_there) {
  s.replicate(n1, 1, {n2});
  s.core(n1).others = {{n2, Index(3), 0, 0}, {n3, Index(3), 0, 0}};
  s.commit(n1, 3);
  EXPECT_EQ(s.broken(), 40) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("n3 holds 1/3"));
}

TEST_F(AfterTwoWrites, a_term_comes_from_nowhere) {
  s.core(n3).seen.vote = {Term(5), NodeId{}};
  s.step(n3);
  EXPECT_EQ(s.broken(), 41) << s.what();
}

}  // namespace
}  // namespace kiwi::lab::invariants::test
