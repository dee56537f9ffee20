#pragma once

// How far a long command is: at most one line a second on standard error, and one at the end if there were
// any.

#include <chrono>
#include <cstdint>
#include <string>

namespace kiwi {

class Progress {
 public:
  /// `doing`: "verifying". `total`: bytes that there will be; 0: not known.
  Progress(std::string doing, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// `bytes` more are done, the last ones in `where`.
  void add(std::uint64_t bytes, const std::string& where);

 private:
  using Clock = std::chrono::steady_clock;
  void print(const std::string& where) const;

  std::string doing_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  Clock::time_point began_ = Clock::now();
  Clock::time_point printed_ = began_;
};

/// "12.3 MiB"
std::string bytes_text(std::uint64_t bytes);

}  // namespace kiwi
