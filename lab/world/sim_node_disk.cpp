// How long a simulated node's disk takes.

#include "lab/world/sim_node.hpp"

namespace kiwi::lab {

namespace {
constexpr Time kNever = std::chrono::hours(24 * 365);
}

Time SimNode::hold(const ScheduledActor& actor, bool again) {
  const bool log = actor.role == "log-store" || actor.role == "prompt-log";
  if (!log && actor.role != "state-machine")
    return Time{0};
  if (again) {
    // Still at work on what came meanwhile; after a sync that is the next batch, with a sync of its own.
    if (!log || hardware_->fs->syncs() == syncs_seen_)
      return Time{0};
  }
  syncs_seen_ = hardware_->fs->syncs();
  auto time = log ? drawn(log_delay_, options_.log_disk) : drawn(data_delay_, options_.data_disk);
  auto& faults = hardware_->fs->faults();
  if (!faults.any())
    return time;
  using sim::DiskOp;
  using sim::FileClass;
  const std::string dir = std::string(kNodeDir) + (log ? "/log/" : "/data/");
  for (auto op : {DiskOp::append, DiskOp::sync, DiskOp::read}) {
    // Apply and queries of the state machine neither sync nor append to a log of its own.
    if (log ? op == DiskOp::read : op == DiskOp::sync)
      continue;
    const auto more = faults.delay(op,
                                   log                  ? FileClass::log_wal
                                   : op == DiskOp::read ? FileClass::data_table
                                                        : FileClass::data_wal,
                                   dir);
    if (more.hangs)
      return kNever;
    if (more.us > 0)
      time += std::chrono::microseconds(more.us) + drawn(slow_delay_, {Time{0}, slow_width_});
  }
  return time;
}

void SimNode::set_capacity(std::uint64_t bytes) {
  capacity_ = bytes;
  hardware_->fs->set_capacity(bytes);
}

void SimNode::disk_changed() {
  if (!up())
    return;
  coordinator_->hold_again("log-store");
  coordinator_->hold_again("prompt-log");
  coordinator_->hold_again("state-machine");
}

}  // namespace kiwi::lab
