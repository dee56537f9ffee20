#pragma once

// What is kept of a run in a campaign: enough for its line and for the figures. Travels from the process that
// ran it to the one that counts.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "lab/run/record.hpp"

namespace kiwi::lab {

struct Summary {
  std::string scenario;
  std::string which;
  std::uint64_t seed = 0;
  Verdict verdict;
  std::string folder;  // where the run was left; empty: nowhere
  std::uint64_t trace_hash = 0;
  Time simulated{0};
  std::chrono::milliseconds took{0};
  std::map<std::string, std::uint64_t> figures;
  std::map<std::string, std::uint64_t> marks;
};

Summary summary_of(const RunRecord& record);
/// One line of JSON, and back. A line that is none gives a summary whose verdict is an error.
std::string to_line(const Summary& summary);
Summary summary_from(const std::string& line);

/// "pass     leader_cut [disk=torn] seed 7: 512 operations done, 3 faults (0.41 s)".
std::string to_text(const Summary& summary);

}  // namespace kiwi::lab
