// Nearly full disks. A node tells its leader in heartbeat replies how much room it has
// (messages/disk_room.hpp). Commands of clients are proposed only while the leader and a majority have
// enough; a leader that is short of room itself hands over to a node that is not. Entries of Raft's own (a
// term's first, ticks) are small and always go: without them nobody could lead, and reads would end with the
// writes. The half of the reserve between `low` and `none` is for what was on its way when the commands
// stopped, and for flushes and purges.

#include <algorithm>

#include "messages/fault_points.hpp"
#include "raft/core.hpp"
#include "raft/quorum.hpp"

namespace kiwi::raft {

namespace {
/// Entries that a node without room is sent at once, at most.
constexpr std::uint64_t kSmallEntries = 8;
constexpr std::uint64_t kSmallBytes = 64u << 10;
}  // namespace

void Core::set_room(DiskRoom room) {
  if (room == room_)
    return;
  if (room != DiskRoom::enough)
    KIWI_MARK("disk.low");
  else
    KIWI_MARK("disk.room_again");
  room_ = room;
  out_.state_changed = true;
  if (role_ == Role::leader) {
    weigh_room();
    hand_over_for_room();
  }
}

bool Core::has_room(NodeId id) const {
  if (id == options_.id)
    return room_ == DiskRoom::enough;
  const Progress* p = progress_of(id);
  return p != nullptr && p->room() == DiskRoom::enough && p->active(now_ticks_, options_.election_ticks_max);
}

/// Leader. Not at each proposal: those are many.
void Core::weigh_room() {
  takes_commands_ =
      room_ == DiskRoom::enough && has_quorum(membership(), [&](NodeId id) { return has_room(id); });
}

/// Once a successor has everything: no proposal of a client comes any more. When that fails it is tried
/// again, but not at once: a transfer holds up the ticks that reads need. Where nobody has room this leader
/// stays, for the reads.
void Core::hand_over_for_room() {
  if (room_ == DiskRoom::enough || role_ != Role::leader || transfer_ || commit_ < noop_ ||
      (handed_over_ticks_ != 0 && now_ticks_ - handed_over_ticks_ < 3 * options_.election_ticks_max))
    return;
  const NodeId successor = best_successor();
  if (!successor || progress_of(successor)->match() < log_.last().index || commit_ < log_.last().index)
    return;  // what is not committed yet would be answered as unknown
  ++counters_.handovers;
  KIWI_MARK("leader.handed_over");
  handed_over_ticks_ = now_ticks_;
  hand_over(successor, false);
}

/// Follower: these entries would take the last room. The little that was there before the leader's term it
/// needs to commit anything at all: a leader that had not yet seen that disks are low may have accepted it.
bool Core::no_room_for(const AppendRequest& m) const {
  if (room_ != DiskRoom::none || KIWI_MUTANT(reserve_ignored))
    return false;
  std::uint64_t bytes = 0;
  for (const Entry& e : m.entries) bytes += weight_bytes(e);
  return std::any_of(m.entries.begin(), m.entries.end(), [&](const Entry& e) {
    return e.kind == EntryKind::command && (e.id.term == m.term || bytes > kSmallBytes);
  });
}

/// Leader: the same, seen from here. What is sent all the same would only be dropped.
bool Core::waits_for_room(const Progress& p) const {
  const Index end = log_.last().index;
  if (p.room() != DiskRoom::none || p.next() > end)
    return false;
  if (!log_.cached(p.next()) || end - p.next() >= kSmallEntries)
    return true;
  for (Index i = p.next(); i <= end; i = i + 1)
    if (log_.kind_at(i) == EntryKind::command &&
        (log_.term_at(i) == vote_.term || log_.bytes_after(p.next() - 1) > kSmallBytes))
      return true;
  return false;
}

bool Core::majority_takes_entries() const {
  return has_quorum(membership(), [&](NodeId id) {
    const Progress* p = progress_of(id);
    return id == options_.id || (p != nullptr && p->room() != DiskRoom::none);
  });
}

}  // namespace kiwi::raft
