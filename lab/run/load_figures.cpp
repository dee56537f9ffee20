#include "lab/run/load_figures.hpp"

#include <algorithm>

namespace kiwi::lab {

std::uint64_t served_during(const Recorder& recorder, const FaultLedger& faults, const std::string& load,
                            const std::string& kind) {
  if (kind.empty()) {
    return recorder.of(load).done;
  }
  std::uint64_t served = 0;
  for (const history::Operation& operation : recorder.history().operations()) {
    if (operation.load != load || operation.outcome != history::Outcome::done || !operation.returned_at) {
      continue;
    }
    const auto within = [&](const FaultWindow& window) {
      return (kind == "any" || window.kind == kind) && window.effective &&
             window.from <= operation.invoked_at &&
             (!window.until || *window.until >= *operation.returned_at);
    };
    served += std::any_of(faults.windows().begin(), faults.windows().end(), within) ? 1 : 0;
  }
  return served;
}

Time longest_gap(const LoadFigures& figures, const std::vector<Step>& steps, const std::string& load,
                 Time now) {
  Time longest{0};
  const auto look_at = [&](Time from, Time to) {
    auto next = std::lower_bound(figures.done_at.begin(), figures.done_at.end(), from);
    for (; next != figures.done_at.end() && *next <= to; ++next) {
      longest = std::max(longest, *next - from);
      from = *next;
    }
    longest = std::max(longest, to - from);
  };
  std::optional<Time> running_since;
  for (const Step& step : steps) {
    const script::Action& action = step.action;
    if (action.words.empty() || action.words.front() != load || !step.error.empty()) {
      continue;
    }
    if (action.verb == "start" && !running_since) {
      running_since = action.at;
    } else if (action.verb == "stop" && running_since) {
      look_at(*running_since, action.at);
      running_since.reset();
    }
  }
  if (running_since) {
    look_at(*running_since, now);
  }
  return longest;
}

}  // namespace kiwi::lab
