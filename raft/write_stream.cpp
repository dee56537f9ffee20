#include "raft/write_stream.hpp"

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"

namespace kiwi::raft {

void WriteStream::truncated(Index from) {
  KIWI_ASSERT(from.value > 0, "there is no entry 0");
  durable_ = std::min(durable_, from - 1);
  for (Write& w : writes_) {
    if (w.covers < from || KIWI_MUTANT(completion_by_index))
      continue;
    KIWI_MARK("log.overwritten_unsynced");
    w.covers = from - 1;
  }
  if (issued_ >= from) {
    truncate_from_ = truncate_from_ ? std::min(truncate_from_, from) : from;
    issued_ = from - 1;
  }
}

void WriteStream::reset(LogId to) {
  KIWI_ASSERT(to.index && !resetting_.index, "one reset at a time");
  reset_to_ = resetting_ = to;
  truncate_from_ = Index(0);
  purge_to_ = Index(0);
}

WriteStream::Step WriteStream::issue(Vote vote, LogId last, std::uint64_t now_ticks) {
  KIWI_ASSERT(issued_ <= last.index, "a truncation was not told to the write stream");
  Step step;
  step.number = next_number_++;
  step.has_vote = vote != issued_vote_;
  if (resetting_.index) {
    step.reset_to = std::exchange(reset_to_, LogId{});
    step.first = last.index + 1;
    issued_vote_ = vote;
    const bool first = step.reset_to.index.value != 0;
    writes_.push_back({step.number, vote, resetting_, resetting_.index, now_ticks, first});
    return step;
  }
  step.purge_to = std::exchange(purge_to_, Index(0));
  step.truncate_from = truncate_from_;
  step.first = issued_ + 1;
  issued_vote_ = vote;
  issued_ = last.index;
  truncate_from_ = Index(0);
  writes_.push_back({step.number, vote, last, last.index, now_ticks, false});
  return step;
}

void WriteStream::persisted(std::uint64_t number, LogId disk_last) {
  KIWI_ASSERT(number < next_number_, "a write completed that was never issued");
  if (writes_.empty() || writes_.front().number > number)
    return;  // completed with a later one already
  bool known_end = false;
  for (const Write& w : writes_) known_end = known_end || (w.number >= number && w.last == disk_last);
  KIWI_ASSERT(known_end, "the log store ends with an entry that was not written there");
  while (!writes_.empty() && writes_.front().number <= number) {
    const Write& w = writes_.front();
    if (w.reset) {
      issued_ = w.covers;
      reset_done_ = std::exchange(resetting_, LogId{});
    } else {
      KIWI_ASSERT(w.covers >= durable_, "durable goes back by truncation and reset only");
    }
    durable_ = w.covers;
    durable_vote_ = w.vote;
    writes_.pop_front();
  }
}

}  // namespace kiwi::raft
