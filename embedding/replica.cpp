#include "kiwi/replica.hpp"

#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>
#include <random>
#include <thread>
#include <utility>

#include "statemachine/redis_machine.hpp"

namespace kiwi {

namespace {

std::uint64_t machine_clock_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

std::uint64_t random_number() {
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) | 1;  // never 0
}

caf::error invalid(std::string text) { return caf::make_error(caf::sec::invalid_argument, std::move(text)); }

Result<std::unique_ptr<StateMachine>> open_redis_machine(const std::string& dir, const Membership& initial) {
  RedisMachineOptions options;
  options.dir = dir;
  auto machine = RedisMachine::open(options, initial);
  if (!machine)
    return tl::unexpected(machine.error());
  return std::unique_ptr<StateMachine>(std::move(*machine));
}

OpenOptions open_options(const EmbeddedOptions& o) {
  OpenOptions open;
  open.dir = o.dir;
  open.id = o.id;
  open.address = o.address;
  open.initial_cluster = o.initial_cluster;
  open.cluster_token = o.cluster_token;
  open.new_instance = InstanceId(random_number());
  open.make_machine = o.make_machine ? o.make_machine : open_redis_machine;
  storage::LogStoreOptions log;
  log.dir = o.dir + "/log";
  if (open.initial_cluster.empty() && !storage::LogStore::exists(log)) {
    if (!open.id)
      open.id = NodeId(1);
    if (!open.address)
      open.address = NodeAddress{"127.0.0.1", 0, 0};  // nobody asks for it
    open.initial_cluster = {Member{open.id, *open.address}};
  }
  return open;
}

ReplicaOptions replica_options(const EmbeddedOptions& o) {
  ReplicaOptions r;
  r.cluster_token = o.cluster_token;
  r.tick_ms = std::clamp(o.heartbeat_ms, 10u, 50u);
  r.request_timeout_ms = o.request_timeout_ms;
  r.raft.seed = random_number();
  r.raft.heartbeat_ticks = std::max(1u, o.heartbeat_ms / r.tick_ms);
  r.raft.election_ticks_min = std::max(2u, o.election_timeout_ms / r.tick_ms);
  r.raft.election_ticks_max = 2 * r.raft.election_ticks_min;
  r.unix_clock_ms = o.unix_clock_ms ? o.unix_clock_ms : machine_clock_ms;
  r.log = o.log ? o.log
                : std::make_shared<spdlog::logger>("kiwi", std::make_shared<spdlog::sinks::null_sink_mt>());
  return r;
}

}  // namespace

struct EmbeddedReplica::Impl {
  caf::actor_system& system;
  NodeActor owner;
  ReplicaActor actor;
  std::shared_future<caf::error> ended;
};

void register_errors(caf::actor_system_config& config) {
  register_storage_errors(config);
  register_replica_errors(config);
}

caf::expected<EmbeddedReplica> EmbeddedReplica::open(caf::actor_system& system, EmbeddedOptions options) {
  if (options.dir.empty())
    return invalid("EmbeddedOptions::dir is empty");
  if (options.heartbeat_ms == 0 || options.election_timeout_ms < 2 * options.heartbeat_ms)
    return invalid("election_timeout_ms must be at least twice heartbeat_ms");
  auto opened = open_replica(open_options(options));
  if (!opened)
    return to_caf_error(opened.error());
  const auto& memberships = opened->restored.memberships;
  const bool has_peers = !memberships.empty() && memberships.back().second.members.size() > 1;
  if (has_peers && !system.has_middleman())
    return invalid("a replica with peers needs actor_system_config::load<caf::io::middleman>()");

  NodeStart start;
  start.bind_address = options.bind_address.empty() ? opened->identity.address.host : options.bind_address;
  start.replica = replica_options(options);
  start.seed = random_number();
  start.epoch = random_number();
  // A cluster of one that others can reach may grow.
  start.serve_peers = has_peers || (opened->identity.address.raft_port != 0 && system.has_middleman());
  start.serve_redis = false;
  start.opened = std::move(*opened);

  auto down = std::make_shared<std::promise<caf::error>>();
  auto impl = std::make_unique<Impl>(Impl{system, {}, {}, down->get_future().share()});
  impl->owner = spawn_node(system, std::move(start));
  impl->owner->attach_functor([down](const caf::error& reason) { down->set_value(reason); });
  caf::scoped_actor self{system};
  bool started = false;
  self->request(impl->owner, caf::infinite, caf::get_atom_v)
      .receive(
          [&](const ReplicaActor& actor) {
            impl->actor = actor;
            started = true;
          },
          [](const caf::error&) {});
  if (!started)
    return impl->ended.get();  // why it did not start; by now everything is closed again
  return EmbeddedReplica(std::move(impl));
}

EmbeddedReplica::EmbeddedReplica(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EmbeddedReplica::EmbeddedReplica(EmbeddedReplica&&) noexcept = default;

EmbeddedReplica& EmbeddedReplica::operator=(EmbeddedReplica&& other) noexcept {
  if (this != &other) {
    stop();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

EmbeddedReplica::~EmbeddedReplica() { stop(); }

const ReplicaActor& EmbeddedReplica::actor() const { return impl_->actor; }
const NodeActor& EmbeddedReplica::owner() const { return impl_->owner; }

bool EmbeddedReplica::running() const {
  return impl_ && impl_->ended.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

bool EmbeddedReplica::wait_until_ready(std::chrono::milliseconds limit) const {
  const auto end = std::chrono::steady_clock::now() + limit;
  caf::scoped_actor self{impl_->system};
  while (running()) {
    bool ready = false;
    self->request(impl_->actor, limit, StatusRequest{})
        .receive(
            [&](const StatusPtr& status) {
              const bool leads = status->role == raft::Role::leader;
              ready = leads ? status->leader_ready : status->leader && status->caught_up;
            },
            [](const caf::error&) {});
    if (ready)
      return true;
    if (std::chrono::steady_clock::now() >= end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

caf::error EmbeddedReplica::stop() {
  if (!impl_)
    return caf::none;
  caf::anon_send_exit(impl_->owner, caf::exit_reason::user_shutdown);
  auto reason = impl_->ended.get();
  return reason == caf::exit_reason::user_shutdown ? caf::error{} : reason;
}

}  // namespace kiwi
