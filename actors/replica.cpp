#include "actors/replica.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "actors/adaptor.hpp"
#include "actors/log_store_actor.hpp"
#include "actors/prompt_log_actor.hpp"
#include "actors/prompt_machine_actor.hpp"
#include "actors/raft_actor.hpp"
#include "actors/state_machine_actor.hpp"

namespace kiwi {

namespace {
constexpr std::uint32_t kFollowerApplyEntries = 256;
/// What goes behind it is large enough to be worth a sync of its own.
constexpr std::uint64_t kHoldBackBytes = 16u << 10;
}  // namespace

std::vector<caf::actor> Replica::in_start_order() const {
  return {caf::actor_cast<caf::actor>(log_store), caf::actor_cast<caf::actor>(state_machine),
          caf::actor_cast<caf::actor>(snapshot_builder), caf::actor_cast<caf::actor>(adaptor),
          caf::actor_cast<caf::actor>(raft)};
}

Replica spawn_replica(caf::actor_system& system, OpenedReplica opened, ReplicaOptions options, SpawnMode mode,
                      std::uint64_t epoch) {
  options.id = opened.identity.node;
  options.cluster = opened.identity.cluster;
  options.instance = opened.identity.instance;
  options.address = opened.identity.address;
  options.raft.id = options.id;
  options.raft.follower_apply_entries = kFollowerApplyEntries;
  options.raft.hold_back_bytes = kHoldBackBytes;
  for (const auto& note : opened.notes)
    options.log->warn("event=replica_opened node={} note=\"{}\"", options.id.value, note);
  Replica r;
  auto builder = opened.machine->get_snapshot_builder();
  const auto log = std::make_shared<OpenLog>(std::move(opened.log), std::move(opened.directory));
  r.log_store = spawn_log_store(system, mode, log, epoch, options.scrub_bytes_per_second, options.stages);
  if (options.prompt_log)
    r.log_store = spawn_prompt_log(system, options.place, r.log_store, log, epoch, options.stages);
  const std::shared_ptr<StateMachine> machine = std::move(opened.machine);
  r.state_machine = spawn_state_machine(system, mode, machine, epoch, options.scrub_bytes_per_second);
  if (options.prompt_machine)
    r.state_machine = spawn_prompt_machine(system, options.place, r.state_machine, machine, epoch);
  SnapshotBuilderOptions snapshots;
  snapshots.dir = opened.dir + "/snapshots";
  snapshots.env = opened.env;
  snapshots.rate = options.snapshot_bytes_per_second;
  snapshots.log = options.log;
  r.snapshot_builder = spawn_snapshot_builder(system, mode, std::move(builder), std::move(snapshots));
  r.adaptor = spawn_adaptor(system, r.log_store, r.state_machine, epoch, options.place);
  ReplicaStart start;
  start.options = std::move(options);
  start.restored = std::move(opened.restored);
  start.bindings = std::move(opened.bindings);
  start.storage = r.adaptor;
  start.snapshots = r.snapshot_builder;
  r.raft = spawn_raft(system, std::move(start));
  return r;
}

}  // namespace kiwi
