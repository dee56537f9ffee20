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
    handed_bytes_ += part;
    take(part);
  }
}

std::string_view PeerOutQueue::front() const {
  return frames_.empty() ? std::string_view() : std::string_view(frames_.front()).substr(front_taken_);
}

void PeerOutQueue::left(std::size_t bytes) {
  take(bytes);
  reopen();
}

void PeerOutQueue::take(std::size_t bytes) {
  waiting_bytes_ -= bytes;
  front_taken_ += bytes;
  if (front_taken_ == frames_.front().size()) {
    frames_.pop_front();
    front_taken_ = 0;
  }
}

void PeerOutQueue::sent(std::uint64_t remaining_bytes) {
  handed_bytes_ = remaining_bytes;
  reopen();
}

void PeerOutQueue::reopen() {
  if (unsent_bytes() <= limit_bytes_ / 2)
    full_ = false;
}

void PeerOutQueue::clear() { *this = PeerOutQueue(limit_bytes_); }

}  // namespace kiwi
