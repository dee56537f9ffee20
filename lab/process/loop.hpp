#pragma once

// One epoll loop with timers. Everything of the process backend happens in its handlers, in one thread.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "lab/process/sockets.hpp"
#include "lab/time.hpp"

namespace kiwi::lab {

class Loop {
 public:
  using Id = std::uint64_t;  // never 0, never used twice
  /// Of epoll: EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP.
  using Ready = std::function<void(std::uint32_t events)>;

  Loop();

  /// Since it was made.
  Time now() const;

  /// The descriptor stays the caller's, who removes it before it closes it.
  Id watch(const Fd& fd, std::uint32_t events, Ready ready);
  void want(Id id, std::uint32_t events);
  void remove(Id id);

  /// A time that has passed means now: as soon as handlers have returned.
  Id at(Time when, std::function<void()> what);
  void cancel(Id timer);

  /// Waits until something is ready or due, or until `limit`, and handles what is there. Timers that handlers
  /// add wait for the next step.
  void step(Time limit);
  /// The latest that a timer fired after its time, since the last call.
  Time take_lateness() { return std::exchange(lateness_, Time{0}); }
  /// What is late by now is not the machine's fault: a handler took its time.
  void forgive() { forgiven_ = now(); }

 private:
  struct Watched {
    int fd;
    std::uint32_t events;
    Ready ready;
  };

  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  Fd epoll_;
  std::map<Id, Watched> watched_;
  std::map<std::pair<Time, Id>, std::function<void()>> timers_;
  std::map<Id, Time> timer_times_;
  Id next_ = 1;
  Time lateness_{0};
  Time forgiven_{0};
};

}  // namespace kiwi::lab
