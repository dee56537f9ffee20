#pragma once

// What waits to be sent on one lane to one peer: bounded in bytes. No IO, no actors.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace kiwi {

/// Invariant: unsent_bytes() <= max(limit, the largest single frame).
class PeerOutQueue {
 public:
  enum class Push {
    queued,
    dropped_first,  // the queue just became full: say PeerUnreachable
    dropped,        // it still is
  };

  explicit PeerOutQueue(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  /// A full queue drops all until half of it is sent, so that the sender hears of it once, not per message.
  bool full() const { return full_; }
  /// An empty queue takes a frame of any size.
  Push push(std::string frame);
  /// Same, for a frame that was not even encoded because full().
  Push drop();

  /// The bytes to be sent next; empty: nothing waits. Valid until the next call.
  std::string_view front() const;
  /// This many bytes of front() have left.
  void left(std::size_t bytes);
  /// Appends up to `room` bytes to `out`, which is the system's write buffer; they count as unsent until
  /// sent().
  void hand_over(std::vector<char>& out, std::uint64_t room);
  /// The write buffers hold `remaining_bytes` now.
  void sent(std::uint64_t remaining_bytes);

  std::uint64_t unsent_bytes() const { return waiting_bytes_ + handed_bytes_; }
  std::uint64_t handed_bytes() const { return handed_bytes_; }
  void clear();

 private:
  void take(std::size_t bytes);
  void reopen();

  std::uint64_t limit_bytes_;
  std::deque<std::string> frames_;
  std::size_t front_taken_ = 0;      // bytes of frames_.front() that are handed over
  std::uint64_t waiting_bytes_ = 0;  // in frames_, without front_taken_
  std::uint64_t handed_bytes_ = 0;
  bool full_ = false;
};

}  // namespace kiwi
