#pragma once

// How much slower this machine is, at this moment, than the one whose times the scenarios were written for.

#include <filesystem>
#include <string>

namespace kiwi::lab {

struct Slowness {
  double cpu = 1;   // a fixed piece of work
  double wake = 1;  // a sleep of a millisecond
  double disk = 1;  // a write of 4 KiB and its sync
  /// What times are multiplied by: the worst of them, from 1 to kMost.
  double factor() const;
  std::string text() const;
  static constexpr double kMost = 10;
};

/// Takes less than a second on a machine that works. Writes a file into `dir` and removes it.
Slowness measure_slowness(const std::filesystem::path& dir);

}  // namespace kiwi::lab
