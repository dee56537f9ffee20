// The end of a replica: whatever the reason, everybody who waits hears of it, once (rules 9 and 12).

#include "raft_world.hpp"

namespace kiwi::test {
namespace {

using testing::ElementsAre;
using testing::Pair;

RaftSetup nodes(std::uint64_t n) {
  return {.nodes = n, .raft = {}, .bindings = {}, .restored = {}, .log = {}};
}

StorageError broken(StorageSubject subject, StorageVerb verb) {
  return {subject, verb, StorageKind::io, "the cable is out", StorageOutcome::unknown};
}

StorageError error_of(const caf::error& error) {
  return storage_error_of(error, StorageSubject::snapshot, StorageVerb::seek);
}

/// A leader of three with one waiter of each kind.
struct RaftEnd : testing::Test {
  RaftWorld w{nodes(3)};
  std::optional<Question<ClientResponse>> propose, query, stale;
  std::optional<Question<Index>> marker;

  void SetUp() override {
    w.lead();
    w.ticks(1);
    w.serve_all();
    w.hold_writes = w.hold_applies = w.hold_queries = true;
    w.submit(1, {w.set("being applied")});
    w.write_one();
    w.serve_all();
    ASSERT_EQ(w.storage.next<ApplyBatch>().as<ApplyBatch>().entries.size(), 1u);
    w.submit(1, {w.set("being written")});
    w.submit(2, {w.get("not confirmed")});
    stale = w.query("being asked", true);
    propose = w.propose("p");
    query = w.query("q");
    marker = w.world.ask<Index>(w.raft, DigestMarker{});
    w.run();
    ASSERT_TRUE(w.answers(1).empty());
    ASSERT_TRUE(w.answers(2).empty());
  }
  void everybody_heard() {
    EXPECT_FALSE(w.alive());
    EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::unknown), Pair(1, AnswerKind::unknown)));
    EXPECT_THAT(w.kinds(2), ElementsAre(Pair(0, AnswerKind::stopping)));
    EXPECT_EQ(answer_kind_of(stale->error()), AnswerKind::stopping);
    EXPECT_EQ(answer_kind_of(propose->error()), AnswerKind::unknown);
    EXPECT_EQ(answer_kind_of(query->error()), AnswerKind::stopping);
    EXPECT_EQ(answer_kind_of(marker->error()), AnswerKind::unknown);
    EXPECT_TRUE(w.peer(2).asked_to_exit());
    EXPECT_TRUE(w.peer(3).asked_to_exit());
    w.hold_writes = w.hold_applies = w.hold_queries = false;
    w.run();  // late answers of storage reach nobody
    EXPECT_EQ(w.answers(1).size(), 2u);
    EXPECT_EQ(w.answers(2).size(), 1u);
    EXPECT_EQ(propose->answers(), 1u);
  }
};

TEST_F(RaftEnd, AFailedLogWriteEndsTheReplicaWithTheReason) {
  auto error = broken(StorageSubject::log, StorageVerb::sync);
  w.storage.reply(w.storage.next<LogWrite>(), to_caf_error(error));
  w.run();
  everybody_heard();
  EXPECT_EQ(error_of(*w.world.ended(w.raft)), error);
}

TEST_F(RaftEnd, AFailedApplyDoes) {
  auto error = broken(StorageSubject::state_machine, StorageVerb::write);
  w.storage.reply(w.storage.next<ApplyBatch>(), to_caf_error(error));
  w.run();
  everybody_heard();
  EXPECT_EQ(error_of(*w.world.ended(w.raft)), error);
}

TEST_F(RaftEnd, AFailedQueryDoes) {
  auto error = broken(StorageSubject::state_machine, StorageVerb::read);
  w.storage.reply(w.storage.next<StateQueryBatch>(), to_caf_error(error));
  w.run();
  everybody_heard();
  EXPECT_EQ(error_of(*w.world.ended(w.raft)), error);
}

TEST_F(RaftEnd, ManyFailuresAreOneEnd) {
  auto first = broken(StorageSubject::log, StorageVerb::sync);
  w.storage.reply(w.storage.next<LogWrite>(), to_caf_error(first));
  w.storage.reply(w.storage.next<ApplyBatch>(),
                  to_caf_error(broken(StorageSubject::vote, StorageVerb::open)));
  w.run();
  everybody_heard();
  EXPECT_EQ(error_of(*w.world.ended(w.raft)), first);
}

TEST_F(RaftEnd, AStorageActorThatIsGoneIsAFailureToo) {
  w.storage.die(caf::exit_reason::unhandled_exception);
  w.submit(3, {w.set("one more")});  // the write of this bounces
  w.run();
  everybody_heard();
  EXPECT_THAT(w.kinds(3), ElementsAre(Pair(0, AnswerKind::unknown)));
  auto error = error_of(*w.world.ended(w.raft));
  EXPECT_EQ(error.kind, StorageKind::unavailable);
  EXPECT_EQ(error.outcome, StorageOutcome::unknown);
}

TEST_F(RaftEnd, AnOrderedStopDoesTheSame) {
  w.world.exit(w.raft);
  w.run();
  everybody_heard();
  EXPECT_EQ(*w.world.ended(w.raft), caf::error(caf::exit_reason::user_shutdown));
}

TEST_F(RaftEnd, WhoAsksAfterTheEndHearsThatNobodyIsThere) {
  w.world.exit(w.raft);
  w.run();
  EXPECT_EQ(w.propose("late").error(), caf::error(caf::sec::request_receiver_down));
}

TEST(RaftEndOfHeld, AHeldReplyIsRefused) {
  RaftWorld w(nodes(1));
  w.lead();
  w.ticks(2);
  w.needs_tick = [](const StateQuery& query) { return query.now_ms; };
  w.hold_writes = true;
  w.submit(1, {w.get("a")});
  ASSERT_TRUE(w.answers(1).empty());
  w.world.exit(w.raft);
  w.run();
  EXPECT_THAT(w.kinds(1), ElementsAre(Pair(0, AnswerKind::stopping)));
}

TEST(RaftEndOfQuestions, ANodeThatStopsAnswersWhatTheAdministratorAsked) {
  // Storage holds the answer to each of these; the promise must not be lost with the actor (rule 12).
  for (bool fails : {false, true}) {
    SCOPED_TRACE(fails ? "storage fails" : "ordered stop");
    RaftWorld w(nodes(3));
    w.lead();
    w.hold_writes = true;
    Hello hello;
    hello.protocol_version = kPeerProtocolVersion;
    hello.cluster = kCluster;
    hello.node = NodeId(2);
    hello.target = NodeId(1);
    hello.instance = InstanceId(22);
    w.propose("x");
    auto welcome = w.world.ask<HelloVerdict>(w.raft, HelloQuestion{hello});
    auto status = w.world.ask<StatusPtr>(w.raft, StatusRequest{true});
    auto late_status = w.world.ask<StatusPtr>(w.raft, StatusRequest{true});
    w.run();
    w.storage.reply(w.storage.next<LogStatsRequest>(), LogStoreFigures{});  // it asks the machine now
    w.run();
    if (fails)
      w.storage.reply(w.storage.next<LogWrite>(),
                      to_caf_error(broken(StorageSubject::log, StorageVerb::write)));
    else
      w.world.exit(w.raft);
    w.run();
    ASSERT_FALSE(w.alive());
    EXPECT_EQ(welcome.answers(), 1u);
    EXPECT_EQ(status.answers(), 1u);
    EXPECT_EQ(late_status.answers(), 1u);
  }
}

TEST(RaftEndOfQuestions, ANodeThatStopsAnswersWhoWantedToMakeACluster) {
  RaftWorld w(nodes(0));
  auto question = w.world.ask<ClusterId>(w.raft, Bootstrap{});
  w.run();
  w.world.exit(w.raft);
  w.run();
  ASSERT_EQ(question.answers(), 1u);
  EXPECT_FALSE(question.succeeded());
}

}  // namespace
}  // namespace kiwi::test
