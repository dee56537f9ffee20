#include "tests/unit/lab/invariants/scene.hpp"

namespace kiwi::lab::invariants::test {
namespace {

using testing::HasSubstr;

/// n1 leads and has one entry committed; connection 1 goes to it.
struct ClientChecksTest : testing::Test {
  ClientChecksTest() {
    s.elect(n1, 1, n2);
    s.replicate(n1, 1, {n2, n3});
    s.commit(n1, 1);
  }

  void ask(std::uint64_t slot, CommandMode mode, const std::string& payload, ConnectionId connection = 1) {
    s.clients.asked(connection, n1);
    ClientCommand command;
    command.slot = slot;
    command.mode = mode;
    command.payload = Bytes::copy_of(payload);
    s.clients.submitted(connection, n1, command);
  }
  void answer(std::uint64_t slot, AnswerKind kind, Reply reply = Reply::ok(), ConnectionId connection = 1) {
    Answer a;
    a.slot = slot;
    a.kind = kind;
    a.reply = std::move(reply);
    s.clients.answered(connection, n1, a);
  }
  /// Entry 2, on the synced logs of these besides the leader.
  void apply(const std::string& payload, const std::vector<NodeId>& others = {n2},
             Reply reply = Reply::ok()) {
    auto& c = s.core(n1);
    const auto e = entry(1, c.log.size() + 1, payload);
    c.log.push_back(Term(1));
    s.step(n1);
    s.write(n1, {e});
    for (auto other : others) {
      s.write(other, {e});
      s.ledger.note_ack(other, n1, Term(1), e.id.index);
      for (auto& f : c.others)
        if (f.node == other)
          f.match = e.id.index;
    }
    s.commit(n1, e.id.index.value);
    s.clients.applied(n1, {e}, {std::move(reply)});
  }
  void query(const std::string& payload, std::uint64_t applied, Reply reply) {
    StateQuery q;
    q.payload = Bytes::copy_of(payload);
    StateAnswer a;
    a.reply = std::move(reply);
    s.clients.queried(n1, Index(applied), q, a);
  }
  Scene s;
};

TEST_F(ClientChecksTest, a_write_and_a_read_are_done) {
  ask(0, CommandMode::write, "set k v");
  apply("set k v");
  answer(0, AnswerKind::done);
  s.clients.replied(1, Reply::ok());
  ask(1, CommandMode::read, "get k");
  query("get k", 2, Reply::bulk(std::string("v")));
  answer(1, AnswerKind::done, Reply::bulk(std::string("v")));
  s.clients.replied(1, Reply::bulk(std::string("v")));
  s.clients.gone(1);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

// --- 21

TEST_F(ClientChecksTest, a_write_is_answered_before_it_is_applied) {
  ask(0, CommandMode::write, "set k v");
  answer(0, AnswerKind::done);
  EXPECT_EQ(s.broken(), 21) << s.what();
}

TEST_F(ClientChecksTest, a_write_gets_another_reply_than_its_entry) {
  ask(0, CommandMode::write, "incr k");
  apply("incr k", {n2}, Reply::of(7));
  answer(0, AnswerKind::done, Reply::of(8));
  EXPECT_EQ(s.broken(), 21) << s.what();
}

TEST_F(ClientChecksTest, one_entry_answers_two_writes) {
  ask(0, CommandMode::write, "incr k");
  ask(1, CommandMode::write, "incr k");
  apply("incr k", {n2}, Reply::of(1));
  answer(0, AnswerKind::done, Reply::of(1));
  answer(1, AnswerKind::done, Reply::of(1));
  EXPECT_EQ(s.broken(), 21) << s.what();
}

TEST_F(ClientChecksTest, an_entry_from_before_the_command_does_not_answer_it) {
  apply("incr k", {n2}, Reply::of(1));
  ask(0, CommandMode::write, "incr k");
  answer(0, AnswerKind::done, Reply::of(1));
  EXPECT_EQ(s.broken(), 21) << s.what();
}

TEST_F(ClientChecksTest, a_read_is_answered_that_was_never_served) {
  ask(0, CommandMode::read, "get k");
  answer(0, AnswerKind::done, Reply::nil());
  EXPECT_EQ(s.broken(), 21) << s.what();
}

// --- 18

TEST_F(ClientChecksTest, a_deposed_leader_serves_a_read) {
  s.elect(n2, 2, n3);
  s.replicate(n2, 2, {n3});
  s.commit(n2, 2);
  ask(0, CommandMode::read, "get k");
  query("get k", 1, Reply::nil());
  answer(0, AnswerKind::done, Reply::nil());
  EXPECT_EQ(s.broken(), 18) << s.what();
  EXPECT_THAT(s.what(), HasSubstr("the state of index 1, but 2 was committed"));
}

TEST_F(ClientChecksTest, a_read_may_miss_what_is_committed_after_it_was_asked) {
  ask(0, CommandMode::read, "get k");
  query("get k", 1, Reply::nil());
  apply("set k v");
  answer(0, AnswerKind::done, Reply::nil());
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(ClientChecksTest, equal_reads_take_the_states_that_were_new_enough_for_each) {
  ask(0, CommandMode::read, "get k", 1);
  query("get k", 1, Reply::nil());
  apply("set other v");
  ask(0, CommandMode::read, "get k", 2);  // after index 2
  query("get k", 2, Reply::nil());
  answer(0, AnswerKind::done, Reply::nil(), 1);  // must leave the newer state to the second
  answer(0, AnswerKind::done, Reply::nil(), 2);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(ClientChecksTest, of_equal_reads_one_is_too_old) {
  ask(0, CommandMode::read, "get k", 1);
  query("get k", 1, Reply::nil());
  apply("set other v");
  ask(0, CommandMode::read, "get k", 2);
  query("get k", 1, Reply::nil());
  answer(0, AnswerKind::done, Reply::nil(), 1);
  answer(0, AnswerKind::done, Reply::nil(), 2);
  EXPECT_EQ(s.broken(), 18) << s.what();
}

TEST_F(ClientChecksTest, a_stale_read_may_be_old) {
  apply("set k v");
  ask(0, CommandMode::stale_read, "get k");
  query("get k", 1, Reply::nil());
  answer(0, AnswerKind::done, Reply::nil());
  EXPECT_EQ(s.broken(), 0) << s.what();
}

// --- 25

TEST_F(ClientChecksTest, a_command_is_answered_twice) {
  ask(0, CommandMode::write, "set k v");
  answer(0, AnswerKind::unknown);
  answer(0, AnswerKind::unknown);
  EXPECT_EQ(s.broken(), 25) << s.what();
}

TEST_F(ClientChecksTest, an_answer_for_a_command_that_was_never_given) {
  ask(0, CommandMode::write, "set k v");
  answer(1, AnswerKind::unknown);
  EXPECT_EQ(s.broken(), 25) << s.what();
}

TEST_F(ClientChecksTest, more_replies_than_commands) {
  s.clients.asked(1, n1);
  s.clients.replied(1, Reply::ok());
  EXPECT_EQ(s.broken(), 0) << s.what();
  s.clients.replied(1, Reply::ok());
  EXPECT_EQ(s.broken(), 25) << s.what();
}

TEST_F(ClientChecksTest, two_replies_are_exchanged) {
  ask(0, CommandMode::read, "get a");
  ask(1, CommandMode::read, "get b");
  query("get a", 1, Reply::bulk(std::string("1")));
  query("get b", 1, Reply::bulk(std::string("2")));
  answer(1, AnswerKind::done, Reply::bulk(std::string("2")));
  answer(0, AnswerKind::done, Reply::bulk(std::string("1")));
  ASSERT_EQ(s.broken(), 0) << s.what();
  s.clients.replied(1, Reply::bulk(std::string("2")));
  EXPECT_EQ(s.broken(), 25) << s.what();
}

TEST_F(ClientChecksTest, a_reply_comes_before_its_answer) {
  ask(0, CommandMode::write, "set k v");
  s.clients.replied(1, Reply::ok());
  EXPECT_EQ(s.broken(), 25) << s.what();
}

TEST_F(ClientChecksTest, a_refusal_reaches_the_client_as_an_error) {
  ask(0, CommandMode::write, "set k v");
  answer(0, AnswerKind::not_leader);
  s.clients.replied(1, Reply::error("MOVED 1 10.0.0.2:7002"));
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(ClientChecksTest, a_refusal_reaches_the_client_as_success) {
  ask(0, CommandMode::write, "set k v");
  answer(0, AnswerKind::not_leader);
  s.clients.replied(1, Reply::ok());
  EXPECT_EQ(s.broken(), 25) << s.what();
}

// --- 26

TEST_F(ClientChecksTest, a_refused_write_is_applied) {
  ask(0, CommandMode::write, "set k v");
  answer(0, AnswerKind::overloaded);
  apply("set k v");
  EXPECT_EQ(s.broken(), 26) << s.what();
}

TEST_F(ClientChecksTest, an_applied_write_is_refused) {
  ask(0, CommandMode::write, "set k v");
  apply("set k v");
  answer(0, AnswerKind::not_leader);
  EXPECT_EQ(s.broken(), 26) << s.what();
}

TEST_F(ClientChecksTest, an_unknown_write_may_be_applied) {
  ask(0, CommandMode::write, "set k v");
  answer(0, AnswerKind::unknown);
  apply("set k v");
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(ClientChecksTest, a_write_that_was_refused_may_be_tried_again) {
  ask(0, CommandMode::write, "set k v");
  answer(0, AnswerKind::not_leader);
  ask(1, CommandMode::write, "set k v");
  apply("set k v");
  answer(1, AnswerKind::done);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

TEST_F(ClientChecksTest, a_command_is_forgotten) {
  s.clients.ticked(n1, 10, 100);
  ask(0, CommandMode::write, "set k v");
  s.clients.ticked(n1, 500, 100);
  EXPECT_EQ(s.broken(), 0) << s.what();
  s.clients.ticked(n1, 1000, 100);
  EXPECT_EQ(s.broken(), 26) << s.what();
}

TEST_F(ClientChecksTest, nobody_waits_after_the_connection_or_the_node_is_gone) {
  ask(0, CommandMode::write, "set k v");
  s.clients.gone(1);
  s.clients.ticked(n1, 1000, 100);
  ask(0, CommandMode::write, "set k w", 2);
  s.clients.node_gone(n1);
  s.clients.ticked(n1, 2000, 100);
  EXPECT_EQ(s.broken(), 0) << s.what();
}

// --- 31

/// A write at index 2 that is on the disk of n1 alone is committed and acknowledged.
void acknowledge_on_one_disk(Scene& s, ClientChecks& clients) {
  clients.asked(1, n1);
  ClientCommand command;
  command.payload = Bytes(std::string("set k v"));
  clients.submitted(1, n1, command);
  const auto e = entry(1, 2, "set k v");
  s.write(n1, {e});
  s.ledger.commit({Term(1), Term(1), n1});
  clients.applied(n1, {e}, {Reply::ok()});
  Answer done;
  done.reply = Reply::ok();
  clients.answered(1, n1, done);
}

TEST_F(ClientChecksTest, a_write_was_committed_when_more_voters_came) {
  Findings storage_only({Group::storage});
  ClientChecks clients(s.ledger, storage_only);
  clients.voters(membership_of({{n1, {}}}));
  clients.leads(s.membership, Index(2));
  acknowledge_on_one_disk(s, clients);
  EXPECT_FALSE(storage_only.first());
}

TEST_F(ClientChecksTest, a_write_was_not_committed_when_more_voters_came) {
  Findings storage_only({Group::storage});
  ClientChecks clients(s.ledger, storage_only);
  clients.voters(membership_of({{n1, {}}}));
  clients.leads(s.membership, Index(1));
  acknowledge_on_one_disk(s, clients);
  ASSERT_TRUE(storage_only.first());
  EXPECT_EQ(storage_only.first()->number, 31);
}

TEST_F(ClientChecksTest, an_acknowledged_write_is_on_one_disk_only) {
  Findings storage_only({Group::storage});
  ClientChecks clients(s.ledger, storage_only);
  clients.voters(s.membership);
  acknowledge_on_one_disk(s, clients);
  ASSERT_TRUE(storage_only.first());
  EXPECT_EQ(storage_only.first()->number, 31);
  EXPECT_THAT(storage_only.first()->what, HasSubstr("on the synced logs of n1 only"));
}

}  // namespace
}  // namespace kiwi::lab::invariants::test
