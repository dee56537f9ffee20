// kiwi-node-fault: kiwi-node with a clock that can be wrong, a disk that can fail and a wire to the
// laboratory. Never part of a release.

#include <rocksdb/env.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "messages/assert.hpp"
#include "messages/fault_tables.hpp"
#include "node/fault/control.hpp"
#include "node/fault/disk_control.hpp"
#include "node/fault/fault_clock.hpp"
#include "node/fault/fault_options.hpp"
#include "node/run_node.hpp"

namespace kiwi::fault {
namespace {

Control* marks_go_to = nullptr;

int print(const Usage& usage) {
  std::fputs(usage.text.c_str(), usage.exit_code == 0 ? stdout : stderr);
  return usage.exit_code;
}

PeerFactory dial_elsewhere(PeerFactory tcp, const FaultOptions& options) {
  return [tcp = std::move(tcp), map = options.dial_map](const Member& peer, const Hello& own,
                                                        const ReplicaActor& replica) {
    Member where = peer;
    if (const auto found = map.find(peer.id); found != map.end()) {
      where.address.host = found->second.first;
      where.address.raft_port = found->second.second;
    }
    return tcp(where, own, replica);
  };
}

int run(std::vector<std::string> arguments) {
  const auto fault = take_fault_options(arguments);
  if (!fault) {
    return print(fault.error());
  }
  auto node = parse_options(arguments);
  if (!node) {
    return print(node.error());
  }
  node->dir = std::filesystem::absolute(node->dir).string();  // as the fault file system wants paths
  // These outlive everything: the control thread is never joined.
  auto& clock = *new FaultClock;
  auto& disk = *new DiskControl(fault->disk_buffers);
  auto& control = *new Control(clock, disk);
  for (const auto& mutant : fault->mutants) {
    if (const auto done = switch_on(mutant); !done) {
      return print({"kiwi-node-fault: --mutant: " + done.error() + "\n", kExitUsage});
    }
  }
  for (const auto& line : fault->at_start) {
    if (const auto done = control.command(line); !done) {
      return print({"kiwi-node-fault: --at-start \"" + line + "\": " + done.error() + "\n", kExitUsage});
    }
  }
  if (!fault->control.empty()) {
    if (const auto started = control.start(fault->control, node->id.value); !started) {
      return print({"kiwi-node-fault: " + started.error() + "\n", kExitUsage});
    }
    marks_go_to = &control;
    set_mark_sink([](std::size_t mark) { marks_go_to->mark(mark, kMarks[mark].name); });
  }
  const auto env = rocksdb::NewCompositeEnv(disk.shared());
  NodeSeams seams;
  seams.env = env.get();
  seams.unix_clock_ms = [&clock] { return clock.unix_ms(); };
  seams.steady_clock_us = [&clock] {
    const auto shown = clock.steady().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(shown).count());
  };
  seams.peers = [&fault](PeerFactory tcp) { return dial_elsewhere(std::move(tcp), *fault); };
  seams.config = [&clock](caf::actor_system_config& config) { use_clock(config, clock); };
  seams.replica = [&fault](ReplicaOptions& replica) {
    if (fault->election_max_ms != 0) {
      replica.raft.election_ticks_max =
          std::max(replica.raft.election_ticks_min + 1, fault->election_max_ms / replica.tick_ms);
    }
    if (fault->cache_bytes != 0) {
      replica.raft.max_cached_bytes = fault->cache_bytes;
    }
    if (fault->formats != 0) {
      replica.raft.formats = fault->formats;
    }
  };
  const int code = run_node(*node, seams);
  // An ordered end: the machine goes on, and its cache reaches the disk some time.
  if (disk.buffers()) {
    static_cast<void>(disk.power_fail("exact", false, 0));
  }
  return code;
}

}  // namespace
}  // namespace kiwi::fault

int main(int argc, char** argv) { return kiwi::fault::run({argv + 1, argv + argc}); }
