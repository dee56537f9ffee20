#include "lab/process/loop.hpp"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "messages/assert.hpp"

namespace kiwi::lab {

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) { KIWI_ASSERT(epoll_, "epoll is there"); }

Time Loop::now() const { return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now() - begin_); }

Loop::Id Loop::watch(const Fd& fd, std::uint32_t events, Ready ready) {
  const Id id = next_++;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  const bool added = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0;
  KIWI_ASSERT(added, "an open descriptor is watched, once");
  watched_.emplace(id, Watched{fd.get(), events, std::move(ready)});
  return id;
}

void Loop::want(Id id, std::uint32_t events) {
  const auto found = watched_.find(id);
  if (found == watched_.end() || found->second.events == events) {
    return;
  }
  found->second.events = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, found->second.fd, &event);
}

void Loop::remove(Id id) {
  if (const auto found = watched_.find(id); found != watched_.end()) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.fd, nullptr);
    watched_.erase(found);
  }
}

Loop::Id Loop::at(Time when, std::function<void()> what) {
  const Id id = next_++;
  when = std::max(when, now());
  timers_.emplace(std::pair(when, id), std::move(what));
  timer_times_.emplace(id, when);
  return id;
}

void Loop::cancel(Id timer) {
  if (const auto found = timer_times_.find(timer); found != timer_times_.end()) {
    timers_.erase({found->second, timer});
    timer_times_.erase(found);
  }
}

void Loop::step(Time limit) {
  const Id newest = next_;
  const Time first = timers_.empty() ? limit : std::min(limit, timers_.begin()->first.first);
  const Time wait = std::clamp(first - now(), Time{0}, Time(std::chrono::seconds(1)));
  const timespec pause{static_cast<time_t>(wait.count() / 1'000'000'000), wait.count() % 1'000'000'000};
  pollfd waiter{epoll_.get(), POLLIN, 0};
  ::ppoll(&waiter, 1, &pause, nullptr);
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 0);
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    // A handler before may have removed it.
    if (const auto found = watched_.find(event.data.u64); found != watched_.end()) {
      const Ready ready = found->second.ready;
      ready(event.events);
    }
  }
  const Time due = now();
  while (!timers_.empty() && timers_.begin()->first.first <= due && timers_.begin()->first.second < newest) {
    auto timer = timers_.extract(timers_.begin());
    timer_times_.erase(timer.key().second);
    lateness_ = std::max(lateness_, due - std::max(timer.key().first, forgiven_));
    timer.mapped()();
  }
}

}  // namespace kiwi::lab
