// The adaptor between two scripted storage actors and a caller: each call is answered once, whatever happens
// below (rules 3 and 12).

#include "actors/adaptor.hpp"

#include <gmock/gmock.h>

#include "actor_world.hpp"
#include "actors/storage_errors.hpp"

namespace kiwi::test {
namespace {

constexpr std::uint64_t kEpoch = 41;

struct AdaptorTest : testing::Test {
  ActorWorld world;
  Stub& log = world.stub();
  Stub& machine = world.stub();
  StorageActor adaptor = world.watch(
      spawn_adaptor(world.system(), log.as<LogStoreActor>(), machine.as<StateMachineActor>(), kEpoch));

  Question<LogWritten> write(std::uint64_t number) {
    LogWrite call;
    call.write = number;
    auto question = world.ask<LogWritten>(adaptor, std::move(call));
    world.run();
    return question;
  }
  Question<LogEntries> read() {
    auto question = world.ask<LogEntries>(adaptor, LogRead{});
    world.run();
    return question;
  }
  Question<Applied> apply() {
    auto question = world.ask<Applied>(adaptor, ApplyBatch{});
    world.run();
    return question;
  }
  /// What a log store answers when all of `call` is durable.
  static LogWrittenGroup done(const Call& call) {
    LogWrittenGroup group;
    for (const auto& write : call.as<LogWriteGroup>().writes)
      group.written.push_back(LogWritten{write.stamp, write.write, {}});
    return group;
  }
  static CallStamp stamp_of(const Call& call) { return call.as<LogWriteGroup>().writes.front().stamp; }
  void written(Call& call) {
    log.reply(call, done(call));
    world.run();
  }
  void applied(Call& call) {
    Applied answer;
    answer.stamp = call.as<ApplyBatch>().stamp;
    machine.reply(call, answer);
    world.run();
  }
};

StorageError error_of(const caf::error& error) {
  return storage_error_of(error, StorageSubject::snapshot, StorageVerb::seek);
}

TEST_F(AdaptorTest, StampsEachCallWithTheEpochAndItsOwnNumber) {
  write(1);
  apply();
  write(2);
  read();
  std::vector<CallStamp> stamps;
  for (auto* call : log.calls_of<LogWriteGroup>()) stamps.push_back(stamp_of(*call));
  for (auto* call : machine.calls_of<ApplyBatch>()) stamps.push_back(call->as<ApplyBatch>().stamp);
  for (auto* call : log.calls_of<LogRead>()) stamps.push_back(call->as<LogRead>().stamp);
  ASSERT_EQ(stamps.size(), 4u);
  for (const auto& stamp : stamps) EXPECT_EQ(stamp.epoch, kEpoch);
  // In the order of asking: write 1, apply, write 2, read.
  EXPECT_LT(stamps[0].sequence, stamps[2].sequence);
  EXPECT_LT(stamps[2].sequence, stamps[1].sequence);
  EXPECT_LT(stamps[1].sequence, stamps[3].sequence);
}

TEST_F(AdaptorTest, AStampOfTheCallerIsNotBelieved) {
  LogWrite call;
  call.stamp = {7, 7};
  world.ask<LogWritten>(adaptor, call);
  world.run();
  EXPECT_EQ(stamp_of(log.next<LogWriteGroup>()).epoch, kEpoch);
}

TEST_F(AdaptorTest, AnswersGoToWhoAskedInWhateverOrderTheyCome) {
  auto first = write(1);
  auto second = write(2);
  auto calls = log.calls_of<LogWriteGroup>();
  written(*calls[1]);
  EXPECT_EQ(first.answers(), 0u);
  EXPECT_EQ(second.reply().write, 2u);
  written(*calls[0]);
  EXPECT_EQ(first.reply().write, 1u);
}

TEST_F(AdaptorTest, WritesThatComeTogetherTravelTogetherAndAreAnsweredEach) {
  std::vector<Question<LogWritten>> questions;
  for (std::uint64_t number : {1, 2, 3}) {
    LogWrite call;
    call.write = number;
    questions.push_back(world.ask<LogWritten>(adaptor, std::move(call)));
  }
  world.run();
  ASSERT_EQ(log.calls_of<LogWriteGroup>().size(), 1u);
  auto& group = log.next<LogWriteGroup>();
  ASSERT_EQ(group.as<LogWriteGroup>().writes.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(group.as<LogWriteGroup>().writes[i].write, i + 1);
  written(group);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(questions[i].reply().write, i + 1);
}

TEST_F(AdaptorTest, AFailedGroupFailsEachOfItsWrites) {
  auto a = world.ask<LogWritten>(adaptor, LogWrite{});
  auto b = world.ask<LogWritten>(adaptor, LogWrite{});
  world.run();
  StorageError full{StorageSubject::log, StorageVerb::sync, StorageKind::no_space, "full",
                    StorageOutcome::unknown};
  log.reply(log.next<LogWriteGroup>(), to_caf_error(full));
  world.run();
  EXPECT_EQ(error_of(a.error()), full);
  EXPECT_EQ(error_of(b.error()), full);
}

TEST_F(AdaptorTest, AGroupAnsweredInPartIsABug) {
  world.ask<LogWritten>(adaptor, LogWrite{});
  world.ask<LogWritten>(adaptor, LogWrite{});
  world.run();
  auto& call = log.next<LogWriteGroup>();
  EXPECT_EXIT(
      {
        auto half = done(call);
        half.written.pop_back();
        log.reply(call, half);
        world.run();
      },
      testing::ExitedWithCode(70), "a group is answered whole");
}

TEST_F(AdaptorTest, EveryKindOfCallReachesItsActorAndComesBack) {
  auto figures = world.ask<LogStoreFigures>(adaptor, LogStatsRequest{});
  auto adopted = world.ask<ClusterId>(adaptor, AdoptCluster{ClusterId(5), {}});
  auto answers = world.ask<StateAnswers>(adaptor, StateQueryBatch{});
  auto digest = world.ask<DigestAnswer>(adaptor, DigestRequest{Index(3)});
  auto stats = world.ask<StateStats>(adaptor, StatsRequest{});
  world.run();
  LogStoreFigures f;
  f.syncs = 12;
  log.reply(log.next<LogStatsRequest>(), f);
  log.reply(log.next<AdoptCluster>(), ClusterId(5));
  StateAnswers a;
  a.stamp = machine.next<StateQueryBatch>().as<StateQueryBatch>().stamp;
  a.applied = Index(8);
  machine.reply(machine.next<StateQueryBatch>(), a);
  machine.reply(machine.next<DigestRequest>(), DigestAnswer{true, {Index(3), "beef", 1}});
  StateStats s;
  s.keys = 6;
  machine.reply(machine.next<StatsRequest>(), s);
  world.run();
  EXPECT_EQ(figures.reply().syncs, 12u);
  EXPECT_EQ(adopted.reply(), ClusterId(5));
  EXPECT_EQ(answers.reply().applied, Index(8));
  EXPECT_EQ(digest.reply().digest.hex, "beef");
  EXPECT_EQ(stats.reply().keys, 6u);
}

TEST_F(AdaptorTest, AStorageErrorPassesUnchanged) {
  auto question = write(1);
  StorageError full{StorageSubject::vote, StorageVerb::sync, StorageKind::no_space, "000042.log: no space",
                    StorageOutcome::not_written};
  log.reply(log.next<LogWriteGroup>(), to_caf_error(full));
  world.run();
  EXPECT_EQ(error_of(question.error()), full);
}

TEST_F(AdaptorTest, WhatIsNoStorageErrorBecomesOneOfUnknownOutcome) {
  auto question = write(1);
  log.reply(log.next<LogWriteGroup>(), caf::make_error(caf::sec::unexpected_message));
  world.run();
  auto error = error_of(question.error());
  EXPECT_EQ(error.subject, StorageSubject::log);
  EXPECT_EQ(error.verb, StorageVerb::write);
  EXPECT_EQ(error.kind, StorageKind::unavailable);
  EXPECT_EQ(error.outcome, StorageOutcome::unknown);
}

TEST_F(AdaptorTest, ADeadLogStoreOwesNothingAfterwards) {
  auto first = write(1);
  auto second = write(2);
  auto third = read();
  auto untouched = apply();
  log.die(caf::exit_reason::unhandled_exception);
  world.run();
  for (const auto& question : {first, second}) {
    ASSERT_EQ(question.answers(), 1u);
    auto error = error_of(question.error());
    EXPECT_EQ(error.kind, StorageKind::unavailable);
    EXPECT_EQ(error.subject, StorageSubject::log);
    EXPECT_EQ(error.verb, StorageVerb::write);
    EXPECT_EQ(error.outcome, StorageOutcome::unknown);
  }
  EXPECT_EQ(error_of(third.error()).verb, StorageVerb::read);
  // The other storage actor is not held liable.
  EXPECT_EQ(untouched.answers(), 0u);
  applied(machine.next<ApplyBatch>());
  EXPECT_TRUE(untouched.succeeded());
}

TEST_F(AdaptorTest, AnswersFromTheGraveAreDropped) {
  auto question = write(1);
  auto& call = log.next<LogWriteGroup>();
  log.die(caf::exit_reason::unhandled_exception);
  world.run();
  ASSERT_FALSE(question.succeeded());
  written(call);
  EXPECT_EQ(question.answers(), 1u);
}

TEST_F(AdaptorTest, AnAnswerThatCameBeforeTheDeathCounts) {
  auto question = write(1);
  auto& call = log.next<LogWriteGroup>();
  log.reply(call, done(call));
  log.die(caf::exit_reason::unhandled_exception);
  world.run();
  EXPECT_EQ(question.answers(), 1u);
}

TEST_F(AdaptorTest, TheDeadSayWhichFailureEndedThem) {
  StorageError damage{StorageSubject::state_machine, StorageVerb::read, StorageKind::corruption, "block 7",
                      StorageOutcome::not_written};
  auto question = apply();
  machine.die(to_caf_error(damage));
  world.run();
  auto error = error_of(question.error());
  EXPECT_EQ(error.kind, StorageKind::corruption);
  EXPECT_EQ(error.cause, "block 7");
  EXPECT_EQ(error.outcome, StorageOutcome::unknown) << "the failure was of another call";
}

TEST_F(AdaptorTest, CallsAfterTheDeathFailAtOnce) {
  log.die(caf::exit_reason::normal);
  world.run();
  auto question = write(1);
  ASSERT_EQ(question.answers(), 1u);
  EXPECT_EQ(error_of(question.error()).kind, StorageKind::unavailable);
  auto other = apply();
  applied(machine.next<ApplyBatch>());
  EXPECT_TRUE(other.succeeded());
}

TEST_F(AdaptorTest, ACallThatWasOnItsWayWhenTheActorDiedIsAnsweredOnce) {
  // Dies before the adaptor has run: the request is bounced and the news of the death comes as well.
  auto question = world.ask<LogWritten>(adaptor, LogWrite{});
  log.die(caf::exit_reason::unhandled_exception);
  world.run();
  ASSERT_EQ(question.answers(), 1u);
  EXPECT_EQ(error_of(question.error()).kind, StorageKind::unavailable);
}

TEST_F(AdaptorTest, TheSecondAnswerToOneCallIsDropped) {
  auto question = write(1);
  auto& call = log.next<LogWriteGroup>();
  written(call);
  written(call);
  EXPECT_EQ(question.answers(), 1u);
  EXPECT_FALSE(world.ended(adaptor));
}

TEST_F(AdaptorTest, AnAnswerWithAnotherStampIsABugAndNotTakenForOurs) {
  write(1);
  write(2);
  auto calls = log.calls_of<LogWriteGroup>();
  auto of_first = stamp_of(*calls[0]);
  auto of_second = stamp_of(*calls[1]);
  EXPECT_EXIT(
      {
        log.reply(*calls[1], LogWrittenGroup{{LogWritten{of_first, 2, {}}}});
        world.run();
      },
      testing::ExitedWithCode(70), "an answer names the call it completes");
  EXPECT_EXIT(
      {
        log.reply(*calls[1], LogWrittenGroup{{LogWritten{{of_second.epoch - 1, of_second.sequence}, 2, {}}}});
        world.run();
      },
      testing::ExitedWithCode(70), "an answer names the call it completes");
}

TEST_F(AdaptorTest, StoppingAnswersEverything) {
  auto a = write(1);
  auto b = apply();
  world.exit(adaptor);
  world.run();
  for (const auto& error : {a.error(), b.error()}) {
    EXPECT_EQ(error_of(error).kind, StorageKind::unavailable);
    EXPECT_EQ(error_of(error).outcome, StorageOutcome::unknown);
  }
  EXPECT_EQ(world.ended(adaptor), caf::error(caf::exit_reason::user_shutdown));
  // Whoever asks a stopped adaptor hears it, too.
  auto late = write(2);
  EXPECT_EQ(error_of(late.error()).kind, StorageKind::unavailable);
}

}  // namespace
}  // namespace kiwi::test
