#pragma once

// The wire to the laboratory: a unix socket that the laboratory listens on, lines of text, one thread.
//
//   node -> laboratory   hello NODE PID          once
//                        ok NUMBER TEXT          the answer to the command of this number
//                        error NUMBER TEXT
//                        mark NAME               an instrumented point was passed
//   laboratory -> node   NUMBER clock offset NS | jump NS | rate R | freeze | heal
//                        NUMBER disk ...         DiskControl::command
//                        NUMBER hold             files wait from now on: power is about to fail
//                                                elsewhere, too
//                        NUMBER kill             as kill -9 does: the machine goes on, un-synced bytes stay
//                        NUMBER crash-at MARK [NTH]  the same when this mark is passed for the n-th time from
//                                                    now: a named crash point; "none": not any more
//                        NUMBER power-fail PROFILE plain|torn SEED
//
// The process ends when the laboratory goes away.

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "node/fault/disk_control.hpp"
#include "node/fault/fault_clock.hpp"

namespace kiwi::fault {

class Control {
 public:
  static constexpr std::size_t kMostMarks = 1024;
  Control(FaultClock& clock, DiskControl& disk) : clock_(clock), disk_(disk) {}

  /// Connects and starts the thread. The error says why not. `this` must live as long as the process.
  tl::expected<void, std::string> start(const std::string& path, std::uint64_t node);
  /// One command without its number. The answer or what is wrong.
  tl::expected<std::string, std::string> command(const std::string& line);
  /// From any thread; of one mark at most one line in 10 ms, and none while the laboratory does not read.
  void mark(std::size_t number, std::string_view name);

 private:
  void listen();
  void say(const std::string& line);
  void handle(const std::string& line);
  tl::expected<std::string, std::string> clock_command(const Words& words);

  FaultClock& clock_;
  DiskControl& disk_;
  int socket_ = -1;
  bool dies_ = false;                               // after the answer
  std::atomic<std::size_t> crash_at_ = kMostMarks;  // the mark; none
  std::atomic<std::uint64_t> crash_in_ = 1;         // passes of it
  /// When each mark was last reported, in steady nanoseconds.
  std::array<std::atomic<std::int64_t>, kMostMarks> reported_{};
};

}  // namespace kiwi::fault
