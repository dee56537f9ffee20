#pragma once

// A campaign that cannot fail says nothing: of every hundred cases one also runs with a lie built in (the
// mutant always_wrong), and must be reported as failed.

#include <cstddef>
#include <string>
#include <vector>

#include "lab/script/ast.hpp"

namespace kiwi::lab {

struct Canaries {
  std::size_t runs = 0;
  std::size_t reported = 0;
  /// Of those that were not: what they said instead.
  std::vector<std::string> silent;
};

/// The first case and every hundredth from there, on the simulator.
Canaries run_canaries(const std::vector<script::Scenario>& cases, std::size_t jobs);

}  // namespace kiwi::lab
