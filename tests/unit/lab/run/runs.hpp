#pragma once

// Runs a script, given as text, on a FakeBackend.

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "fake_backend.hpp"
#include "lab/run/runner.hpp"
#include "lab/script/lower.hpp"
#include "lab/script/parse.hpp"
#include "lab/script/settings.hpp"

namespace kiwi::lab {

using Prepare = std::function<void(FakeBackend&)>;

/// The backend as the run left it can be looked at by `prepare` keeping what it needs; it is gone afterwards.
inline RunRecord run_text(const std::string& text, const Prepare& prepare = {}, RunOptions options = {}) {
  const auto scenario = script::parse({"test.scenario", text});
  if (!scenario) {
    ADD_FAILURE() << script::to_string(scenario.error());
    return {};
  }
  return run_scenario(*scenario, options,
                      [&](const script::Scenario& script,
                          Listener& listener) -> tl::expected<std::unique_ptr<Backend>, std::string> {
                        auto backend =
                            std::make_unique<FakeBackend>(script::cluster_settings(script).nodes, listener);
                        if (prepare) {
                          prepare(*backend);
                        }
                        return backend;
                      });
}

/// The actions as `! ...` lines without comments, those of the end left out.
inline std::vector<std::string> steps_of(const RunRecord& record) {
  std::vector<std::string> lines;
  for (const Step& step : record.steps) {
    if (!step.closing && step.error.empty()) {
      script::Action action = step.action;
      action.line = 0;
      lines.push_back(script::lower(action));
    }
  }
  return lines;
}

}  // namespace kiwi::lab
