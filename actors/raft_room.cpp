// How full the disk is: asked of the log store, which owns it, and told to the core.

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "actors/raft_actor.hpp"

namespace kiwi {

namespace {
/// Between two questions while the log grows: 100 ms, in which 300 MB/s take a twentieth of the default
/// reserve; and while it does not.
constexpr std::uint64_t kBusyTicks = 2;
constexpr std::uint64_t kIdleTicks = 20;
}  // namespace

void RaftState::ask_for_room() {
  // A disk that hangs answers late: one question at a time.
  const auto last = core->last_log_id().index;
  const auto pause = last == room_asked_at ? kIdleTicks : kBusyTicks;
  if (room.reserve() == 0 || asking_for_room ||
      (room_asked_ticks != 0 && now_ticks - room_asked_ticks < pause))
    return;
  asking_for_room = true;
  room_asked_at = last;
  room_asked_ticks = now_ticks;
  self->request(storage, caf::infinite, DiskSpaceRequest{})
      .then([this](const DiskSpace& space) { disk_space(space); },
            [this](const caf::error&) { asking_for_room = false; });  // whoever wrote hears of the failure
}

void RaftState::disk_space(const DiskSpace& space) {
  asking_for_room = false;
  if (!space.known || stopping)
    return;
  disk_free_bytes = space.free_bytes;
  const auto before = room.room();
  const auto now = room.look(space.free_bytes - std::min(space.free_bytes, space.pending_bytes));
  if (now == before)
    return;
  options.log->log(now == DiskRoom::enough ? spdlog::level::info : spdlog::level::warn,
                   "event=disk_room node={} room={} free_bytes={} pending_bytes={} reserve_bytes={}",
                   options.id.value, to_string(now), space.free_bytes, space.pending_bytes, room.reserve());
  core->set_room(now);
  schedule_drive();
}

}  // namespace kiwi
