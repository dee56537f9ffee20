// A node whose disk fills, and whose data is damaged: it closes its data, refuses everything for a while, and
// opens again by itself (node_actor.hpp). D07.

#include "actors/node_actor.hpp"

#include <gmock/gmock.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include "actor_world.hpp"
#include "actors/replica_errors.hpp"
#include "actors/storage_errors.hpp"
#include "messages/codec.hpp"
#include "statemachine/redis_machine.hpp"
#include "storage/testing/sim_env.hpp"

namespace kiwi::test {
namespace {

using testing::HasSubstr;

struct NodeTest : testing::Test {
  sim::SimMachine machine;
  std::unique_ptr<ActorWorld> world = std::make_unique<ActorWorld>();
  NodeActor node;
  int opened = 0;
  std::uint64_t scrub = 0;  // bytes a second

  ~NodeTest() override {
    if (node && !world->ended(node)) {
      world->exit(node);
      world->run();
    }
    machine.power_off();
    node = nullptr;
    world.reset();
  }

  OpenOptions options() {
    OpenOptions o;
    o.dir = "/node";
    o.env = &machine.env;
    o.simulated = true;
    o.id = NodeId(1);
    o.address = NodeAddress{"10.0.0.1", 7001, 17001};
    o.initial_cluster = {Member{o.id, *o.address}};
    o.new_instance = InstanceId(101);
    o.make_machine = [this](const std::string& dir,
                            const Membership& initial) -> Result<std::unique_ptr<StateMachine>> {
      RedisMachineOptions redis;
      redis.dir = dir;
      redis.env = &machine.env;
      redis.simulated = true;
      redis.run_queued_jobs = [this] { machine.env.run_jobs(); };
      auto made = RedisMachine::open(redis, initial);
      if (!made)
        return tl::unexpected(made.error());
      return std::unique_ptr<StateMachine>(std::move(*made));
    };
    return o;
  }
  void start(bool comes_back = true) {
    auto first = open_replica(options());
    ASSERT_TRUE(first) << first.error().cause;
    NodeStart start;
    start.opened = std::move(*first);
    start.mode = SpawnMode::scheduled;
    start.serve_peers = start.serve_redis = false;
    start.replica.scrub_bytes_per_second = scrub;
    start.replica.unix_clock_ms = [this] { return world->now_ms(); };
    start.replica.log =
        std::make_shared<spdlog::logger>("node", std::make_shared<spdlog::sinks::null_sink_mt>());
    start.replica.make_peer = [this](const Member&, const Hello&, const ReplicaActor&) {
      return world->stub().as<PeerActor>();
    };
    if (comes_back) {
      start.reopen = [this] {
        ++opened;
        return open_replica(options());
      };
    }
    node = spawn_node(world->system(), std::move(start));
    world->watch(node);
    world->run();
    seconds(1);
  }
  /// Ends it and starts it again: what was written lies in tables then. Spoils every one of them.
  void restart_with_spoilt_tables() {
    world->exit(node);
    world->run();
    node = nullptr;
    world = std::make_unique<ActorWorld>();
    start();
    int tables = 0;
    for (const auto& [path, file] : machine.disk.files()) {
      if (sim::class_of(path) != sim::FileClass::data_table)
        continue;
      ++tables;
      for (std::uint64_t bit = 0; bit < file->bytes.size() * 8; bit += 64) machine.disk.flip(path, bit);
    }
    ASSERT_GT(tables, 0);
    machine.disk.evict();
  }
  void seconds(int n) {
    for (int i = 0; i < 20 * n; ++i) world->advance(50);
  }
  ReplicaActor replica() {
    auto question = world->ask<ReplicaActor>(node, caf::get_atom_v);
    world->run();
    return question.reply();
  }
  static Bytes command(std::vector<std::string> words) {
    ClientRequest request;
    for (auto& word : words) request.command.args.push_back(Bytes::copy_of(word));
    return encode_request(request);
  }
  Question<ClientResponse> set(const std::string& key, const std::string& value) {
    auto question = world->ask<ClientResponse>(replica(), Propose{command({"SET", key, value})});
    world->run();
    return question;
  }
  std::string get(const std::string& key) {
    auto question = world->ask<ClientResponse>(replica(), Query{command({"GET", key}), false});
    world->run();
    return question.reply().reply.text.str();
  }
  NodeStatus status() {
    auto question = world->ask<StatusPtr>(replica(), StatusRequest{});
    world->run();
    return *question.reply();
  }
};

TEST_F(NodeTest, AFullDiskPutsItOutOfServiceUntilThereIsRoomAgain) {
  start();
  ASSERT_TRUE(set("k", "before").succeeded());
  machine.fs->set_capacity(machine.disk.size());
  auto lost = set("k", "during");
  EXPECT_EQ(answer_kind_of(lost.error()), AnswerKind::unknown) << "its record may lie in the file";

  EXPECT_EQ(answer_kind_of(set("k", "later").error()), AnswerKind::out_of_service);
  EXPECT_THAT(status().out_of_service, HasSubstr("no-space"));
  seconds(20);
  EXPECT_GT(opened, 2) << "it goes on trying";
  EXPECT_LT(opened, 8) << "but not all the time";
  EXPECT_EQ(status().reopen_attempts, static_cast<std::uint64_t>(opened));
  EXPECT_EQ(answer_kind_of(set("k", "later").error()), AnswerKind::out_of_service);

  machine.fs->set_capacity(~std::uint64_t{0});
  seconds(17);
  EXPECT_EQ(status().out_of_service, "");
  EXPECT_THAT(get("k"), testing::AnyOf("before", "during")) << "what was unknown may have happened";
  EXPECT_TRUE(set("k", "after").succeeded());
  EXPECT_EQ(get("k"), "after");
}

TEST_F(NodeTest, ItBecomesFullAgainAndAgainAndLosesNothing) {
  start();
  for (int round = 0; round < 5; ++round) {
    const auto value = std::to_string(round);
    ASSERT_TRUE(set("k" + value, value).succeeded());
    machine.fs->set_capacity(machine.disk.size() + static_cast<std::uint64_t>(round) * 100);
    for (int i = 0; i < 10 && status().out_of_service.empty(); ++i) set("other", std::string(500, 'x'));
    ASSERT_NE(status().out_of_service, "");
    machine.fs->set_capacity(~std::uint64_t{0});
    seconds(17);
    ASSERT_EQ(status().out_of_service, "");
    for (int i = 0; i <= round; ++i) EXPECT_EQ(get("k" + std::to_string(i)), std::to_string(i));
  }
}

TEST_F(NodeTest, DamagedDataIsSetAsideAndMadeAgain) {
  scrub = 1 << 20;
  start();
  ASSERT_TRUE(set("k", "v").succeeded());
  restart_with_spoilt_tables();
  // Its only block was read when it was opened and is in memory: no read of a client meets the damage.
  ASSERT_EQ(get("k"), "v");
  for (int i = 0; i < 12 && opened == 0; ++i) seconds(1);
  seconds(1);
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(status().data_damaged, 1u);
  EXPECT_EQ(status().out_of_service, "");
  EXPECT_EQ(get("k"), "v") << "applied again from the log";
  EXPECT_TRUE(machine.disk.is_dir("/node/data.damaged-1"));
}

TEST_F(NodeTest, DamageThatTheScrubFindsAmongWritesIsMadeAgainToo) {
  scrub = 1 << 20;
  start();
  ASSERT_TRUE(set("k", "v").succeeded());
  restart_with_spoilt_tables();
  // Writes go on meanwhile: some are under way when the machine ends, and tell the node of it first.
  for (int i = 0; i < 400 && opened == 0; ++i) {
    static_cast<void>(
        world->ask<ClientResponse>(replica(), Propose{command({"SET", "k", std::to_string(i)})}));
    world->advance(50);
  }
  seconds(2);
  EXPECT_FALSE(world->ended(node));
  EXPECT_EQ(status().data_damaged, 1u);
}

TEST_F(NodeTest, AFailedSyncEndsItForGood) {
  start();
  machine.fs->inject({.op = sim::DiskOp::sync, .in_name = "/log/"});
  set("k", "v");
  world->run();
  EXPECT_TRUE(world->ended(node));
  EXPECT_EQ(opened, 0);
}

TEST_F(NodeTest, WithoutTheMeansToOpenAgainAFullDiskEndsIt) {
  start(false);
  machine.fs->set_capacity(machine.disk.size());
  set("k", "v");
  world->run();
  ASSERT_TRUE(world->ended(node));
  EXPECT_EQ(storage_error_of(*world->ended(node), StorageSubject::log, StorageVerb::write).kind,
            StorageKind::no_space);
}

TEST_F(NodeTest, ItCanBeStoppedWhileItIsOutOfService) {
  start();
  machine.fs->set_capacity(machine.disk.size());
  set("k", "v");
  ASSERT_NE(status().out_of_service, "");
  world->exit(node);
  world->run();
  ASSERT_TRUE(world->ended(node));
  EXPECT_EQ(*world->ended(node), caf::exit_reason::user_shutdown);
}

}  // namespace
}  // namespace kiwi::test
