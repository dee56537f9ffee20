// Fewer nodes, less noise.

#include <algorithm>
#include <utility>

#include "lab/script/values.hpp"
#include "lab/shrink/passes.hpp"
#include "lab/shrink/remap.hpp"
#include "lab/shrink/script_lines.hpp"

namespace kiwi::lab::shrinking {
namespace {

using namespace std::chrono_literals;

/// Windows of noise begin and end at multiples of this.
constexpr Time kGrid = 100ms;

/// One node, or two: majorities change only with every second one.
std::vector<std::vector<NodeId>> who_may_go(std::uint64_t nodes) {
  std::vector<std::vector<NodeId>> choices;
  for (std::uint64_t a = nodes; a >= 1 && nodes > 2; --a) {
    for (std::uint64_t b = a - 1; b >= 1; --b) {
      choices.push_back({NodeId(b), NodeId(a)});
    }
  }
  for (std::uint64_t a = nodes; a >= 1 && nodes > 1; --a) {
    choices.push_back({NodeId(a)});
  }
  return choices;
}

Candidate with_noise(const Attempts& attempts, std::vector<script::Window> windows) {
  script::Scenario scenario = attempts.best();
  scenario.noise = std::move(windows);
  return {std::move(scenario), attempts.check()};
}

}  // namespace

void remove_nodes(Attempts& attempts) {
  for (bool again = true; again && !attempts.stopped();) {
    const auto nodes = script::read_number(cluster_value(attempts.best(), "nodes"));
    const auto choices = who_may_go(nodes.value_or(1));
    const Candidate best{attempts.best(), attempts.check()};
    again = attempts
                .first(
                    0, choices.size(), [&](std::size_t i) { return without_nodes(best, choices[i]); },
                    "fewer nodes")
                .has_value();
  }
}

void narrow_noise(Attempts& attempts) {
  const auto& noise = attempts.best().noise;
  if (noise && noise->empty()) {
    return;
  }
  const auto none = [&](std::size_t) -> std::optional<Candidate> { return with_noise(attempts, {}); };
  if (attempts.first(0, 1, none, "no noise")) {
    return;
  }
  // Several windows are not looked for: the simulated world takes the one that spans them all.
  const Time ended = attempts.trial().ended;
  const Time end = noise ? noise->back().to : (ended / kGrid + 1) * kGrid;
  const Time begin = noise ? noise->front().from : Time{0};
  const auto window = [&](Time from, Time to) -> std::optional<Candidate> {
    return with_noise(attempts, {script::Window{from, to}});
  };
  const auto steps = static_cast<std::uint64_t>((end - begin) / kGrid);
  lower_number(
      attempts, 1, steps,
      [&](std::uint64_t length) { return window(begin, begin + static_cast<Time::rep>(length) * kGrid); },
      "less noise");
  const auto& now = attempts.best().noise;
  const Time to = now ? now->back().to : end;
  lower_number(
      attempts, 1, static_cast<std::uint64_t>((to - begin) / kGrid),
      [&](std::uint64_t length) { return window(to - static_cast<Time::rep>(length) * kGrid, to); },
      "less noise");
}

}  // namespace kiwi::lab::shrinking
