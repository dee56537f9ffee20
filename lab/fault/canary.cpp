#include "lab/fault/canary.hpp"

#include <algorithm>
#include <exception>

#include "lab/fault/jobs.hpp"
#include "lab/fault/sim_backend.hpp"
#include "lab/fault/summary.hpp"
#include "messages/fault_tables.hpp"

namespace kiwi::lab {

Canaries run_canaries(const std::vector<script::Scenario>& cases, std::size_t jobs) {
  constexpr std::size_t kEvery = 100;
  Canaries canaries;
  const std::size_t count = (cases.size() + kEvery - 1) / kEvery;
  const auto work = [&](std::size_t i) {
    // In a child of its own kind: nothing of it gets out.
    Summary summary;
    if (auto on = fault::switch_on("always_wrong"); !on) {
      summary.verdict = {Outcome::error, "laboratory", on.error()};
      return to_line(summary);
    }
    try {
      summary = summary_of(run_scenario(cases[i * kEvery], {}, make_sim_backend()));
    } catch (const std::exception& problem) {
      summary.verdict = {Outcome::error, "laboratory", problem.what()};
    }
    return to_line(summary);
  };
  run_jobs(count, std::max<std::size_t>(jobs, 1), work,
           [&](std::size_t i, const std::string& result, const std::string& died) {
             ++canaries.runs;
             const Summary summary = summary_from(result);
             if (died.empty() && summary.verdict.outcome == Outcome::fail) {
               ++canaries.reported;
             } else {
               canaries.silent.push_back(
                   "seed " + std::to_string(script::cluster_settings(cases[i * kEvery]).seed) + ": " +
                   (died.empty() ? std::string(name_of(summary.verdict.outcome)) + " " + summary.verdict.why
                                 : died));
             }
           });
  return canaries;
}

}  // namespace kiwi::lab
