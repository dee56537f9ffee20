// Times that are easy to read. Lines at different times stay at different times, and in their order.

#include <algorithm>
#include <utility>

#include "lab/script/values.hpp"
#include "lab/shrink/passes.hpp"
#include "lab/shrink/script_lines.hpp"

namespace kiwi::lab::shrinking {
namespace {

using namespace std::chrono_literals;

/// The lines of the best script by time, the end of the run behind them.
class Times {
 public:
  explicit Times(const Attempts& attempts)
      : attempts_(attempts), base_(attempts.best()), order_(by_time(base_)) {
    for (const std::size_t line : order_) {
      at.push_back(time_of(base_, line));
    }
    run = script::read_duration(cluster_value(base_, "run")).value_or(Time{0});
  }

  std::optional<Candidate> candidate() const {
    script::Scenario scenario = base_;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      set_time(scenario, order_[i], at[i]);
    }
    if (run != Time{0} || !value_of(base_.cluster, "run", "").empty()) {
      set_value(scenario.cluster, "run", script::write_duration(run));
    }
    return Candidate{std::move(scenario), attempts_.check()};
  }

  std::vector<Time> at;
  Time run{0};

 private:
  const Attempts& attempts_;
  script::Scenario base_;
  std::vector<std::size_t> order_;
};

Time nearest(Time time, Time grid) { return (time + grid / 2) / grid * grid; }
Time above(Time time, Time grid) { return (time + grid - Time{1}) / grid * grid; }

/// All lines of this moment, whose first is `i`, at another one, and those behind as far behind it.
void shift(Times& times, std::size_t i, Time by) {
  for (std::size_t k = i; k < times.at.size(); ++k) {
    times.at[k] -= by;
  }
  times.run = std::max(times.run - by, Time{0});
}

void shorter_waits(Attempts& attempts) {
  constexpr Time kWaits[] = {10ms, 100ms, 500ms, 1s, 2s};
  for (std::size_t i = 0; i < line_count(attempts.best()); ++i) {
    const Times base(attempts);
    const Time before = i == 0 ? Time{0} : base.at[i - 1];
    const Time wait = base.at[i] - before;
    attempts.first(
        0, std::size(kWaits),
        [&](std::size_t k) -> std::optional<Candidate> {
          if (kWaits[k] >= wait) {
            return std::nullopt;
          }
          Times times = base;
          shift(times, i, wait - kWaits[k]);
          return times.candidate();
        },
        "a shorter wait");
  }
  const Times base(attempts);
  const Time last = base.at.empty() ? Time{0} : base.at.back();
  constexpr Time kAfter[] = {0s, 100ms, 1s, 2s, 5s};
  attempts.first(
      0, std::size(kAfter),
      [&](std::size_t k) -> std::optional<Candidate> {
        Times times = base;
        times.run = above(last + kAfter[k], 100ms);
        return times.run < base.run ? times.candidate() : std::nullopt;
      },
      "a shorter run");
}

Times rounded(const Times& times, Time grid) {
  Times result = times;
  for (std::size_t i = 0; i < result.at.size(); ++i) {
    result.at[i] = nearest(times.at[i], grid);
    if (i > 0 && times.at[i] == times.at[i - 1]) {
      result.at[i] = result.at[i - 1];
    } else if (i > 0) {
      result.at[i] = std::max(result.at[i], result.at[i - 1] + grid);
    }
  }
  result.run = above(times.run, grid);
  return result;
}

/// One moment of the script, with all its lines.
void round_one(Attempts& attempts, std::size_t i, Time grid) {
  const Times base(attempts);
  const Time now = base.at[i];
  if (now % grid == Time{0} || (i > 0 && base.at[i - 1] == now)) {
    return;
  }
  const Time low = now / grid * grid;
  const std::vector<Time> choices =
      now - low <= grid / 2 ? std::vector<Time>{low, low + grid} : std::vector<Time>{low + grid, low};
  attempts.first(
      0, choices.size(),
      [&](std::size_t k) -> std::optional<Candidate> {
        Times times = base;
        for (std::size_t j = i; j < times.at.size() && base.at[j] == now; ++j) {
          times.at[j] = choices[k];
        }
        const auto next = std::find_if(base.at.begin(), base.at.end(), [&](Time at) { return at > now; });
        const bool fits =
            (i == 0 || base.at[i - 1] < choices[k]) && (next == base.at.end() || choices[k] < *next);
        return fits ? times.candidate() : std::nullopt;
      },
      "rounder times");
}

}  // namespace

void round_times(Attempts& attempts) {
  shorter_waits(attempts);
  for (const Time grid : {Time(1s), Time(500ms), Time(100ms), Time(10ms)}) {
    const Times base(attempts);
    const bool all =
        attempts
            .first(
                0, 1, [&](std::size_t) { return rounded(base, grid).candidate(); }, "rounder times")
            .has_value();
    for (std::size_t i = 0; !all && grid <= Time(100ms) && i < line_count(attempts.best()); ++i) {
      round_one(attempts, i, grid);
    }
  }
}

}  // namespace kiwi::lab::shrinking
