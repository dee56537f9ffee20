// Who may speak to this node, how a cluster begins, and what a node says about itself.

#include "messages/cluster_id.hpp"
#include "raft_world.hpp"

namespace kiwi::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RaftSetup nodes(std::uint64_t n) {
  return {.nodes = n, .raft = {}, .bindings = {}, .restored = {}, .log = {}};
}

Hello hello_of(std::uint64_t id, std::uint64_t instance) {
  Hello hello;
  hello.protocol_version = kPeerProtocolVersion;
  hello.cluster = kCluster;
  hello.node = NodeId(id);
  hello.target = NodeId(1);
  hello.instance = InstanceId(instance);
  hello.lane = 1;
  return hello;
}

struct RaftHello : testing::Test {
  RaftSetup setup() {
    auto s = nodes(3);
    s.bindings = {{NodeId(2), InstanceId(22)}};
    return s;
  }
  RaftWorld w{setup()};
  Question<HelloVerdict> say(Hello hello) {
    auto question = w.world.ask<HelloVerdict>(w.raft, HelloQuestion{std::move(hello)});
    w.run();
    return question;
  }
  std::string refusal(Hello hello) { return say(std::move(hello)).reply().refusal; }
  std::size_t bindings_written() {
    std::size_t count = 0;
    for (auto* call : w.storage.calls_of<LogWrite>()) count += call->as<LogWrite>().has_binding ? 1 : 0;
    return count;
  }
};

TEST_F(RaftHello, AKnownPeerIsWelcomeAtOnce) {
  auto verdict = say(hello_of(2, 22)).reply();
  EXPECT_EQ(verdict.refusal, "");
  EXPECT_EQ(verdict.own.node, NodeId(1));
  EXPECT_EQ(verdict.own.target, NodeId(2));
  EXPECT_EQ(verdict.own.instance, kInstance);
  EXPECT_EQ(verdict.own.cluster, kCluster);
  EXPECT_EQ(verdict.own.lane, 1);
  EXPECT_EQ(bindings_written(), 0u);
}

TEST_F(RaftHello, WhoIsNotMeantOrNotOneOfUsIsRefusedWithTheReason) {
  auto version = hello_of(2, 22);
  version.protocol_version = kPeerProtocolVersion + 1;
  EXPECT_THAT(refusal(version), HasSubstr("protocol version 6 is not spoken here, only 5"));
  auto cluster = hello_of(2, 22);
  cluster.cluster = ClusterId(78);
  EXPECT_THAT(refusal(cluster), HasSubstr("another cluster"));
  auto target = hello_of(2, 22);
  target.target = NodeId(3);
  EXPECT_THAT(refusal(target), HasSubstr("this is node 1, not node 3"));
  EXPECT_THAT(refusal(hello_of(4, 44)), HasSubstr("node 4 is not a member"));
  EXPECT_THAT(refusal(hello_of(1, 11)), HasSubstr("this node's own"));
  EXPECT_THAT(refusal(hello_of(3, 0)), HasSubstr("no instance id"));
  EXPECT_THAT(refusal(hello_of(2, 23)), HasSubstr("another data directory"));
  EXPECT_EQ(bindings_written(), 0u);
}

TEST_F(RaftHello, TheRefusalTravelsInTheAnswer) {
  auto verdict = say(hello_of(2, 23)).reply();
  EXPECT_EQ(verdict.own.reason, verdict.refusal);
  EXPECT_FALSE(verdict.refusal.empty());
}

TEST_F(RaftHello, AtFirstContactTheBindingIsDurableBeforeTheWelcome) {
  w.hold_writes = true;
  auto first = say(hello_of(3, 33));
  w.ticks(2);
  EXPECT_EQ(first.answers(), 0u);
  ASSERT_EQ(bindings_written(), 1u);
  EXPECT_EQ(w.storage.next<LogWrite>().as<LogWrite>().binding, (PeerBinding{NodeId(3), InstanceId(33)}));
  // Meanwhile another directory claims to be node 3.
  EXPECT_THAT(refusal(hello_of(3, 34)), HasSubstr("right now"));
  w.hold_writes = false;
  w.run();
  EXPECT_EQ(first.reply().refusal, "");
  EXPECT_EQ(refusal(hello_of(3, 33)), "");
  EXPECT_THAT(refusal(hello_of(3, 34)), HasSubstr("another data directory"));
  EXPECT_EQ(bindings_written(), 1u);
}

TEST_F(RaftHello, BothLanesOfAFirstContactAreWelcomed) {
  w.hold_writes = true;
  auto control = say(hello_of(3, 33));
  auto bulk = say(hello_of(3, 33));
  EXPECT_EQ(control.answers() + bulk.answers(), 0u);
  w.hold_writes = false;
  w.run();
  EXPECT_EQ(control.reply().refusal, "");
  EXPECT_EQ(bulk.reply().refusal, "");
}

TEST_F(RaftHello, ABindingThatCannotBeWrittenEndsTheReplica) {
  w.hold_writes = true;
  auto question = say(hello_of(3, 33));
  StorageError full{StorageSubject::log, StorageVerb::sync, StorageKind::no_space, "full",
                    StorageOutcome::unknown};
  w.storage.reply(w.storage.next<LogWrite>(), to_caf_error(full));
  w.run();
  EXPECT_EQ(question.answers(), 1u);
  EXPECT_FALSE(question.succeeded());
  EXPECT_FALSE(w.alive());
}

TEST(RaftHelloWithoutCluster, NobodyIsWelcome) {
  RaftWorld w(nodes(0));
  auto question = w.world.ask<HelloVerdict>(w.raft, HelloQuestion{hello_of(2, 22)});
  w.run();
  EXPECT_THAT(question.reply().refusal, HasSubstr("no cluster yet"));
}

// --- RAFT.CLUSTER INIT

TEST(RaftBootstrap, MakesAClusterOfOneThatServes) {
  RaftWorld w(nodes(0));
  w.ticks(30);
  EXPECT_EQ(w.status().role, raft::Role::follower);
  EXPECT_FALSE(w.status().has_cluster);
  auto question = w.world.ask<ClusterId>(w.raft, Bootstrap{});
  w.run();
  EXPECT_EQ(question.answers(), 0u) << "not before the disk has it";
  EXPECT_FALSE(w.status().has_cluster);
  auto& call = w.storage.next<AdoptCluster>();
  auto expected = membership_of({member(1)});
  EXPECT_EQ(call.as<AdoptCluster>().initial, expected);
  EXPECT_EQ(call.as<AdoptCluster>().cluster, cluster_id_of(expected, "token"));
  w.storage.reply(call, call.as<AdoptCluster>().cluster);
  w.run();
  EXPECT_EQ(question.reply(), cluster_id_of(expected, "token"));
  w.lead();
  EXPECT_EQ(w.status().cluster, cluster_id_of(expected, "token"));
  EXPECT_EQ(w.status().membership, expected);
  EXPECT_EQ(w.propose("a").reply().reply, did("a"));
}

TEST(RaftBootstrap, ASecondTimeIsRefused) {
  RaftWorld w(nodes(1));
  auto question = w.world.ask<ClusterId>(w.raft, Bootstrap{});
  w.run();
  EXPECT_EQ(question.error(), caf::error(caf::sec::runtime_error));
  EXPECT_TRUE(w.storage.calls_of<AdoptCluster>().empty());
}

TEST(RaftBootstrap, TwoAtOnceMakeOneClusterAndStopNobody) {
  RaftWorld w(nodes(0));
  auto first = w.world.ask<ClusterId>(w.raft, Bootstrap{});
  auto second = w.world.ask<ClusterId>(w.raft, Bootstrap{});
  w.run();
  // What a log store says to the second call: its directory belongs to a cluster already.
  auto calls = w.storage.calls_of<AdoptCluster>();
  w.storage.reply(*calls.at(0), calls.at(0)->as<AdoptCluster>().cluster);
  for (std::size_t i = 1; i < calls.size(); ++i)
    w.storage.reply(*calls[i], to_caf_error(StorageError{StorageSubject::identity, StorageVerb::write,
                                                         StorageKind::invalid_request, "taken",
                                                         StorageOutcome::not_written}));
  w.run();
  EXPECT_TRUE(first.succeeded());
  EXPECT_EQ(second.error(), caf::error(caf::sec::runtime_error));
  ASSERT_TRUE(w.alive());
  w.lead();
  EXPECT_EQ(w.propose("a").reply().reply, did("a"));
}

// --- Status, digests, peers

TEST(RaftStatus, WithoutFiguresNoStorageIsAsked) {
  RaftWorld w(nodes(3));
  w.lead();
  auto calls = w.storage.calls().size();
  auto s = w.status();
  EXPECT_EQ(w.storage.calls().size(), calls);
  EXPECT_EQ(s.id, NodeId(1));
  EXPECT_EQ(s.cluster, kCluster);
  EXPECT_EQ(s.instance, kInstance);
  EXPECT_EQ(s.address, member(1).address);
  EXPECT_EQ(s.role, raft::Role::leader);
  EXPECT_EQ(s.leader, NodeId(1));
  EXPECT_TRUE(s.leader_ready);
  EXPECT_EQ(s.followers.size(), 2u);
  EXPECT_EQ(s.pending_proposals, 0u);
  EXPECT_FALSE(s.with_stats);
  w.propose("a");
  EXPECT_EQ(w.status().pending_proposals, 1u);
  w.hold_applies = true;
  w.serve(2);
  EXPECT_EQ(w.status().pending_proposals, 1u) << "being applied counts";
  w.apply_one();
  EXPECT_EQ(w.status().pending_proposals, 0u);
  EXPECT_EQ(w.status().applied, Index(2));
}

TEST(RaftStatus, FiguresComeFromBothStorageActors) {
  RaftWorld w(nodes(1));
  auto question = w.world.ask<StatusPtr>(w.raft, StatusRequest{true});
  w.run();
  LogStoreFigures figures;
  figures.syncs = 31;
  w.storage.reply(w.storage.next<LogStatsRequest>(), figures);
  w.run();
  StateStats stats;
  stats.keys = 17;
  EXPECT_EQ(question.answers(), 0u);
  w.storage.reply(w.storage.next<StatsRequest>(), stats);
  w.run();
  EXPECT_TRUE(question.reply()->with_stats);
  EXPECT_EQ(question.reply()->log_store.syncs, 31u);
  EXPECT_EQ(question.reply()->state.keys, 17u);
}

TEST(RaftStatus, FiguresThatCannotBeHadAreAnError) {
  for (bool log_answers : {false, true}) {
    RaftWorld w(nodes(1));
    auto question = w.world.ask<StatusPtr>(w.raft, StatusRequest{true});
    w.run();
    auto gone = to_caf_error(StorageError{});
    if (log_answers) {
      w.storage.reply(w.storage.next<LogStatsRequest>(), LogStoreFigures{});
      w.run();
      w.storage.reply(w.storage.next<StatsRequest>(), gone);
    } else {
      w.storage.reply(w.storage.next<LogStatsRequest>(), gone);
    }
    w.run();
    EXPECT_FALSE(question.succeeded());
  }
}

TEST(RaftStatus, KnowsWhichPeersAreConnected) {
  RaftWorld w(nodes(3));
  w.world.tell(w.raft, PeerUp{NodeId(3)});
  w.world.tell(w.raft, PeerUp{NodeId(2)});
  w.world.tell(w.raft, PeerUp{NodeId(3)});
  w.run();
  EXPECT_THAT(w.status().connected_peers, ElementsAre(NodeId(2), NodeId(3)));
  w.world.tell(w.raft, PeerUnreachable{NodeId(2)});
  w.world.tell(w.raft, PeerUnreachable{NodeId(2)});
  w.run();
  EXPECT_THAT(w.status().connected_peers, ElementsAre(NodeId(3)));
}

TEST(RaftDigest, AMarkerIsAnsweredWithItsIndexWhenApplied) {
  RaftWorld w(nodes(1));
  w.lead();
  w.hold_applies = true;
  auto question = w.world.ask<Index>(w.raft, DigestMarker{});
  w.run();
  EXPECT_EQ(question.answers(), 0u);
  EXPECT_EQ(w.storage.next<ApplyBatch>().as<ApplyBatch>().entries.front().kind, EntryKind::digest);
  w.apply_one();
  EXPECT_EQ(question.reply(), Index(2));
  auto digest = w.world.ask<DigestAnswer>(w.raft, DigestRequest{Index(2)});
  w.run();
  w.storage.reply(w.storage.next<DigestRequest>(), DigestAnswer{true, {Index(2), "beef", 3}});
  w.run();
  EXPECT_EQ(digest.reply().digest.hex, "beef");
}

TEST(RaftDigest, AFollowerPutsNoMarker) {
  RaftWorld w(nodes(3));
  w.from(2, HeartbeatRequest{Term(4), Index(0), 0});
  w.run();
  auto question = w.world.ask<Index>(w.raft, DigestMarker{});
  w.run();
  EXPECT_EQ(answer_kind_of(question.error()), AnswerKind::not_leader);
  EXPECT_EQ(leader_of(question.error()), member(2).address);
}

TEST(RaftFetch, EntriesThatAreNotInMemoryAreReadBack) {
  RaftSetup setup = nodes(1);
  setup.restored.vote = {Term(2), NodeId(1)};
  setup.restored.runs = {{Term(2), Index(1)}};
  setup.restored.last = {Term(2), Index(3)};
  setup.restored.last_stamp_ms = 500;
  for (std::uint64_t i = 1; i <= 3; ++i)
    setup.log.push_back({{Term(2), Index(i)}, EntryKind::command, 500, text("old" + std::to_string(i))});
  RaftWorld w(std::move(setup));  // elected at once; what is committed by that must be applied first
  auto& call = w.storage.next<LogRead>();
  EXPECT_EQ(call.as<LogRead>().first, Index(1));
  // Not there any more: it is asked for again later, and nobody panics.
  w.storage.reply(
      call, to_caf_error(StorageError{StorageSubject::log, StorageVerb::read, StorageKind::invalid_request,
                                      "purged", StorageOutcome::not_written}));
  w.run();
  ASSERT_TRUE(w.alive());
  w.ticks(1);
  auto& again = w.storage.next<LogRead>();
  w.storage.reply(again, LogEntries{again.as<LogRead>().stamp, {w.log.begin(), w.log.begin() + 3}});
  w.run();
  EXPECT_THAT(w.machine_calls, ElementsAre("apply 1 old1", "apply 2 old2", "apply 3 old3", "apply 4"));
}

}  // namespace
}  // namespace kiwi::test
