#pragma once

// A cluster that fails when the test says so: what a shrunk script comes down to is then known.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/script/format.hpp"
#include "lab/script/lower.hpp"
#include "lab/script/parse.hpp"
#include "lab/shrink/shrink.hpp"

namespace kiwi::lab {

inline constexpr const char* kCheck = "invariant:7";

inline script::Scenario scenario_of(const std::string& text) {
  auto scenario = script::parse({"toy.scenario", text});
  if (!scenario) {
    ADD_FAILURE() << script::to_string(scenario.error()) << text;
    return {};
  }
  return *scenario;
}

inline Trial failing(const std::string& check = kCheck, Time ended = std::chrono::hours(1)) {
  return {{Outcome::fail, check, "as the toy wants it"}, ended};
}
inline Trial passing() { return {}; }

using Broken = std::function<bool(const script::Scenario&)>;

/// Fails by kCheck whenever `broken`.
inline RunTrials toy(Broken broken) {
  return one_by_one([broken = std::move(broken)](const script::Scenario& scenario) {
    return broken(scenario) ? failing() : passing();
  });
}

inline std::vector<std::string> lines_of(const script::Scenario& scenario) {
  std::vector<std::string> lines;
  for (const script::Action& action : scenario.actions) {
    lines.push_back(script::lower(action));
  }
  for (const script::Block& block : scenario.blocks) {
    lines.push_back(script::to_text(block.when) + " ...");
  }
  return lines;
}

/// How many lines have this verb and concern this node (0: any).
inline std::size_t count(const script::Scenario& scenario, std::string_view verb, std::uint64_t node = 0) {
  std::size_t found = 0;
  for (const script::Action& action : scenario.actions) {
    const bool named =
        node == 0 || std::find(action.nodes.begin(), action.nodes.end(), NodeId(node)) != action.nodes.end();
    found += action.verb == verb && named ? 1 : 0;
  }
  return found;
}

inline Shrunk shrunk(const std::string& text, RunTrials run, ShrinkOptions options = {}) {
  options.run = std::move(run);
  auto result = shrink(scenario_of(text), options);
  if (!result) {
    ADD_FAILURE() << result.error();
    return {};
  }
  return *result;
}

/// 100 lines: crashes, cuts, pauses and slow disks on five nodes, each ended.
inline std::string hundred_lines() {
  std::string text =
      "scenario hundred\ncluster nodes=5 seed=3 disk=hostile run=60s\n"
      "load L1 clients=8 keys=10 mix=\"get 40, set 30, incr 15\" rate=200/s\n\n";
  const char* const faults[][2] = {{"crash", "restart"},
                                   {"cut", "heal"},
                                   {"pause", "resume"},
                                   {"slow", "free"},
                                   {"power-fail", "restart"}};
  text += "! 0.000000s  start L1\n";
  for (int i = 0; i < 49; ++i) {
    const auto& [fault, ending] = faults[i % 5];
    const std::string node = "n" + std::to_string((i * 7 + i / 5) % 5 + 1);
    const std::string other = "n" + std::to_string((i * 7 + i / 5 + 2) % 5 + 1);
    const bool link = std::string_view(fault) == "cut";
    const std::string at = "! " + std::to_string(i + 1) + ".";
    text += at + "123456s  " + fault + " " + node + (link ? " <-> " + other : "") +
            (std::string_view(fault) == "slow" ? " sync 100ms..345ms" : "") + "\n";
    text += at + "923456789s  " + ending + " " + node + (link ? " <-> " + other : "") + "\n";
  }
  return text + "! 58.000000s  stop L1\n\nalways    raft, storage\nfinally   linearizable(L1)\n";
}

}  // namespace kiwi::lab
