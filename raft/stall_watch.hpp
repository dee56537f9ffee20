#pragma once

// Does this leader stand in the way? Check-quorum (thesis 6.2) looks at who answers, not at what gets done: a
// leader whose disk hangs, or whose appends never arrive, answers and is answered, and would lead for ever.
//
// It compares, and never only waits: one entry is watched at a time, and the leader is in the way when the
// others had that entry on disk long before it, or it long before the others. Where all disks are equally
// slow, nobody is in the way, however slow they are: an entry takes between one and two syncs everywhere (it
// waits for the sync that is running), and the factor kSlower is above two.
//
// The two bounds, in ticks since the watched entry was appended:
//   own disk   a quorum of the voters without the leader, all heard from lately, has it on disk, the leader
//              does not: max(the mean election time-out, kSlower times what the others took since they are
//              there). Waiting longer would cost more than the election does. Defaults: 15 ticks, 750 ms.
//   no commit  the leader has it on disk, and its disk goes on answering; a quorum does not have it, and what
//              a quorum has has not moved for as long: max(four of the longest election time-outs, kSlower
//              times what the own disk took). The first doubles each time, up to 16 times, until another
//              node commits as leader: where stepping down does not help it becomes rarer. Defaults: 80
//              ticks, 4 s.
// Own disk hung and no quorum without it: leading on costs nothing, as nobody else could win.

#include <cstdint>
#include <optional>

#include "messages/ids.hpp"

namespace kiwi::raft {

class StallWatch {
 public:
  static constexpr std::uint64_t kSlower = 3;

  StallWatch() = default;
  StallWatch(std::uint64_t own_disk_ticks, std::uint64_t no_commit_ticks)
      : own_disk_ticks_(own_disk_ticks), no_commit_ticks_(no_commit_ticks) {}

  enum class Verdict : std::uint8_t { fine, own_disk, no_commit };
  /// What a leader knows at one tick.
  struct Seen {
    Index last;                     // of the log
    Index durable;                  // on the own disk
    Index quorum;                   // on the disks of a quorum, this node included
    Index others;                   // the same without this node and those not heard from lately; 0: none
    bool others_are_there = false;  // they are enough for a quorum
    bool own_disk_is_late = false;  // it has not answered for an election time-out
    bool snapshot_comes = false;    // a voter receives a snapshot, and that comes forward
  };

  /// A term as leader begins.
  void begin(std::uint64_t now_ticks);
  /// Once per tick. After anything but `fine` the leader should step down.
  Verdict look(std::uint64_t now_ticks, const Seen& seen);
  /// Another node led and committed in its own term: stepping down helped, if it was for this. That it leads
  /// is not enough: two nodes with fast disks would hand each other a cluster that is slow for both.
  void another_commits() { in_vain_ = 0; }

 private:
  void watch(std::uint64_t now_ticks, const Seen& seen);

  std::uint64_t own_disk_ticks_ = 0;
  std::uint64_t no_commit_ticks_ = 0;
  Index watched_;  // 0: nothing is to be done
  std::uint64_t appended_ticks_ = 0;
  std::uint64_t others_since_ticks_ = 0;      // since when they are there
  std::optional<std::uint64_t> own_took_;     // ticks; empty: not there yet
  std::optional<std::uint64_t> others_took_;  // ticks; empty: not there yet
  Index quorum_;                              // the last one seen, and since when it is that
  std::uint64_t quorum_moved_ticks_ = 0;
  std::uint32_t in_vain_ = 0;
};

}  // namespace kiwi::raft
