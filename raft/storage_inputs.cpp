// What the log store, the state machine and the transport report.

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "raft/core.hpp"

namespace kiwi::raft {

void Core::persisted(std::uint64_t number, LogId last) {
  writes_.persisted(number, last);
  if (installing_) {
    const LogId snapshot = installing_->last_log_id;
    // Either the log begins anew behind the snapshot, or it held the snapshot's last entry, not yet on disk.
    if (writes_.reset_done() == snapshot ||
        (snapshot_in_place_ && log_.term_at(snapshot.index) == snapshot.term &&
         writes_.durable() >= snapshot.index))
      finish_install();
  }
  release_held();
  advance_commit();
  check();
}

void Core::applied(Index index) {
  KIWI_ASSERT(index <= handed_, "more was applied than handed out");
  KIWI_ASSERT(index >= applied_, "the applied index never goes back");
  applied_ = index;
  while (!applying_.empty() && applying_.front().last <= index) {
    applying_bytes_ -= applying_.front().bytes;
    applying_.pop_front();
  }
  check_caught_up();
  check();
}

void Core::check_caught_up() {
  if (!caught_up_ && !needs_snapshot() && ((catch_up_to_ && applied_ >= *catch_up_to_) || leader_ready()))
    caught_up_ = true;
}

void Core::entries_read(std::uint64_t fetch_number, std::vector<Entry> entries) {
  const auto open = std::find_if(open_fetches_.begin(), open_fetches_.end(),
                                 [&](const OpenFetch& f) { return f.number == fetch_number; });
  if (open == open_fetches_.end())
    return;  // what was asked for is truncated, or the asker is gone
  const OpenFetch f = *open;
  open_fetches_.erase(open);
  KIWI_ASSERT(!entries.empty(), "a read of existing entries found none");
  Index expected = f.first;
  std::uint64_t bytes = 0;
  for (const Entry& e : entries) {
    KIWI_ASSERT(e.id.index == expected && e.id.index <= f.last, "the log store answers what was asked");
    KIWI_ASSERT(log_.term_at(e.id.index) == e.id.term, "the log on disk is not the log");
    bytes += weight_bytes(e);
    ++expected;
  }
  if (f.purpose == FetchFor::apply) {
    KIWI_ASSERT(f.first == handed_ + 1 && fetched_.empty(), "entries are applied in order");
    fetched_ = std::move(entries);
    return;
  }
  KIWI_MARK("follower.fetched");
  Progress* p = progress_of(f.follower);
  if (p != nullptr && p->state() == ProgressState::replicate && p->next() == f.first)
    send_entries(*p, std::move(entries), bytes);
}

void Core::read_failed(std::uint64_t fetch_number) {
  std::erase_if(open_fetches_, [&](const OpenFetch& f) { return f.number == fetch_number; });
  fetch_failed_ = true;
}

void Core::unreachable(NodeId peer) {
  if (Progress* p = progress_of(peer)) {
    KIWI_MARK("follower.lost");
    p->lost();
  }
}

}  // namespace kiwi::raft
