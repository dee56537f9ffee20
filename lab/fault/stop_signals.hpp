#pragma once

// Ctrl-C and SIGTERM while children work: they end first, with everything that they started, then this
// program does, of the same signal.

#include <sys/types.h>

#include <functional>
#include <vector>

namespace kiwi::lab {

/// While it lives, SIGINT, SIGTERM and SIGHUP only interrupt what waits, and orphans of children come here to
/// be reaped. One at a time; another one inside of it changes nothing.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The one that came, or 0.
  static int came();
  /// Kills these children and waits for the end of all that is below this process; then cleans up, and ends
  /// this process as the signal would have. Does not return.
  [[noreturn]] static void end(const std::vector<pid_t>& children);
  /// Reaps orphans that have ended.
  static void reap(const std::vector<pid_t>& except);

 private:
  bool outermost_;
};

/// In a child: the parent decides when it ends, not the terminal.
void leave_signals_to_parent();

/// While it lives, `what` is done before a signal ends this program.
class AtStop {
 public:
  explicit AtStop(std::function<void()> what);
  ~AtStop();
  AtStop(const AtStop&) = delete;
  AtStop& operator=(const AtStop&) = delete;
};

}  // namespace kiwi::lab
