#pragma once

// What a run may say at its end. Only `pass` is green.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace kiwi::lab {

enum class Outcome : std::uint8_t {
  pass,         // everything held, and the run tested something
  fail,         // an expectation, an invariant or a final check was broken
  unknown,      // a checker ran out of its budget, or the machine was too slow to tell
  vacuous,      // nothing was tested: a fault without effect, too few operations, ...
  unsupported,  // the backend lacks something the script uses; refused before it starts
  error,        // the script or the laboratory is wrong
};

constexpr std::string_view name_of(Outcome outcome) {
  constexpr std::string_view kNames[] = {"pass", "fail", "unknown", "vacuous", "unsupported", "error"};
  return kNames[static_cast<std::size_t>(outcome)];
}

/// The exit code of kiwi-fault.
constexpr int exit_code(Outcome outcome) {
  constexpr int kCodes[] = {0, 1, 2, 3, 5, 4};
  return kCodes[static_cast<std::size_t>(outcome)];
}

/// Of several runs the one that counts: error, fail, unsupported, unknown, vacuous, pass in this order.
constexpr Outcome worst(Outcome a, Outcome b) {
  constexpr int kRank[] = {0, 4, 2, 1, 3, 5};
  return kRank[static_cast<std::size_t>(a)] >= kRank[static_cast<std::size_t>(b)] ? a : b;
}

struct Verdict {
  Outcome outcome = Outcome::pass;
  /// Names what failed in a way that stays the same from run to run and under shrinking: "expect:12" (line),
  /// "invariant:7", "linearizable:L1", "liveness", "vacuous:fault:9", ... Empty for a pass.
  std::string check;
  /// One sentence.
  std::string why;
};

}  // namespace kiwi::lab
