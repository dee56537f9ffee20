#pragma once

// The clock of a node in the fault build: its wall clock can be off, fast, slow or stand still; its timers
// can be fast or slow. Thread-safe.

#include <caf/actor_system_config.hpp>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace kiwi::fault {

class FaultClock {
 public:
  using Steady = std::chrono::steady_clock;
  using Duration = std::chrono::nanoseconds;

  /// Unix milliseconds as this node believes; never below 0.
  std::uint64_t unix_ms() const;
  /// What the steady clock shows: it runs at the rate, and never jumps.
  Steady::time_point steady() const;
  /// When the true steady clock will show it, at the rate of now.
  Steady::time_point true_time(Steady::time_point shown) const;

  /// Against the true time.
  void set_offset(Duration offset);
  /// On top of the offset it has.
  void jump(Duration by);
  /// 0.1 to 10, for wall clock and timers alike.
  void set_rate(double rate);
  /// The wall clock stands still; timers go on.
  void freeze();
  /// Right again: offset 0, rate 1, not frozen.
  void heal();

 private:
  Steady::time_point steady_at(Steady::time_point now) const;
  std::chrono::milliseconds wall() const;

  mutable std::mutex mutex_;
  Steady::time_point base_true_ = Steady::now();
  Steady::time_point base_shown_ = base_true_;
  double rate_ = 1;
  Duration offset_{0};
  Duration forgiven_{0};  // of what the rate added to the steady clock: not in the wall clock any more
  std::optional<std::chrono::milliseconds> frozen_;
};

/// Lets all timers of the actor system run by this clock, which must outlive the system.
void use_clock(caf::actor_system_config& config, FaultClock& clock);

}  // namespace kiwi::fault
