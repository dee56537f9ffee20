#include "raft/read_queue.hpp"

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"

namespace kiwi::raft {

void ReadQueue::push(std::uint64_t token, Index lo, Index p) {
  KIWI_ASSERT(lo <= p, "a read cannot ask for more than the log has");
  KIWI_ASSERT(waiting_.empty() || waiting_.back().p <= p, "a leader's log only grows");
  waiting_.push_back({token, lo, p, started_ + 1});
}

bool ReadQueue::wants_round() const {
  return !waiting_.empty() && waiting_.back().round > started_ && answered_ == started_;
}

std::uint64_t ReadQueue::start_round() { return ++started_; }

void ReadQueue::confirm_round(std::uint64_t round) {
  KIWI_ASSERT(round <= started_, "an answer to a round that has not begun");
  answered_ = std::max(answered_, round);
  if (!waiting_.empty() && waiting_.front().round <= answered_)
    KIWI_MARK("read.confirmed");
  while (!waiting_.empty() && waiting_.front().round <= answered_) {
    confirmed_.push_back(waiting_.front());
    waiting_.pop_front();
  }
}

void ReadQueue::confirm_by_commit(Index commit) {
  if (!waiting_.empty() && waiting_.front().p < commit)
    KIWI_MARK("read.confirmed_by_commit");
  while (!waiting_.empty() && waiting_.front().p < commit) {
    confirmed_.push_back(waiting_.front());
    waiting_.pop_front();
  }
}

std::size_t ReadQueue::confirm_all() {
  const std::size_t count = waiting_.size();
  confirmed_.insert(confirmed_.end(), waiting_.begin(), waiting_.end());
  waiting_.clear();
  return count;
}

std::vector<ReadQueue::Emitted> ReadQueue::emit(Index handed_before, Index handed) {
  std::vector<Emitted> out;
  if (confirmed_.empty()) {
    KIWI_ASSERT(waiting_.empty() || handed <= waiting_.front().p, "an apply overtakes a read (rule 13)");
    return out;
  }
  std::size_t kept = 0;
  for (const Read& r : confirmed_) {
    if (r.lo <= handed || KIWI_MUTANT(read_before_apply)) {
      const Index at = KIWI_MUTANT(read_before_apply) ? handed_before : std::max(r.lo, handed_before);
      KIWI_ASSERT(at <= r.p, "a read sees what was proposed after it (rule 13)");
      out.push_back({r.token, at});
    } else {
      KIWI_MARK("read.waited_for_apply");
      confirmed_[kept++] = r;
    }
  }
  confirmed_.resize(kept);
  KIWI_ASSERT(waiting_.empty() || handed <= waiting_.front().p, "an apply overtakes a read (rule 13)");
  const auto by_at = [](const Emitted& a, const Emitted& b) { return a.at < b.at; };
  if (!std::is_sorted(out.begin(), out.end(), by_at))
    std::stable_sort(out.begin(), out.end(), by_at);
  return out;
}

void ReadQueue::fail_all(std::vector<std::uint64_t>& tokens) {
  for (const Read& r : confirmed_) tokens.push_back(r.token);
  for (const Read& r : waiting_) tokens.push_back(r.token);
  confirmed_.clear();
  waiting_.clear();
  started_ = 0;
  answered_ = 0;
}

}  // namespace kiwi::raft
