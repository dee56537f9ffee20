#include "node/fault/fault_clock.hpp"

#include <algorithm>

namespace kiwi::fault {

FaultClock::Steady::time_point FaultClock::steady_at(Steady::time_point now) const {
  const std::chrono::duration<double, std::nano> passed = now - base_true_;
  return base_shown_ + std::chrono::duration_cast<Duration>(passed * rate_);
}

std::chrono::milliseconds FaultClock::wall() const {
  const auto now = Steady::now();
  const auto right = std::chrono::system_clock::now().time_since_epoch();
  const auto ahead = (steady_at(now) - now) - forgiven_;
  return std::chrono::duration_cast<std::chrono::milliseconds>(right + ahead + offset_);
}

std::uint64_t FaultClock::unix_ms() const {
  const std::lock_guard guard(mutex_);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, frozen_.value_or(wall()).count()));
}

FaultClock::Steady::time_point FaultClock::steady() const {
  const std::lock_guard guard(mutex_);
  return steady_at(Steady::now());
}

FaultClock::Steady::time_point FaultClock::true_time(Steady::time_point shown) const {
  const std::lock_guard guard(mutex_);
  const std::chrono::duration<double, std::nano> passed = shown - base_shown_;
  return base_true_ + std::chrono::duration_cast<Duration>(passed / rate_);
}

void FaultClock::set_offset(Duration offset) {
  const std::lock_guard guard(mutex_);
  offset_ = offset;
}

void FaultClock::jump(Duration by) {
  const std::lock_guard guard(mutex_);
  offset_ += by;
}

void FaultClock::set_rate(double rate) {
  const std::lock_guard guard(mutex_);
  const auto now = Steady::now();
  base_shown_ = steady_at(now);
  base_true_ = now;
  rate_ = rate;
}

void FaultClock::freeze() {
  const std::lock_guard guard(mutex_);
  if (!frozen_) {
    frozen_ = wall();
  }
}

void FaultClock::heal() {
  const std::lock_guard guard(mutex_);
  const auto now = Steady::now();
  base_shown_ = steady_at(now);
  base_true_ = now;
  rate_ = 1;
  offset_ = Duration{0};
  forgiven_ = base_shown_ - base_true_;
  frozen_.reset();
}

}  // namespace kiwi::fault
