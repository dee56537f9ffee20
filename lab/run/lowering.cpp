#include "lab/run/lowering.hpp"

#include <algorithm>

#include "lab/script/values.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab {
namespace {

void set(std::vector<script::Setting>& settings, const std::string& key, const std::string& value) {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const script::Setting& setting) { return setting.key == key; });
  if (found != settings.end()) {
    found->value = value;
  } else {
    settings.push_back({key, value, {}});
  }
}

}  // namespace

script::Scenario lowered(const RunState& run, const Player& player) {
  script::Scenario replay = run.scenario;
  replay.which.clear();
  replay.params.clear();
  replay.blocks = player.expectations();
  replay.actions.clear();
  for (const Step& step : run.record.steps) {
    // What could not be done, or named nobody, is left out: it changed nothing.
    if (!step.closing && step.error.empty() && script::wrong_action(step.action).empty()) {
      replay.actions.push_back(step.action);
    }
  }
  // Loads go on until the script is at its end, so that is part of what was decided.
  set(replay.cluster, "run", script::write_duration(run.record.script_ended));
  set(replay.cluster, "seed", std::to_string(run.settings.seed));
  return replay;
}

}  // namespace kiwi::lab
