// Fewer lines: the end cut off, then delta debugging over kinds, faults, lines, pairs of lines, checks.

#include <algorithm>
#include <set>
#include <utility>

#include "lab/script/format.hpp"
#include "lab/script/values.hpp"
#include "lab/script/verbs.hpp"
#include "lab/shrink/passes.hpp"
#include "lab/shrink/script_lines.hpp"

namespace kiwi::lab::shrinking {
namespace {

using namespace std::chrono_literals;

/// Up to so many lines every pair of them is tried.
constexpr std::size_t kLinesForPairs = 16;
/// A cut is not looked for more closely than this.
constexpr Time kCloseEnough = 200ms;
/// Runs end at multiples of this, and so not at the very moment of the failure.
constexpr Time kRunGrid = 100ms;

using Keep = std::vector<bool>;

script::Scenario cut_at(const script::Scenario& scenario, Time at) {
  Keep keep(line_count(scenario));
  for (std::size_t i = 0; i < keep.size(); ++i) {
    keep[i] = time_of(scenario, i) <= at;
  }
  script::Scenario result = with_lines(scenario, keep);
  const Time run = script::read_duration(cluster_value(scenario, "run")).value_or(Time{0});
  const Time enough = (at / kRunGrid + 1) * kRunGrid;
  set_value(result.cluster, "run", script::write_duration(std::min(run, enough)));
  return result;
}

/// Candidates of one round, all made from the same script.
class Lines {
 public:
  explicit Lines(Attempts& attempts)
      : attempts_(attempts), base_(attempts.best()), endings_(endings(base_)) {}

  std::size_t count() const { return endings_.size(); }
  const script::Scenario& base() const { return base_; }
  const script::Action* action(std::size_t line) const { return action_of(base_, line); }
  Keep all() const { return Keep(count(), true); }

  /// What ended faults that are gone, and ends none that is kept, goes with them.
  void drop_orphans(Keep& keep) const {
    const Keep before = live_endings(endings_, all());
    const Keep after = live_endings(endings_, keep);
    for (std::size_t i = 0; i < keep.size(); ++i) {
      keep[i] = keep[i] && (!before[i] || after[i]);
    }
  }
  std::optional<Candidate> candidate(const Keep& keep) const {
    if (!attempts_.safety()) {
      // A fault that nothing ends is another fault.
      const Keep live = live_endings(endings_, keep);
      for (std::size_t i = 0; i < keep.size(); ++i) {
        if (live[i] && !keep[i]) {
          return std::nullopt;
        }
      }
    }
    return Candidate{with_lines(base_, keep), attempts_.check()};
  }

 private:
  Attempts& attempts_;
  script::Scenario base_;
  std::vector<std::vector<std::size_t>> endings_;
};

void remove_kinds(Attempts& attempts) {
  std::set<std::string> verbs;
  for (const script::Action& action : attempts.best().actions) {
    if (is_fault(action)) {
      verbs.insert(action.verb);
    }
  }
  const std::vector<std::string> kinds(verbs.begin(), verbs.end());
  const Lines lines(attempts);
  remove_parts(
      attempts, kinds.size(),
      [&](const Keep& keep_kind) {
        Keep keep = lines.all();
        for (std::size_t i = 0; i < keep.size(); ++i) {
          const script::Action* action = lines.action(i);
          if (action != nullptr && is_fault(*action)) {
            const auto kind = std::find(kinds.begin(), kinds.end(), action->verb) - kinds.begin();
            keep[i] = keep_kind[static_cast<std::size_t>(kind)];
          }
        }
        lines.drop_orphans(keep);
        return lines.candidate(keep);
      },
      "no such faults");
}

void remove_faults(Attempts& attempts) {
  const Lines lines(attempts);
  std::vector<std::size_t> faults;
  for (const std::size_t line : by_time(lines.base())) {
    const script::Action* action = lines.action(line);
    if (action != nullptr && is_fault(*action)) {
      faults.push_back(line);
    }
  }
  remove_parts(
      attempts, faults.size(),
      [&](const Keep& keep_fault) {
        Keep keep = lines.all();
        for (std::size_t i = 0; i < faults.size(); ++i) {
          keep[faults[i]] = keep_fault[i];
        }
        lines.drop_orphans(keep);
        return lines.candidate(keep);
      },
      "fewer faults");
}

void remove_single_lines(Attempts& attempts) {
  const Lines lines(attempts);
  const std::vector<std::size_t> order = by_time(lines.base());
  remove_parts(
      attempts, order.size(),
      [&](const Keep& keep_place) {
        Keep keep(order.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
          keep[order[i]] = keep_place[i];
        }
        return lines.candidate(keep);
      },
      "fewer lines");
}

/// Two lines that only go together, such as one that starts a load and one that stops it.
void remove_pairs(Attempts& attempts) {
  for (bool again = true; again && !attempts.stopped();) {
    const Lines lines(attempts);
    if (lines.count() > kLinesForPairs) {
      return;
    }
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t a = 0; a < lines.count(); ++a) {
      for (std::size_t b = a + 1; b < lines.count(); ++b) {
        pairs.emplace_back(a, b);
      }
    }
    again = attempts
                .first(
                    0, pairs.size(),
                    [&](std::size_t i) {
                      Keep keep = lines.all();
                      keep[pairs[i].first] = keep[pairs[i].second] = false;
                      return lines.candidate(keep);
                    },
                    "fewer lines")
                .has_value();
  }
}

void remove_checks(Attempts& attempts) {
  const script::Scenario base = attempts.best();
  const std::size_t always = base.always.size();
  remove_parts(
      attempts, always + base.finally.size(),
      [&](const Keep& keep) {
        script::Scenario fewer = base;
        fewer.always.clear();
        fewer.finally.clear();
        for (std::size_t i = 0; i < keep.size(); ++i) {
          if (keep[i]) {
            (i < always ? fewer.always : fewer.finally)
                .push_back(i < always ? base.always[i] : base.finally[i - always]);
          }
        }
        return Candidate{std::move(fewer), attempts.check()};
      },
      "fewer checks");
}

}  // namespace

void cut_the_end(Attempts& attempts) {
  const Time run = script::read_duration(cluster_value(attempts.best(), "run")).value_or(Time{0});
  Time last = run;
  for (std::size_t i = 0; i < line_count(attempts.best()); ++i) {
    last = std::max(last, time_of(attempts.best(), i));
  }
  const Time failed = std::min(attempts.trial().ended, last);
  attempts.one(cut_at(attempts.best(), failed), "nothing after the failure");
  if (!attempts.safety()) {
    return;
  }
  Time too_short{0};
  for (Time enough = failed; enough - too_short > kCloseEnough && !attempts.stopped();) {
    const Time third = (enough - too_short) / 3;
    const std::vector<Time> points = {too_short + third, enough - third};
    const auto found = attempts.first(
        0, points.size(),
        [&](std::size_t i) -> std::optional<Candidate> {
          return Candidate{cut_at(attempts.best(), points[i]), attempts.check()};
        },
        "a shorter run");
    if (found) {
      enough = points[*found];
      too_short = *found == 0 ? too_short : points[0];
    } else {
      too_short = points[1];
    }
  }
}

void remove_lines(Attempts& attempts) {
  remove_kinds(attempts);
  remove_faults(attempts);
  remove_single_lines(attempts);
  remove_pairs(attempts);
  remove_checks(attempts);
}

}  // namespace kiwi::lab::shrinking
