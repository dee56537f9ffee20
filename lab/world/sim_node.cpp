#include "lab/world/sim_node.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <utility>

#include "actors/raft_actor.hpp"
#include "actors/replica_errors.hpp"
#include "actors/storage_errors.hpp"
#include "lab/world/client_actor.hpp"
#include "lab/world/join_actor.hpp"
#include "lab/world/peer_actors.hpp"
#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "statemachine/redis_machine.hpp"

namespace kiwi::lab {

namespace {

/// Batches between two flushes of the memtable, at most.
constexpr std::uint64_t kMostBatches = 4000;
constexpr std::uint64_t kZeroesAheadBytes = 8192;

std::string seconds_text(Time time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(time.count()) / 1e9);
  return text;
}

}  // namespace

NodeAddress address_of(NodeId node) {
  return {"10.0.0." + to_string(node), static_cast<std::uint16_t>(7000 + node.value),
          static_cast<std::uint16_t>(17000 + node.value)};
}

NodeId machine_at(const NodeAddress& address) {
  const NodeId node(address.redis_port > 7000 ? address.redis_port - 7000u : 0u);
  return node && address_of(node) == address ? node : NodeId();
}

/// Log lines become happenings, stamped with virtual time.
class SimNode::LogSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit LogSink(SimNode& node) : node_(node) {}

 private:
  void sink_it_(const spdlog::details::log_msg& m) override {
    auto level = spdlog::level::to_string_view(m.level);
    std::string text(m.payload.data(), m.payload.size());
    node_.log_ += seconds_text(node_.host_.world_now()) +
                  " level=" + std::string(level.data(), level.size()) + " " + text + "\n";
    node_.host_.happened(node_.id_, "log",
                         {{"level", {level.data(), level.size()}}, {"text", std::move(text)}});
  }
  void flush_() override {}
  SimNode& node_;
};

SimNode::SimNode(NodeId id, const WorldOptions& options, NodeHost& host)
    : id_(id), options_(options), host_(host) {
  logger_ = std::make_shared<spdlog::logger>(entity(), std::make_shared<LogSink>(*this));
  logger_->set_level(spdlog::level::info);
  log_delay_ = ChanceStream(options.seed, entity(), "log-disk");
  data_delay_ = ChanceStream(options.seed, entity(), "data-disk");
  slow_delay_ = ChanceStream(options.seed, entity(), "slow-disk");
  cost_ = ChanceStream(options.seed, entity(), "cost");
  new_hardware({});
}

SimNode::~SimNode() {
  if (up())
    end_process(false);
}

void SimNode::new_hardware(sim::SimDisk image) {
  image.zero_ahead(kZeroesAheadBytes);
  auto next = std::make_unique<sim::SimMachine>(std::move(image));
  next->disk.describe_from(kNodeDir);
  next->fs->set_capacity(capacity_);
  if (hardware_) {
    old_disk_trace_ = mix(old_disk_trace_ ^ hardware_->fs->trace());
    old_syncs_ += hardware_->fs->syncs();
    old_operations_ += hardware_->fs->operations();
    next->fs->faults() = hardware_->fs->faults();  // the machine's, not the process's
  }
  hardware_ = std::move(next);
  syncs_seen_ = 0;
  watch_disk();
}

void SimNode::watch_disk() {
  if (host_.watches_disks())
    hardware_->fs->before_change([this](const std::string& text) { host_.disk_operation(id_, text); });
}

Time SimNode::drawn(ChanceStream& stream, const Spread& spread) const {
  if (spread.max <= spread.min || !host_.noisy())
    return spread.min;
  const auto values = static_cast<std::uint64_t>((spread.max - spread.min).count()) + 1;
  return spread.min + Time(static_cast<std::int64_t>(below(stream.next(), values)));
}

OpenOptions SimNode::open_options() {
  OpenOptions open;
  open.dir = kNodeDir;
  open.id = id_;
  open.address = address_of(id_);
  for (std::uint64_t n = 1; n <= options_.nodes && !fresh_start(); ++n)
    open.initial_cluster.push_back({NodeId(n), address_of(NodeId(n))});
  open.cluster_token = options_.cluster_token;
  open.new_instance = InstanceId(ChanceStream(options_.seed, entity(), "instance").at(wipes_) | 1);
  open.env = &hardware_->env;
  open.simulated = true;
  open.make_machine = [this](const std::string& dir,
                             const Membership& initial) -> Result<std::unique_ptr<StateMachine>> {
    RedisMachineOptions options;
    options.dir = dir;
    options.env = &hardware_->env;
    options.simulated = true;
    options.block_cache_bytes = 1u << 20;
    options.cached_records = 1024;
    options.run_queued_jobs = [this] { hardware_->env.run_jobs(); };
    auto machine = RedisMachine::open(options, initial);
    if (!machine)
      return tl::unexpected(machine.error());
    const auto life = entity() + "/" + std::to_string(life_);
    return std::make_unique<SimStateMachine>(
        seat_, std::move(*machine), ChanceStream(options_.seed, life, "flush"), kMostBatches,
        ChanceStream(options_.seed, life, "prompt"), id_, options_.observer.get(),
        [this] { return !hardware_->fs->faults().any() && !hardware_->fs->frozen(); });
  };
  return open;
}

NodeStart SimNode::node_start(OpenedReplica opened) {
  NodeStart start;
  start.opened = std::move(opened);
  start.mode = SpawnMode::scheduled;
  start.epoch = life_;
  start.serve_peers = false;
  start.serve_redis = false;
  start.serve_clients = [this](const ReplicaActor& replica) { return serve_clients(replica); };
  start.hands_over = true;
  auto& r = start.replica;
  r.cluster_token = options_.cluster_token;
  r.raft.seed = ChanceStream(options_.seed, entity(), "election").at(life_);
  r.raft.election_ticks_min = options_.election_ticks_min;
  r.raft.election_ticks_max = options_.election_ticks_max;
  r.raft.heartbeat_ticks = options_.heartbeat_ticks;
  r.raft.max_cached_bytes = options_.max_cached_bytes;
  r.raft.compaction = options_.compaction;
  r.snapshot_bytes_per_second = options_.snapshot_bytes_per_second;
  r.disk_reserve_bytes = options_.disk_reserve_bytes;
  r.scrub_bytes_per_second = options_.scrub_bytes_per_second;
  start.reopen = [this] { return reopen(); };
  r.tick_ms = static_cast<std::uint32_t>(options_.tick.count());
  r.request_timeout_ms = static_cast<std::uint32_t>(options_.request_timeout.count());
  r.raft.lease = options_.lease;
  r.unix_clock_ms = [this] { return time_.unix_ms(host_.world_now()); };
  r.steady_clock_us = [this] { return time_.steady_us(host_.world_now()); };
  r.prompt_log = happens(ChanceStream(options_.seed, entity(), "prompt log").at(life_), 0.5);
  r.log = logger_;
  r.make_peer = [this](const Member& peer, const Hello& own, const ReplicaActor& replica) {
    return make_peer(peer, own, replica);
  };
  r.make_joiner = [this] {
    SimJoinerOptions o;
    o.ask = [this](const std::string& address, const std::vector<std::string>& command) {
      return host_.ask_other(id_, address, command);
    };
    o.hang_up = [this](ConnectionId connection) { host_.hang_up(connection); };
    auto joiner = spawn_sim_joiner(*system_, std::move(o));
    joiner_ = caf::actor_cast<caf::actor>(joiner);
    return joiner;
  };
  return start;
}

PeerActor SimNode::make_peer(const Member& peer, const Hello& own, const ReplicaActor& replica) {
  SimPeerOptions o;
  o.net = &host_.net();
  o.own = id_;
  o.peer = peer.id;
  o.machine = machine_at(peer.address);
  o.hello = own;
  o.hello.target = peer.id;
  o.replica = replica;
  o.log = logger_;
  o.jitter =
      ChanceStream(options_.seed, entity() + "/" + std::to_string(life_), "dial " + to_string(peer.id));
  o.handshake_limit = options_.transport == Transport::stream ? std::chrono::milliseconds(5000)
                                                              : std::chrono::milliseconds(300);
  auto actor = spawn_sim_peer(*system_, std::move(o));
  peers_[{o.machine, peer.id}] = caf::actor_cast<caf::actor>(actor);
  replica->attach_functor(
      [peer_actor = actor] { caf::anon_send_exit(peer_actor, caf::exit_reason::user_shutdown); });
  return actor;
}

void SimNode::start() {
  KIWI_ASSERT(!up(), "a node is started once");
  ++life_;
  dark_ = paused_ = failed_ = stopping_ = ended_ = false;
  bug_.clear();
  why_.clear();
  auto opened = open_replica(open_options());
  if (struck())
    return;  // it died on the way
  if (!opened) {
    const auto& e = opened.error();
    start_failed(std::string(to_string(e.subject)) + " " + to_string(e.verb) + " " + to_string(e.kind) +
                 ": " + e.cause);
    return;
  }
  config_ = std::make_unique<caf::actor_system_config>();
  config_->set("logger.inline-output", true);
  register_storage_errors(*config_);
  register_replica_errors(*config_);
  config_->module_factories.emplace_back([this](caf::actor_system& system) -> caf::actor_system::module* {
    return coordinator_ = new Coordinator(system, *this, options_, entity() + "/" + std::to_string(life_));
  });
  system_ = std::make_unique<caf::actor_system>(*config_);
  system_->await_actors_before_shutdown(false);
  observe_start(*opened);
  node_ = spawn_node(*system_, node_start(std::move(*opened)));
  node_->attach_functor([this](const caf::error& reason) {
    if (ending_)
      return;
    ended_ = true;
    if (reason && reason != caf::exit_reason::user_shutdown) {
      failed_ = true;
      why_ = system_->render(reason);
    }
  });
}

void SimNode::start_failed(const std::string& why) {
  struck_.reset();
  failed_ = true;
  why_ = why;
  bug_.clear();
  host_.happened(id_, "start-failed", {{"why", why_}});
  new_hardware(hardware_->disk.after_kill());
}

void SimNode::spawned(const ScheduledActor& actor, const caf::strong_actor_ptr& handle) {
  if (actor.role == "log-store")
    log_store_ = handle;
  else if (actor.role == "prompt-log")
    prompt_log_ = handle;
  else if (actor.role == "adaptor")
    adaptor_ = handle;
  if (actor.role != "raft" && actor.role != "standby")
    return;
  replica_ = caf::actor_cast<ReplicaActor>(handle);
  replica_->attach_functor([this] {
    if (!ending_)
      replica_ended();
  });
  if (actor.role == "raft") {
    raft_ = handle;
    acceptor_ = spawn_sim_acceptor(*system_, host_.net(), replica_, logger_);
  }
}

void SimNode::stop() {
  if (std::exchange(stopping_, true))
    return;
  host_.happened(id_, "stop", {});
  caf::anon_send_exit(node_, caf::exit_reason::user_shutdown);
}

void SimNode::end_process(bool power) {
  ending_ = true;
  hardware_->power_off();
  host_.net().node_ended(id_, power);
  backlog_.clear();
  node_ = nullptr;
  replica_ = nullptr;
  raft_ = nullptr;
  log_store_ = prompt_log_ = nullptr;
  adaptor_ = nullptr;
  acceptor_ = nullptr;
  joiner_ = nullptr;
  gate_ = nullptr;
  gate_closing_ = false;
  peers_.clear();
  clients_.clear();
  shared_ = nullptr;
  coordinator_->drop_all();
  system_.reset();  // deletes the coordinator
  coordinator_ = nullptr;
  config_.reset();
  seat_ = nullptr;
  paused_ = false;
  ending_ = false;
  if (options_.observer)
    options_.observer->ended(id_);
}

void SimNode::passed(std::string_view mark) {
  if (!crash_point_ || crash_point_->mark != mark || --crash_point_->nth != 0)
    return;
  struck_ = std::exchange(crash_point_, std::nullopt);
  if (struck_->operations == 0)
    hardware_->fs->freeze();
  else
    hardware_->fs->freeze_after(struck_->operations);
}

const std::optional<CrashPoint>& SimNode::struck() {
  static const std::optional<CrashPoint> kNot;
  return struck_ && hardware_->fs->frozen() ? struck_ : kNot;
}

void SimNode::crash() {
  KIWI_ASSERT(up() || struck_, "only what is up can be killed");
  end_struck();
  if (up())
    end_process(false);
  new_hardware(hardware_->disk.after_kill());
}

/// What happened in the rest of that step, on a disk that stood still, did not happen.
void SimNode::end_struck() {
  if (!struck_)
    return;
  struck_.reset();
  ended_ = failed_ = false;
  bug_.clear();
  why_.clear();
}

sim::Chooser SimNode::chooser(std::string name) {
  return [seed = options_.seed, name = entity() + " " + std::move(name)](
             std::string_view entity, std::string_view decision, std::uint64_t counter) {
    return ChanceStream(seed, name + " " + std::string(entity), decision).at(counter);
  };
}

sim::PowerCut SimNode::power_fail(std::optional<sim::PowerCut> cut, bool torn) {
  end_struck();
  if (up())
    end_process(true);
  dark_ = true;
  ++cuts_;
  if (!cut) {
    auto profile = options_.disk == DiskProfile::exact     ? sim::CrashProfile::exact
                   : options_.disk == DiskProfile::hostile ? sim::CrashProfile::hostile
                                                           : sim::CrashProfile::ordered;
    // A torn write is what the disk was at when the power went: drawn until one survives in part.
    for (std::uint64_t attempt = 0; attempt < (torn ? 32u : 1u); ++attempt) {
      cut = sim::choose_power_cut(hardware_->disk, profile,
                                  chooser("power " + std::to_string(cuts_) + "." + std::to_string(attempt)));
      bool partly = false;
      for (const auto& file : cut->files) {
        partly |= file.bytes.has_value() || file.size.has_value();
        for (const auto& write : file.writes) partly |= !write.sectors.empty();
      }
      if (partly)
        break;
    }
  }
  new_hardware(sim::apply(hardware_->disk, *cut).image);
  return *cut;
}

void SimNode::bury() {
  struck_.reset();
  const bool bug = !bug_.empty();
  end_process(false);
  if (bug) {
    failed_ = true;
    why_ = "BUG: " + bug_;
  }
  host_.happened(
      id_, failed_ ? "failed" : "stopped",
      failed_ ? std::map<std::string, std::string>{{"why", why_}} : std::map<std::string, std::string>{});
  new_hardware(hardware_->disk.after_kill());
}

void SimNode::assertion_failed(const std::string& text) {
  if (bug_.empty())
    bug_ = text;
  hardware_->fs->freeze();
}

void SimNode::resume() {
  paused_ = false;
  while (!backlog_.empty() && up()) {
    auto thing = std::move(backlog_.front());
    backlog_.pop_front();
    thing(*this);
  }
}

bool SimNode::deliver(std::function<void(SimNode&)> thing) {
  if (!up())
    return true;
  if (!paused_) {
    thing(*this);
    return true;
  }
  if (backlog_.size() >= options_.paused_packets)
    return false;
  backlog_.push_back(std::move(thing));
  return true;
}

std::vector<caf::actor> SimNode::peers(NodeId machine) const {
  std::vector<caf::actor> all;
  for (auto at = peers_.lower_bound({machine, NodeId()}); at != peers_.end() && at->first.first == machine;
       ++at)
    all.push_back(at->second);
  return all;
}

void SimNode::asked_another(ConnectionId connection, std::optional<std::string> line) {
  if (joiner_)
    caf::anon_send(joiner_, JoinAnswer{connection, std::move(line)});
}

const ScheduledActor& SimNode::run_one() {
  const auto& who = coordinator_->run_one();
  coordinator_->busy_until(host_.world_now() + drawn(cost_, options_.message));
  return who;
}

const raft::Core* SimNode::core() const {
  if (!raft_)
    return nullptr;
  auto* base = caf::actor_cast<caf::abstract_actor*>(raft_);
  if (!base->getf(caf::abstract_actor::is_initialized_flag) ||
      base->getf(caf::abstract_actor::is_cleaned_up_flag))
    return nullptr;
  return static_cast<RaftState::Self>(base)->state.core.get();
}

void SimNode::wipe(bool fresh) {
  KIWI_ASSERT(!up(), "a running node is not wiped");
  ++wipes_;
  fresh_ |= fresh;
  failed_ = false;
  new_hardware({});
}

void SimNode::clone_disk(const SimNode& from) {
  KIWI_ASSERT(!up() && !from.up(), "disks are copied while nobody uses them");
  new_hardware(from.hardware_->disk.after_kill());
}

}  // namespace kiwi::lab
