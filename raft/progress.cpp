#include "raft/progress.hpp"

#include <algorithm>

#include "messages/assert.hpp"

namespace kiwi::raft {

const char* to_string(ProgressState state) {
  switch (state) {
    case ProgressState::probe:
      return "probe";
    case ProgressState::replicate:
      return "replicate";
    case ProgressState::snapshot:
      return "snapshot";
  }
  return "?";
}

void Progress::ack_round(std::uint64_t round) { acked_round_ = std::max(acked_round_, round); }

void Progress::clear_inflight() {
  inflight_.clear();
  inflight_bytes_ = 0;
}

std::uint64_t Progress::sent(Index previous, Index last, std::uint64_t bytes, std::uint64_t now_ticks) {
  KIWI_ASSERT(previous + 1 == next_ && previous <= last, "appends to a follower follow each other");
  // A repeated question "did all of it arrive?" is the one before, so that a silent disk over there cannot
  // make this queue grow, and an answer that takes longer than the patience here still counts.
  if (last == previous && !inflight_.empty() && inflight_.back().previous == previous &&
      inflight_.back().last == previous) {
    sent_ticks_ = now_ticks;
    return inflight_.back().sequence;
  }
  inflight_.push_back({++sequence_, previous, last, bytes});
  inflight_bytes_ += bytes;
  sent_ticks_ = now_ticks;
  if (state_ == ProgressState::replicate)
    next_ = last + 1;
  return sequence_;
}

bool Progress::acknowledged(std::uint64_t sequence, Index match) {
  if (sequence > sequence_)
    return false;
  while (!inflight_.empty() && inflight_.front().sequence <= sequence) {
    inflight_bytes_ -= inflight_.front().bytes;
    inflight_.pop_front();
  }
  cautious_ = false;
  const bool rose = match > match_;
  match_ = std::max(match_, match);
  const bool overtaken = match_ >= next_;
  next_ = std::max(next_, match_ + 1);
  if (state_ == ProgressState::probe && sequence < first_probe_ && overtaken) {
    first_probe_ = sequence_ + 1;  // another place; it is probed anew
    clear_inflight();
  }
  if (state_ == ProgressState::probe && sequence >= first_probe_) {
    state_ = ProgressState::replicate;
    paused_ = false;
    clear_inflight();
    next_ = match_ + 1;
  }
  return rose;
}

std::optional<Index> Progress::rejected_previous(std::uint64_t sequence) const {
  if (state_ == ProgressState::probe) {
    if (sequence < first_probe_ || sequence > sequence_)
      return std::nullopt;
    return next_ - 1;
  }
  for (const Inflight& i : inflight_)
    if (i.sequence == sequence)
      return i.previous;
  return std::nullopt;
}

void Progress::back_track(Index previous, Index next) {
  if (state_ == ProgressState::snapshot)
    return;
  next_ = std::max(std::min(next, previous), match_ + 1);
  // Not brought forward: it denies what it acknowledged. It may be a broken disk; do not spin.
  paused_ = next_ > previous;
  cautious_ = paused_;
  state_ = ProgressState::probe;
  first_probe_ = sequence_ + 1;
  clear_inflight();
}

void Progress::lost() {
  clear_inflight();
  paused_ = true;
  cautious_ = true;
  if (state_ == ProgressState::replicate) {
    state_ = ProgressState::probe;
    next_ = match_ + 1;
  }
  first_probe_ = sequence_ + 1;
}

void Progress::repeat_probe() {
  if (state_ != ProgressState::probe)
    return;
  clear_inflight();
  cautious_ = true;
}

void Progress::need_snapshot() {
  state_ = ProgressState::snapshot;
  clear_inflight();
  offered_.reset();
  received_bytes_ = 0;
}

void Progress::receives(std::uint64_t bytes, std::uint64_t now_ticks) {
  // Also while the count stands still: it looks for what it has already, or verifies. A receiver that hangs
  // gives up by itself, and says so.
  received_ticks_ = now_ticks;
  received_bytes_ = bytes;
}

void Progress::has_everything_to(Index index) {
  if (state_ != ProgressState::snapshot)
    return;
  state_ = ProgressState::probe;
  next_ = std::max(index, match_) + 1;
  paused_ = false;
  cautious_ = false;
  first_probe_ = sequence_ + 1;
  offered_.reset();
  held_from_ = index;
  clear_inflight();
}

}  // namespace kiwi::raft
