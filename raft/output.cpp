// What leaves the core: writes, messages, entries to apply, reads.

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "raft/core.hpp"

namespace kiwi::raft {

bool Output::empty() const {
  return write == 0 && messages.empty() && fetches.empty() && apply.empty() && reads.empty() &&
         failed_reads.empty() && snapshots_wanted.empty() && snapshots_offered.empty() && !install_finished &&
         !flush_wanted && !state_changed && !membership_changed && !transfer_ended && !lost_leadership;
}

Output Core::take_output() {
  if (role_ == Role::leader)
    advance_membership();
  if (role_ == Role::leader) {
    advance_transfer();
    if (round_waits()) {
      KIWI_MARK("read.round_waited");
    } else if (reads_.wants_round()) {
      ++counters_.read_rounds;
      begin_round();
    }
    let_go();
    for (Progress& p : progress_) replicate_to(p);
  }
  emit_write();
  const Index handed_before = handed_;
  hand_out();
  if (role_ == Role::leader)
    emit_reads(handed_before);
  evict();
  check();
  Output out = std::move(out_);
  out_ = Output{};
  return out;
}

/// What came together leaves together: see Options::hold_back_bytes.
void Core::let_go() {
  KIWI_ASSERT(let_go_ >= writes_.issued(), "what is on its way to the own disk goes to the followers, too");
  const bool disk_is_busy = writes_.durable() < writes_.issued();
  // A disk that takes longer than a tick holds nobody up, and who takes over needs all there is.
  const bool waits = disk_is_busy && writes_.oldest_ticks(now_ticks_) == 0 && !transfer_ &&
                     log_.bytes_after(let_go_) < options_.hold_back_bytes;
  if (!waits)
    let_go_ = log_.last().index;
  else if (let_go_ < log_.last().index)
    KIWI_MARK("append.held_back");
}

void Core::emit_write() {
  const LogId last = role_ == Role::leader ? log_.id_at(let_go_) : log_.last();
  if (!writes_.has_work(vote_, last.index))
    return;
  const WriteStream::Step step = writes_.issue(vote_, last, now_ticks_);
  out_.write = step.number;
  if (step.has_vote && (vote_.voted_for || !KIWI_MUTANT(term_not_stored)))
    out_.vote = vote_;
  out_.truncate_from = step.truncate_from;
  out_.purge_to = step.purge_to;
  out_.reset_to = step.reset_to;
  log_.copy(step.first, last.index, out_.entries);
}

/// Rule 6: applied is only what is committed and durable here.
void Core::hand_out() {
  if (installing_ || needs_snapshot())
    return;
  Index target = KIWI_MUTANT(apply_before_durable) ? commit_ : std::min(commit_, writes_.durable());
  if (role_ != Role::leader && target < handed_ + options_.follower_apply_entries)
    target = std::min(target, std::max(apply_due_, handed_));
  const auto hand = [&](Index last, std::uint64_t bytes) {
    handed_ = last;
    applying_.push_back({last, bytes});
    applying_bytes_ += bytes;
  };
  if (!fetched_.empty()) {
    KIWI_ASSERT(fetched_.front().id.index == handed_ + 1, "entries are applied in order");
    std::uint64_t bytes = 0;
    for (const Entry& e : fetched_) bytes += weight_bytes(e);
    const Index last = fetched_.back().id.index;
    std::move(fetched_.begin(), fetched_.end(), std::back_inserter(out_.apply));
    fetched_.clear();
    KIWI_MARK("apply.fetched");
    hand(last, bytes);
  }
  while (handed_ < target && (applying_bytes_ == 0 || applying_bytes_ < options_.max_applying_bytes)) {
    const Index first = handed_ + 1;
    const std::uint64_t room =
        options_.max_applying_bytes - std::min(options_.max_applying_bytes, applying_bytes_);
    if (!log_.cached(first)) {
      // Half of the room per read, so that reading goes on while the other half is applied.
      if (applying_bytes_ <= options_.max_applying_bytes / 2 && !fetching(FetchFor::apply, NodeId(0)))
        fetch(FetchFor::apply, NodeId(0), first, std::min(target, log_.cached_first() - 1),
              std::max<std::uint64_t>(1, options_.max_applying_bytes / 2));
      return;
    }
    const Index last = log_.fit(first, target, room);
    const std::uint64_t bytes = log_.bytes_after(handed_) - log_.bytes_after(last);
    if (applying_bytes_ > 0 && bytes > room)
      return;
    log_.copy(first, last, out_.apply);
    hand(last, bytes);
  }
}

void Core::emit_reads(Index handed_before) {
  const auto ready = reads_.emit(handed_before, handed_);
  if (ready.empty())
    return;
  out_.reads.reserve(ready.size());
  for (const ReadQueue::Emitted& r : ready) out_.reads.push_back({r.token, r.at, time_of_read(r.at)});
}

/// A read at `at` comes before entry at + 1, so its time must not be later than that entry's stamp. Positions
/// of reads never fall, and so neither do their times.
std::uint64_t Core::time_of_read(Index at) {
  KIWI_ASSERT(at >= told_at_, "the positions of reads never fall");
  std::uint64_t now = 1;
  if (at == log_.last().index)
    now = agreed_time_ms();
  else if (log_.cached(at + 1))
    now = log_.stamp_at(at + 1);
  else if (at == told_at_)
    now = told_ms_;  // the entry came later than this was told, or has this stamp
  // Else it is known only on disk: the stamp of `at`, which the state machine knows, is surely not later.
  told_at_ = at;
  told_ms_ = std::max<std::uint64_t>({told_ms_, now, 1});
  return std::max<std::uint64_t>(now, 1);
}

// --- Entries that are not in memory

bool Core::fetching(FetchFor purpose, NodeId follower) const {
  for (const OpenFetch& f : open_fetches_)
    if (f.purpose == purpose && f.follower == follower)
      return true;
  return false;
}

bool Core::fetch(FetchFor purpose, NodeId follower, Index first, Index last, std::uint64_t max_bytes) {
  if (fetch_failed_ || first > last)
    return false;
  KIWI_ASSERT(last <= writes_.durable(), "only what is on disk can be read back");
  open_fetches_.push_back({next_fetch_, purpose, follower, first, last});
  out_.fetches.push_back({next_fetch_, first, last, max_bytes});
  ++next_fetch_;
  return true;
}

void Core::drop_follower_fetches() {
  std::erase_if(open_fetches_, [](const OpenFetch& f) { return f.purpose == FetchFor::follower; });
}

/// What is durable and applied stays in memory only as far as the cache reaches. A node whose state machine
/// is far behind gives up entries before they are applied, and reads them back, so that its memory is bounded
/// too.
void Core::evict() {
  log_.evict(std::min(applied_, writes_.durable()), options_.max_cached_bytes);
  log_.evict(writes_.durable(), options_.max_cached_bytes + options_.max_uncommitted_bytes);
}

}  // namespace kiwi::raft
