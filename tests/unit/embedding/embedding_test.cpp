// Replicas inside an application: a cluster of three in one actor_system, over real loopback sockets, and
// what opening refuses.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <caf/io/all.hpp>
#include <chrono>
#include <filesystem>

#include "kiwi/kiwi.hpp"

namespace kiwi {
namespace {

using namespace std::chrono_literals;

/// A port that was free a moment ago.
std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(0, ::bind(socket, reinterpret_cast<sockaddr*>(&address), size));
  EXPECT_EQ(0, ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size));
  ::close(socket);
  return ntohs(address.sin_port);
}

struct Config : caf::actor_system_config {
  explicit Config(bool network) {
    if (network)
      load<caf::io::middleman>();
    set("scheduler.policy", caf::atom("sharing"));
    set("logger.inline-output", true);
    register_errors(*this);
  }
};

class EmbeddingTest : public testing::Test {
 protected:
  EmbeddingTest() : dir_(testing::TempDir() + "kiwi-embedding-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(dir_);
  }
  ~EmbeddingTest() override { std::filesystem::remove_all(dir_); }

  EmbeddedOptions member(std::uint64_t id, const std::vector<Member>& all) const {
    EmbeddedOptions options;
    options.dir = dir_ + "/" + std::to_string(id);
    options.id = NodeId(id);
    options.address = all[id - 1].address;
    options.initial_cluster = all;
    return options;
  }

  std::string dir_;
};

std::vector<Member> three() {
  std::vector<Member> all;
  for (std::uint64_t id = 1; id <= 3; ++id)
    all.push_back(Member{NodeId(id), NodeAddress{"127.0.0.1", free_port(), free_port()}});
  return all;
}

struct Outcome {
  AnswerKind kind = AnswerKind::done;
  Reply reply;
  NodeAddress leader;
};

template <class Message>
Outcome ask(caf::scoped_actor& self, const EmbeddedReplica& replica, Message message) {
  Outcome outcome;
  self->request(replica.actor(), caf::infinite, std::move(message))
      .receive([&](ClientResponse& r) { outcome.reply = std::move(r.reply); },
               [&](const caf::error& e) {
                 outcome.kind = answer_kind_of(e);
                 outcome.leader = leader_of(e);
               });
  return outcome;
}

TEST_F(EmbeddingTest, ThreeReplicasAgreeAndTheOthersNameTheLeader) {
  Config config(true);
  caf::actor_system system(config);
  const auto all = three();
  std::vector<EmbeddedReplica> replicas;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    auto replica = EmbeddedReplica::open(system, member(id, all));
    ASSERT_TRUE(replica) << system.render(replica.error());
    replicas.push_back(std::move(*replica));
  }
  for (auto& replica : replicas) ASSERT_TRUE(replica.wait_until_ready(30s));

  // Leadership may move while this asks: until one round finds one leader, named by the others.
  caf::scoped_actor self{system};
  bool agreed = false;
  for (const auto end = std::chrono::steady_clock::now() + 30s;
       !agreed && std::chrono::steady_clock::now() < end;) {
    std::vector<NodeAddress> leaders;
    for (std::size_t i = 0; i < 3; ++i) {
      auto set = ask(self, replicas[i], Propose{*make_command({"SET", "k", "v"})});
      auto get = ask(self, replicas[i], Query{*make_command({"GET", "k"})});
      leaders.push_back(set.kind == AnswerKind::done ? all[i].address : set.leader);
      if (set.kind != AnswerKind::done)
        continue;
      EXPECT_EQ(set.reply, Reply::ok());
      EXPECT_TRUE(get.kind != AnswerKind::done || get.reply.text.view() == "v");
    }
    agreed = !leaders[0].host.empty() && leaders[0] == leaders[1] && leaders[1] == leaders[2];
  }
  EXPECT_TRUE(agreed);
  // A follower reads its own copy when it is told to, once the write has come there.
  for (auto& replica : replicas) {
    Outcome stale;
    for (const auto end = std::chrono::steady_clock::now() + 30s;
         stale.reply.text.view() != "v" && std::chrono::steady_clock::now() < end;)
      stale = ask(self, replica, Query{*make_command({"GET", "k"}), true});
    EXPECT_EQ(stale.reply.text.view(), "v");
  }
  for (auto& replica : replicas) EXPECT_FALSE(replica.stop());
}

TEST_F(EmbeddingTest, PeersWithoutANetworkAreRefused) {
  Config config(false);
  caf::actor_system system(config);
  auto replica = EmbeddedReplica::open(system, member(1, three()));
  ASSERT_FALSE(replica);
  EXPECT_EQ(replica.error(), caf::sec::invalid_argument);
}

TEST_F(EmbeddingTest, APortThatIsTakenIsTheErrorOfOpenAndClosesTheDirectoryAgain) {
  Config config(true);
  caf::actor_system system(config);
  auto all = three();
  all[1].address.raft_port = all[0].address.raft_port;
  auto first = EmbeddedReplica::open(system, member(1, all));
  ASSERT_TRUE(first);
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto second = EmbeddedReplica::open(system, member(2, all));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error(), caf::sec::cannot_open_port) << system.render(second.error());
  }
}

TEST_F(EmbeddingTest, OptionsThatMakeNoSenseAreRefused) {
  Config config(false);
  caf::actor_system system(config);
  EmbeddedOptions options;
  EXPECT_EQ(EmbeddedReplica::open(system, options).error(), caf::sec::invalid_argument);
  options.dir = dir_;
  options.heartbeat_ms = options.election_timeout_ms;
  EXPECT_EQ(EmbeddedReplica::open(system, options).error(), caf::sec::invalid_argument);
}

TEST(RedisCommands, AreCheckedAtTheDoor) {
  EXPECT_TRUE(make_command({"set", "k", "v"}));
  EXPECT_TRUE(is_write(*make_command({"set", "k", "v"})));
  EXPECT_FALSE(is_write(*make_command({"get", "k"})));
  EXPECT_FALSE(make_command({}));
  EXPECT_FALSE(make_command({"NOSUCH"}));
  EXPECT_FALSE(make_command({"SET", "k"}));
  EXPECT_FALSE(make_command({"INFO"}));
  EXPECT_FALSE(make_command({"SET", "k", std::string(kMaxBulkBytes + 1, 'x')}));
  EXPECT_TRUE(make_command({"SET", "k", std::string(kMaxBulkBytes, 'x')}));
  const std::string half(kMaxRequestBytes / 2, 'x');
  EXPECT_FALSE(make_command({"MSET", "a", half, "b", half}));
  EXPECT_FALSE(make_command(std::vector<std::string_view>(kMaxArguments + 1, "DEL")));
}

}  // namespace
}  // namespace kiwi
