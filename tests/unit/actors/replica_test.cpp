// A whole replica, its five actors in one thread, with a real log store on a simulated disk: opening,
// restart, first contact, the end.

#include "actors/replica.hpp"

#include <gmock/gmock.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include "actor_world.hpp"
#include "actors/replica_errors.hpp"
#include "actors/storage_errors.hpp"
#include "messages/cluster_id.hpp"
#include "storage/testing/sim_env.hpp"

namespace kiwi::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

NodeAddress address_of(std::uint64_t id) {
  auto port = static_cast<std::uint16_t>(7000 + id);
  return {"10.0.0." + std::to_string(id), port, static_cast<std::uint16_t>(port + 10000)};
}
std::vector<Member> members(std::uint64_t n) {
  std::vector<Member> all;
  for (std::uint64_t id = 1; id <= n; ++id) all.push_back({NodeId(id), address_of(id)});
  return all;
}

/// Keeps the commands it applied, in memory only: after a restart all of them come from the log again.
class ListMachine : public StateMachine {
 public:
  AppliedState applied_state() const override { return {applied_, stamp_ms_, {}, {}}; }
  Result<ApplyResult> apply(const std::vector<Entry>& entries) override {
    ApplyResult result;
    for (const auto& entry : entries) {
      applied_ = entry.id;
      stamp_ms_ = std::max(stamp_ms_, entry.stamp_ms);
      if (entry.kind == EntryKind::command)
        list_ += entry.payload.str() + ";";
      result.replies.push_back(Reply::bulk(list_));
    }
    return result;
  }
  Result<StateAnswer> query(const StateQuery& query) override {
    return StateAnswer{query.token, 0, Reply::bulk(list_)};
  }
  Result<Index> flush() override { return applied_.index; }

 private:
  LogId applied_;
  std::uint64_t stamp_ms_ = 0;
  std::string list_;
};

struct ReplicaTest : testing::Test {
  std::unique_ptr<sim::SimMachine> machine = std::make_unique<sim::SimMachine>();
  /// A process: gone with its actors, while the disk stays.
  struct Process {
    ActorWorld world;
    Replica replica;
    std::map<std::uint64_t, Stub*> peers;
  };
  std::unique_ptr<Process> process;

  ~ReplicaTest() override {
    machine->power_off();
    process.reset();
  }

  OpenOptions flags(std::uint64_t id, std::uint64_t cluster_size) {
    OpenOptions o = no_flags();
    o.id = NodeId(id);
    o.address = address_of(id);
    o.initial_cluster = members(cluster_size);
    o.cluster_token = "token";
    o.new_instance = InstanceId(100 + id);
    return o;
  }
  OpenOptions no_flags() {
    OpenOptions o;
    o.dir = "/node";
    o.env = &machine->env;
    o.simulated = true;
    o.make_machine = [](const std::string&, const Membership&) -> Result<std::unique_ptr<StateMachine>> {
      return std::make_unique<ListMachine>();
    };
    return o;
  }
  /// Why the directory is not opened.
  std::string refusal(const OpenOptions& o) {
    auto opened = open_replica(o);
    if (opened)
      return "opened";
    EXPECT_EQ(opened.error().kind, StorageKind::mismatch);
    return opened.error().cause;
  }
  void start(const OpenOptions& o) {
    auto opened = open_replica(o);
    ASSERT_TRUE(opened) << opened.error().cause;
    process = std::make_unique<Process>();
    auto& p = *process;
    ReplicaOptions options;
    options.cluster_token = o.cluster_token;
    options.unix_clock_ms = [&p] { return p.world.now_ms(); };
    options.log = std::make_shared<spdlog::logger>("raft", std::make_shared<spdlog::sinks::null_sink_mt>());
    options.make_peer = [&p](const Member& peer, const Hello&, const ReplicaActor&) {
      p.peers[peer.id.value] = &p.world.stub();
      return p.peers[peer.id.value]->as<PeerActor>();
    };
    p.replica =
        spawn_replica(p.world.system(), std::move(*opened), std::move(options), SpawnMode::scheduled, 7);
    for (const auto& actor : p.replica.in_start_order()) p.world.watch(actor);
    p.world.run();
  }
  /// As the node does: what was started last goes first.
  void stop() {
    auto actors = process->replica.in_start_order();
    for (auto actor = actors.rbegin(); actor != actors.rend(); ++actor) {
      process->world.exit(*actor);
      process->world.run();
      EXPECT_TRUE(process->world.ended(*actor));
    }
    process.reset();
  }
  void ticks(int n) {
    for (int i = 0; i < n; ++i) process->world.advance(50);
  }
  template <class Answer, class Message>
  Question<Answer> ask(Message message) {
    auto question = process->world.ask<Answer>(process->replica.raft, std::move(message));
    process->world.run();
    return question;
  }
  Question<ClientResponse> propose(const std::string& payload) {
    return ask<ClientResponse>(Propose{Bytes::copy_of(payload)});
  }
  std::string list() { return ask<ClientResponse>(Query{{}, false}).reply().reply.text.str(); }
  NodeStatus status() { return *ask<StatusPtr>(StatusRequest{true}).reply(); }
  Hello hello_of(std::uint64_t id, std::uint64_t instance) {
    Hello hello;
    hello.protocol_version = kPeerProtocolVersion;
    hello.cluster = status().cluster;
    hello.node = NodeId(id);
    hello.target = NodeId(1);
    hello.instance = InstanceId(instance);
    return hello;
  }
};

TEST_F(ReplicaTest, AClusterOfOneWritesReadsAndComesBack) {
  start(flags(1, 1));
  ticks(2);
  EXPECT_EQ(propose("a").reply().reply, Reply::bulk("a;"));
  EXPECT_EQ(propose("b").reply().reply, Reply::bulk("a;b;"));
  EXPECT_EQ(list(), "a;b;");
  auto term = status().term;
  stop();
  start(no_flags());
  ticks(2);
  EXPECT_EQ(list(), "a;b;");
  EXPECT_GT(status().term, term);
  EXPECT_EQ(status().id, NodeId(1));
  EXPECT_EQ(status().instance, InstanceId(101));
  EXPECT_EQ(status().address, address_of(1));
  EXPECT_EQ(propose("c").reply().reply, Reply::bulk("a;b;c;"));
}

TEST_F(ReplicaTest, ManyWritesTogetherAreOneSync) {
  start(flags(1, 1));
  ticks(2);
  auto before = status().log_store.syncs;
  std::vector<Question<ClientResponse>> questions;
  for (int i = 0; i < 50; ++i)
    questions.push_back(
        process->world.ask<ClientResponse>(process->replica.raft, Propose{Bytes::copy_of("x")}));
  process->world.run();
  for (const auto& question : questions) EXPECT_TRUE(question.succeeded());
  EXPECT_EQ(status().log_store.syncs - before, 1u);
}

TEST_F(ReplicaTest, WhatWasAnsweredSurvivesAPowerFailure) {
  start(flags(1, 1));
  ticks(2);
  ASSERT_TRUE(propose("a").succeeded());
  auto rebooted = std::make_unique<sim::SimMachine>(machine->disk.after_power_failure());
  machine->power_off();
  process.reset();
  machine = std::move(rebooted);
  start(no_flags());
  ticks(2);
  EXPECT_EQ(list(), "a;");
}

TEST_F(ReplicaTest, ANewDirectoryWantsToKnowWhoItIs) {
  EXPECT_THAT(refusal(no_flags()), HasSubstr("needs a node id"));
  auto o = flags(1, 0);
  o.address.reset();
  EXPECT_THAT(refusal(o), HasSubstr("needs an address"));
  o = flags(1, 3);
  o.id = NodeId(4);
  EXPECT_THAT(refusal(o), HasSubstr("node id 4 is not in the initial cluster"));
  o = flags(1, 3);
  o.address = address_of(9);
  EXPECT_THAT(refusal(o), testing::AllOf(HasSubstr("10.0.0.1:7001@17001"), HasSubstr("10.0.0.9:7009@17009")));
  start(flags(1, 1));  // nothing of that was kept
}

TEST_F(ReplicaTest, FlagsThatContradictTheDirectoryAreRefusedWithBothValues) {
  start(flags(1, 3));
  stop();
  auto o = flags(1, 3);
  o.id = NodeId(2);
  EXPECT_THAT(refusal(o), testing::AllOf(HasSubstr("node 1"), HasSubstr("node 2")));
  o = flags(1, 3);
  o.address = address_of(2);
  EXPECT_THAT(refusal(o), testing::AllOf(HasSubstr("10.0.0.1:7001"), HasSubstr("10.0.0.2:7002")));
  o = flags(1, 2);
  EXPECT_THAT(refusal(o), HasSubstr("was made for the initial cluster"));
  o = flags(1, 3);
  o.cluster_token = "another";
  EXPECT_THAT(refusal(o), HasSubstr("token"));
  start(flags(1, 3));
  EXPECT_EQ(status().membership, membership_of(members(3)));
}

TEST_F(ReplicaTest, AClusterOfOneIsMadeOnceAndRemembered) {
  start(flags(1, 0));
  ticks(30);
  EXPECT_EQ(answer_kind_of(propose("a").error()), AnswerKind::no_cluster);
  auto first = process->world.ask<ClusterId>(process->replica.raft, Bootstrap{});
  auto second = process->world.ask<ClusterId>(process->replica.raft, Bootstrap{});
  process->world.run();
  auto cluster = cluster_id_of(membership_of(members(1)), "token");
  EXPECT_EQ(first.reply(), cluster);
  EXPECT_EQ(second.error(), caf::error(caf::sec::runtime_error));
  ticks(2);
  EXPECT_EQ(propose("a").reply().reply, Reply::bulk("a;"));
  stop();
  start(no_flags());
  ticks(2);
  EXPECT_EQ(status().cluster, cluster);
  EXPECT_EQ(list(), "a;");
  EXPECT_EQ(ask<ClusterId>(Bootstrap{}).error(), caf::error(caf::sec::runtime_error));
}

TEST_F(ReplicaTest, APeersInstanceIsRememberedOverARestart) {
  start(flags(1, 3));
  EXPECT_EQ(ask<HelloVerdict>(HelloQuestion{hello_of(2, 22)}).reply().refusal, "");
  EXPECT_EQ(process->peers.size(), 2u);
  stop();
  start(no_flags());
  EXPECT_THAT(ask<HelloVerdict>(HelloQuestion{hello_of(2, 23)}).reply().refusal,
              HasSubstr("another data directory"));
  EXPECT_EQ(ask<HelloVerdict>(HelloQuestion{hello_of(2, 22)}).reply().refusal, "");
}

TEST_F(ReplicaTest, AFailedSyncStopsTheReplicaAndTheWriterHearsUnknown) {
  start(flags(1, 1));
  ticks(2);
  machine->fs->inject({sim::DiskOp::sync, 1, false, false, ".log"});
  auto question = propose("a");
  EXPECT_EQ(answer_kind_of(question.error()), AnswerKind::unknown);
  const auto& end = process->world.ended(process->replica.raft);
  ASSERT_TRUE(end);
  auto error = storage_error_of(*end, StorageSubject::snapshot, StorageVerb::seek);
  EXPECT_EQ(error.subject, StorageSubject::log);
  EXPECT_EQ(error.kind, StorageKind::io);
}

TEST_F(ReplicaTest, ALostLogStoreStopsTheReplica) {
  start(flags(1, 1));
  ticks(2);
  process->world.exit(process->replica.log_store);
  process->world.run();
  EXPECT_FALSE(process->world.ended(process->replica.raft)) << "it owes nobody anything";
  auto question = propose("a");
  EXPECT_EQ(answer_kind_of(question.error()), AnswerKind::unknown);
  EXPECT_TRUE(process->world.ended(process->replica.raft));
}

TEST_F(ReplicaTest, AMachineWithoutSnapshotsSaysSo) {
  start(flags(1, 1));
  auto question = process->world.ask<SnapshotMeta>(process->replica.snapshot_builder, BuildSnapshot{});
  process->world.run();
  EXPECT_EQ(storage_error_of(question.error(), StorageSubject::log, StorageVerb::open).kind,
            StorageKind::unsupported);
}

}  // namespace
}  // namespace kiwi::test
