#pragma once

// What a kiwi-node program can do for the laboratory, and what a scenario asks for beyond that.

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "lab/script/ast.hpp"

namespace kiwi::lab {

struct Means {
  std::filesystem::path program;
  /// It has a control socket, a clock and a disk that can be wrong, and dials where it is told to.
  bool fault_build = false;
};

/// Asks the program itself (--help). The error: it is no kiwi-node.
tl::expected<Means, std::string> find_means(const std::filesystem::path& program);

/// Every verb that the scenario may use, `fuzz` blocks included; once each, sorted.
std::vector<std::string> verbs_in(const script::Scenario& scenario);

/// It has a `when msg ...`.
bool waits_for_messages(const script::Scenario& scenario);

/// What the scenario needs and these means lack, beside the verbs whose row says so: "cut (needs
/// kiwi-node-fault)", "when disk", "strategy=". Empty: nothing.
std::vector<std::string> lacking(const script::Scenario& scenario, const Means& means);

}  // namespace kiwi::lab
