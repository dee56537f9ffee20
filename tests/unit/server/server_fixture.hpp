#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/resp_writer.hpp"
#include "server/config_table.hpp"
#include "server/node_status.hpp"
#include "server/session.hpp"

namespace kiwi::testing {

/// "SET key value" as a command; words are separated by one blank.
inline RedisCommand command(std::string_view line) {
  RedisCommand out;
  while (!line.empty()) {
    const auto end = std::min(line.find(' '), line.size());
    out.args.push_back(Bytes::copy_of(line.substr(0, end)));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return out;
}

inline std::string wire(const Reply& reply, RespVersion version = RespVersion::resp2) {
  std::string out;
  write_reply(reply, version, out);
  return out;
}

inline Member member(std::uint64_t id) {
  return {NodeId(id),
          {"10.0.0." + std::to_string(id), static_cast<std::uint16_t>(7000 + id),
           static_cast<std::uint16_t>(17000 + id)}};
}

/// Node 1 of three, a follower of node 2, with both links up.
inline NodeStatus follower_status() {
  NodeStatus status;
  status.id = NodeId(1);
  status.cluster = ClusterId(77);
  status.instance = InstanceId(78);
  status.address = member(1).address;
  status.has_cluster = true;
  status.caught_up = true;
  status.membership = membership_of({member(1), member(2), member(3)});
  status.role = raft::Role::follower;
  status.leader = NodeId(2);
  status.term = Term(5);
  status.applied = Index(40);
  status.connected_peers = {NodeId(2), NodeId(3)};
  return status;
}

/// Node 1 of three, their leader; node 3 does not answer.
inline NodeStatus leader_status() {
  auto status = follower_status();
  status.role = raft::Role::leader;
  status.leader = NodeId(1);
  status.leader_ready = true;
  raft::FollowerStatus two;
  two.id = NodeId(2);
  two.match = Index(39);
  two.recently_active = true;
  two.voter = true;
  auto three = two;
  three.id = NodeId(3);
  three.match = Index(12);
  three.recently_active = false;
  status.followers = {two, three};
  status.connected_peers = {NodeId(2)};
  return status;
}

inline NodeStatus no_leader_status() {
  auto status = follower_status();
  status.leader = NodeId();
  return status;
}

inline NodeStatus no_cluster_status() {
  NodeStatus status;
  status.id = NodeId(1);
  status.address = member(1).address;
  return status;
}

/// A server with one connection, and what it says.
class Server {
 public:
  Server() : registry(std::make_shared<ClientRegistry>()) {
    auto made = std::make_shared<ServerEnvironment>();
    made->kiwi_version = "0.1.0";
    made->redis_port = 7001;
    made->max_clients = 10'000;
    made->config = config_table({.port = 7001,
                                 .bind = "127.0.0.1",
                                 .dir = "/data",
                                 .log_level = "notice",
                                 .max_clients = 10'000,
                                 .client_query_buffer_limit = 1u << 20,
                                 .read_mode = "quorum",
                                 .idle_timeout_s = 0});
    environment = std::move(made);
    session = connect();
  }

  std::unique_ptr<Session> connect() {
    return std::make_unique<Session>(registry, environment,
                                     ConnectionFacts{"127.0.0.1:50001", "127.0.0.1:7001", 9}, now_ms);
  }

  Step step(const RedisCommand& c) { return session->handle(c, now_ms); }
  Step step(std::string_view line) { return step(command(line)); }

  /// The whole way of a command that needs no actor but for the node's status.
  Reply reply(const RedisCommand& c) {
    const auto made = step(c);
    if (const auto* now = std::get_if<ReplyNow>(&made))
      return now->reply;
    if (std::holds_alternative<NeedStatus>(made))
      return session->answer(c, session->version(), status, process);
    ADD_FAILURE() << "this command goes to an actor";
    return {};
  }
  Reply reply(std::string_view line) { return reply(command(line)); }
  /// As bytes, in the version that the session speaks after the command.
  std::string says(const RedisCommand& c) {
    const auto made = reply(c);
    return wire(made, session->version());
  }
  std::string says(std::string_view line) { return says(command(line)); }

  std::uint64_t now_ms = 1'000'000;
  NodeStatus status = leader_status();
  ProcessFigures process;
  std::shared_ptr<ClientRegistry> registry;
  std::shared_ptr<const ServerEnvironment> environment;
  std::unique_ptr<Session> session;
};

}  // namespace kiwi::testing
