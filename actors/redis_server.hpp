#pragma once

// The Redis port: accepts clients and keeps one connection actor for each. All of them run on CAF's IO
// thread.

#include <spdlog/logger.h>

#include <caf/all.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "actors/interfaces.hpp"
#include "messages/resp_parser.hpp"
#include "messages/stage_times.hpp"
#include "server/environment.hpp"

namespace kiwi {

struct RedisOptions {
  std::string bind_address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the system chooses
  ReplicaActor replica;
  std::shared_ptr<spdlog::logger> log;
  /// One more is told "-ERR max number of clients reached" and closed.
  std::uint32_t max_clients = 10'000;
  /// Commands of one connection that wait for their answers; then it is not read.
  std::uint32_t max_in_flight = 1024;
  /// Bytes of replies that a client has not taken; then it is not read.
  std::uint64_t max_unsent_bytes = 1u << 20;
  RespLimits limits;
  /// At an orderly stop, how long answers that are on their way may take.
  std::chrono::milliseconds drain_limit{1000};
  std::shared_ptr<const ServerEnvironment> environment;
  /// Figures of the process: the door to the operating system.
  std::function<ProcessFigures()> process;
  std::shared_ptr<StageTimes> stages;  // null: nothing is measured
};

struct RedisServer {
  caf::actor actor;  // ends in order by an exit message: no new clients, last answers, then closed
  std::uint16_t port = 0;
};

/// Listens when it returns, or says why not.
tl::expected<RedisServer, std::string> spawn_redis_server(caf::actor_system& system, RedisOptions options);

}  // namespace kiwi
