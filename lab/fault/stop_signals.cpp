#include "lab/fault/stop_signals.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace kiwi::lab {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

volatile sig_atomic_t which = 0;
bool watching = false;
std::array<struct sigaction, kSignals.size()> before;

std::vector<std::function<void()>>& cleanups() {
  static std::vector<std::function<void()>> all;
  return all;
}

void note(int signal) { which = signal; }

}  // namespace

StopSignals::StopSignals() : outermost_(!std::exchange(watching, true)) {
  if (!outermost_) {
    return;
  }
  which = 0;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  struct sigaction action {};
  action.sa_handler = note;  // without SA_RESTART: whoever waits must notice
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], &action, &before[i]);
  }
}

StopSignals::~StopSignals() {
  if (!outermost_) {
    return;
  }
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], &before[i], nullptr);
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  watching = false;
}

int StopSignals::came() { return which; }

void StopSignals::end(const std::vector<pid_t>& children) {
  for (const pid_t child : children) {
    ::kill(child, SIGKILL);
  }
  // Nodes of a child that was killed are killed with it, and become children of this process.
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  for (const auto& cleanup : cleanups()) {
    cleanup();
  }
  ::signal(which, SIG_DFL);
  ::raise(which);
  ::_exit(128 + which);
}

void StopSignals::reap(const std::vector<pid_t>& except) {
  siginfo_t ended{};
  const auto ours = [&] {
    for (const pid_t pid : except) {
      if (ended.si_pid == pid) {
        return true;
      }
    }
    return false;
  };
  while (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0 && !ours()) {
    ::waitpid(ended.si_pid, nullptr, 0);
    ended = {};
  }
}

void leave_signals_to_parent() {
  for (const int signal : kSignals) {
    ::signal(signal, SIG_IGN);
  }
  watching = true;
}

AtStop::AtStop(std::function<void()> what) { cleanups().push_back(std::move(what)); }
AtStop::~AtStop() { cleanups().pop_back(); }

}  // namespace kiwi::lab
