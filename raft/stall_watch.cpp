#include "raft/stall_watch.hpp"

#include <algorithm>

namespace kiwi::raft {

namespace {
constexpr std::uint32_t kMostDoublings = 4;
}

void StallWatch::begin(std::uint64_t now_ticks) {
  watched_ = Index(0);
  quorum_ = Index(0);
  quorum_moved_ticks_ = now_ticks;
  others_since_ticks_ = now_ticks;
}

void StallWatch::watch(std::uint64_t now_ticks, const Seen& seen) {
  const Index done = std::min(seen.durable, seen.quorum);
  if (watched_ && done < watched_)
    return;
  watched_ = seen.last > done ? seen.last : Index(0);
  appended_ticks_ = now_ticks;
  own_took_.reset();
  others_took_.reset();
}

StallWatch::Verdict StallWatch::look(std::uint64_t now_ticks, const Seen& seen) {
  if (seen.quorum != quorum_) {
    quorum_ = seen.quorum;
    quorum_moved_ticks_ = now_ticks;
  }
  if (!seen.others_are_there) {
    others_since_ticks_ = now_ticks;
    others_took_.reset();
  }
  // What waits for a voter that takes a snapshot comes forward, if not in entries.
  if (seen.snapshot_comes)
    quorum_moved_ticks_ = now_ticks;
  watch(now_ticks, seen);
  if (!watched_)
    return Verdict::fine;
  const std::uint64_t beside_others = now_ticks - std::max(appended_ticks_, others_since_ticks_);
  if (seen.durable >= watched_ && !own_took_)
    own_took_ = now_ticks - appended_ticks_;
  if (seen.others >= watched_ && seen.others_are_there && !others_took_)
    others_took_ = beside_others;

  // One more: what took no whole tick took some time.
  if (!own_took_ && others_took_ && beside_others >= std::max(own_disk_ticks_, kSlower * (*others_took_ + 1)))
    return Verdict::own_disk;
  const std::uint64_t stuck = now_ticks - std::max(appended_ticks_, quorum_moved_ticks_);
  if (own_took_ && !seen.own_disk_is_late && seen.quorum < watched_ &&
      stuck >= std::max(no_commit_ticks_ << in_vain_, kSlower * (*own_took_ + 1))) {
    in_vain_ = std::min(in_vain_ + 1, kMostDoublings);
    return Verdict::no_commit;
  }
  return Verdict::fine;
}

}  // namespace kiwi::raft
