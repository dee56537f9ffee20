// Start, signals, ordered stop. The only place that touches the machine's clock, chance and signals.

#include "node/run_node.hpp"

#include <pthread.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <future>

#include "actors/node_actor.hpp"
#include "actors/replica_errors.hpp"
#include "actors/replica_network.hpp"
#include "actors/storage_errors.hpp"
#include "messages/assert.hpp"
#include "node/descriptors.hpp"
#include "node/process.hpp"
#include "node/random_number.hpp"
#include "statemachine/redis_machine.hpp"
#include "storage/backup_staging.hpp"

namespace kiwi {
namespace {

/// Not opened with less room on the disk. RocksDB 7.8 as Debian builds it fails an assertion when even the
/// first bytes of an opening cannot be written.
constexpr std::uint64_t kLeastFreeBytes = 1u << 20;

std::uint64_t unix_clock_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

/// Goes on while the machine is suspended, unlike CLOCK_MONOTONIC; nobody can set it (docs/reads.md).
std::uint64_t steady_clock_us() {
  timespec now{};
  const int done = ::clock_gettime(CLOCK_BOOTTIME, &now);
  KIWI_ASSERT(done == 0, "CLOCK_BOOTTIME is there since Linux 2.6.39");
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

std::shared_ptr<spdlog::logger> make_logger(const std::string& level) {
  auto log = std::make_shared<spdlog::logger>("kiwi", std::make_shared<spdlog::sinks::stdout_sink_mt>());
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z level=%l %v");
  log->set_level(spdlog::level::from_str(level == "warn" ? "warning" : level));
  log->flush_on(spdlog::level::trace);
  return log;
}

/// What a memtable of the log holds, and what the state machine gathers. The more, the less of the log is
/// ever written to a table, and the less often a key that changes (docs/performance.md). But it needs room on
/// the disk later, when writes are refused already: far less than the reserve.
std::uint64_t gathered_bytes(const NodeOptions& o) {
  constexpr std::uint64_t kMost = 64u << 20;
  if (o.disk_reserve_bytes == 0)
    return kMost;
  return std::clamp<std::uint64_t>(o.disk_reserve_bytes / 8, 1u << 20, kMost);
}

OpenOptions open_options(const NodeOptions& o, rocksdb::Env* env) {
  OpenOptions open;
  open.env = env;
  open.dir = o.dir;
  open.id = o.id;
  open.address = o.address;
  open.initial_cluster = o.initial_cluster;
  open.cluster_token = o.cluster_token;
  open.new_instance = InstanceId(random_number());
  open.least_free_bytes = kLeastFreeBytes;
  const std::uint64_t gathered = gathered_bytes(o);
  open.log_write_buffer_bytes = gathered;
  open.make_machine = [env, gathered](const std::string& dir,
                                      const Membership& initial) -> Result<std::unique_ptr<StateMachine>> {
    RedisMachineOptions options;
    options.env = env;
    options.dir = dir;
    options.unwritten_bytes = gathered;
    options.write_buffer_bytes = std::min(gathered, options.write_buffer_bytes);
    auto machine = RedisMachine::open(options, initial);
    if (!machine)
      return tl::unexpected(machine.error());
    return std::unique_ptr<StateMachine>(std::move(*machine));
  };
  return open;
}

ReplicaOptions replica_options(const NodeOptions& o, std::shared_ptr<spdlog::logger> log) {
  ReplicaOptions r;
  r.cluster_token = o.cluster_token;
  r.tick_ms = o.tick_ms;
  r.request_timeout_ms = o.request_timeout_ms;
  r.raft.seed = random_number();
  r.raft.heartbeat_ticks = std::max(1u, o.heartbeat_ms / o.tick_ms);
  r.raft.election_ticks_min = std::max(2u, o.election_timeout_ms / o.tick_ms);
  r.raft.election_ticks_max = 2 * r.raft.election_ticks_min;
  auto& compaction = r.raft.compaction;
  compaction.keep_bytes = o.log_keep_bytes;
  compaction.keep_entries = o.log_keep_entries;
  compaction.keep_age_ms = o.log_keep_age_ms;
  compaction.laggard_bytes = o.log_laggard_bytes;
  r.snapshot_bytes_per_second = o.snapshot_rate_bytes;
  r.scrub_bytes_per_second = o.scrub_rate_bytes;
  r.disk_reserve_bytes = o.disk_reserve_bytes;
  r.place = CorePlace::io_thread;
  r.prompt_log = true;
  r.raft.lease = o.read_mode == "lease";
  r.unix_clock_ms = unix_clock_ms;
  r.steady_clock_us = steady_clock_us;
  r.stages = std::make_shared<StageTimes>(steady_clock_us);
  r.log = std::move(log);
  return r;
}

struct Config : caf::actor_system_config {
  Config(const NodeOptions& o, const NodeSeams& seams) {
    load<caf::io::middleman>();
    // Sharing wakes idle workers at once and does not poll; one worker keeps raft and adaptor on one thread.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", o.worker_threads);
    // One read per readiness: a second one would mostly hear that there is nothing more.
    set("middleman.max-consecutive-reads", std::size_t{1});
    set("logger.inline-output", true);
    register_storage_errors(*this);
    register_replica_errors(*this);
    if (seams.config)
      seams.config(*this);
  }
};

int exit_code_of(const caf::error& reason, std::string& text, caf::actor_system& system) {
  if (!reason || reason == caf::exit_reason::user_shutdown)
    return 0;
  text = system.render(reason);
  if (reason == caf::sec::cannot_open_port)
    return kExitCannotListen;
  if (reason.category() == caf::atom("storage")) {
    const auto error = storage_error_of(reason, StorageSubject::log, StorageVerb::read);
    return error.kind == StorageKind::corruption ? kExitBadDataDirectory : kExitStorageFailure;
  }
  return kExitBug;
}

}  // namespace

int run_node(const NodeOptions& o, const NodeSeams& seams) {
  auto log = make_logger(o.log_level);
  // Every thread inherits this mask, so that only main hears the signals.
  sigset_t signals;
  sigemptyset(&signals);
  for (int s : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto opened = open_replica(open_options(o, seams.env));
  if (!opened) {
    const auto& e = opened.error();
    log->error("event=start_failed kind={} cause=\"{}\"", to_string(e.kind), to_string(e));
    std::fprintf(stderr, "kiwi-node: cannot use data directory %s: %s\n", o.dir.c_str(), e.cause.c_str());
    return e.kind == StorageKind::io || e.kind == StorageKind::no_space ? kExitStorageFailure
                                                                        : kExitBadDataDirectory;
  }
  if (auto cleared = storage::remove_stale_backup_staging(seams.env, o.dir); !cleared)
    log->warn("event=backup_staging_not_removed cause=\"{}\"", cleared.error().cause);
  log->info("event=opened dir={} node={} created={} term={} last={} applied={} torn_bytes={}", o.dir,
            opened->identity.node.value, opened->created, opened->restored.vote.term.value,
            to_string(opened->restored.last), to_string(opened->restored.applied), opened->torn_bytes);

  Config config(o, seams);
  caf::actor_system system(config);
  NodeStart start;
  start.bind_address = o.bind.empty() ? opened->identity.address.host : o.bind;
  start.replica = replica_options(o, log);
  start.seed = random_number();
  if (seams.unix_clock_ms)
    start.replica.unix_clock_ms = seams.unix_clock_ms;
  if (seams.steady_clock_us)
    start.replica.steady_clock_us = seams.steady_clock_us;
  if (seams.peers)
    start.replica.make_peer = seams.peers(make_tcp_peers(system, log, start.seed));
  if (seams.replica)
    seams.replica(start.replica);
  start.epoch = random_number();
  start.redis.max_clients = clients_that_fit(o.max_clients, *log);
  start.redis.environment = make_environment(o, opened->identity);
  start.redis.process = make_process_probe();
  start.redis.stages = start.replica.stages;
  start.hands_over = true;
  start.reopen = [o, env = seams.env]() -> Result<OpenedReplica> {
    auto again = open_options(o, env);
    again.least_free_bytes = std::max(o.disk_reserve_bytes / 2, kLeastFreeBytes);
    return open_replica(again);
  };
  start.opened = std::move(*opened);
  std::promise<caf::error> down;
  auto ended = down.get_future();
  {
    auto node = spawn_node(system, std::move(start));
    node->attach_functor([&down](const caf::error& reason) {
      down.set_value(reason);
      ::kill(::getpid(), SIGUSR1);
    });
    for (bool stopping = false;;) {
      int signal = 0;
      sigwait(&signals, &signal);
      if (signal == SIGUSR1) {
        if (ended.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
          break;
        continue;  // somebody else's
      }
      if (std::exchange(stopping, true)) {
        log->warn("event=signal signal={} action=\"exit at once\"", signal);
        std::_Exit(128 + signal);
      }
      log->info("event=signal signal={} action=\"stop in order\"", signal);
      caf::anon_send_exit(node, caf::exit_reason::user_shutdown);
    }
  }
  // What is left to wait for is CAF's own end; a signal must be able to cut that short.
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::string text;
  auto reason = ended.get();
  int code = exit_code_of(reason, text, system);
  if (code != 0)
    std::fprintf(stderr, "kiwi-node: stopped: %s\n", text.c_str());
  log->info("event=stopped exit_code={}", code);
  return code;
}

}  // namespace kiwi
