#include "actors/peer_out_queue.hpp"

#include <algorithm>
#include <utility>

namespace kiwi {

PeerOutQueue::Push PeerOutQueue::push(std::string frame) {
  auto unsent = unsent_bytes();
  if (full_ || (unsent > 0 && unsent + frame.size() > limit_bytes_))
    return drop();
  waiting_bytes_ += frame.size();
  frames_.push_back(std::move(frame));
  return Push::queued;
}

PeerOutQueue::Push PeerOutQueue::drop() {
  return std::exchange(full_, true) ? Push::dropped : Push::dropped_first;
}

void PeerOutQueue::hand_over(std::vector<char>& out, std::uint64_t room) {
  while (room > 0 && !frames_.empty()) {
    const auto& front = frames_.front();
    auto part = std::min<std::uint64_t>(room, front.size() - front_taken_);
    out.insert(out.end(), front.data() + front_taken_, front.data() + front_taken_ + part);
    room -= part;
    waiting_bytes_ -= part;
    handed_bytes_ += part;
    front_taken_ += part;
    if (front_taken_ == front.size()) {
      frames_.pop_front();
      front_taken_ = 0;
    }
  }
}

void PeerOutQueue::sent(std::uint64_t remaining_bytes) {
  handed_bytes_ = remaining_bytes;
  if (unsent_bytes() <= limit_bytes_ / 2)
    full_ = false;
}

void PeerOutQueue::clear() { *this = PeerOutQueue(limit_bytes_); }

}  // namespace kiwi
