// A simulated node that opens its data again in the same process (actors/node_actor.hpp).

#include "lab/world/sim_node.hpp"

namespace kiwi::lab {

Result<OpenedReplica> SimNode::reopen() {
  // Whatever the process before it still holds in RocksDB's queues is gone with its databases.
  if (options_.observer)
    options_.observer->ended(id_);
  auto room = open_options();
  room.least_free_bytes = options_.disk_reserve_bytes / 2;
  auto opened = open_replica(room);
  if (!opened)
    return opened;
  ++life_;
  observe_start(*opened);
  return opened;
}

}  // namespace kiwi::lab
