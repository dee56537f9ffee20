#include "lab/run/judge.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "lab/history/check.hpp"
#include "lab/run/member_changes.hpp"
#include "lab/run/questions.hpp"
#include "lab/script/format.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab {
namespace {

/// Faults after which a node may end by itself: it must, rather than go on with a storage it cannot trust.
const std::set<std::string> kMayEnd = {"disk-error",  "full-disk",  "readonly",    "hung-disk",  "flip",
                                       "lose-writes", "misdirect",  "wipe",        "clone-disk", "throw-in",
                                       "stale-block", "kill-actor", "newer-format"};

class Judge {
 public:
  Judge(RunState& run, const Player& player, const JudgeOptions& options)
      : run_(run), player_(player), options_(options) {}

  void all() {
    const bool broken = run_.over();
    if (!broken || run_.record.verdict.outcome == Outcome::fail) {
      deaths();
      members();
      histories();
    }
    if (!broken) {
      finally();
      vacuity();
    }
  }

 private:
  void deaths() {
    run_.forget_views();
    run_.notice_died();
    for (const auto& [node, why] : run_.died()) {
      if (!run_.faults.ever_on(node, kMayEnd)) {
        run_.fail(Outcome::fail, "node-ended", "n" + to_string(node) + " ended by itself: " + why);
      }
    }
  }

  void members() {
    if (const std::string wrong = wrong_member_replies(run_.recorder.history()); !wrong.empty()) {
      run_.fail(Outcome::fail, "members", wrong);
    }
  }

  void histories() {
    std::set<std::string> stale;
    for (const auto& [name, load] : run_.loads) {
      if (!load->spec().stale.empty()) {
        stale.insert(name);
      }
    }
    history::Options options;
    options.budget = options_.history_budget;
    options.min_done = 0;
    options.tolerate_unchecked = true;
    if (stale.empty()) {
      take(history::check(run_.recorder.history(), options), "");
      return;
    }
    // Reads that may be old are judged apart; beside the others they would look like lost writes.
    history::History fresh;
    fresh.about = run_.recorder.history().about;
    for (const history::Operation& operation : run_.recorder.history().operations()) {
      if (!stale.contains(operation.load)) {
        fresh.restore(operation);
      }
    }
    for (const history::Marker& marker : run_.recorder.history().markers()) {
      fresh.mark(marker.name, marker.at);
    }
    take(history::check(fresh, options), "");
    options.linearizable = false;
    for (const std::string& load : stale) {
      options.load = load;
      take(history::check(run_.recorder.history(), options), load);
    }
  }

  void take(const history::CheckResult& result, const std::string& load) {
    const std::string of = load.empty() ? "" : " of " + load;
    if (result.verdict == history::Verdict::unknown) {
      unknown_ = "the history" + of + " could not be judged: " + result.why;
    }
    for (const history::Finding& finding : result.findings) {
      run_.fail(Outcome::fail, "clients:" + std::string(history::to_string(finding.kind)), finding.what);
      if (run_.record.explanation.empty()) {
        run_.record.explanation = finding.explanation;
        run_.record.failing_key = finding.key;
        for (const history::Operation& operation : finding.operations) {
          run_.record.failing.push_back(operation.number);
        }
      }
    }
    if (result.verdict == history::Verdict::fail && result.findings.empty()) {
      run_.fail(Outcome::fail, "clients", result.why);
    }
    auto& figures = run_.record.figures;
    figures["keys"] += result.statistics.keys;
    figures["operations overlapping others"] += result.statistics.overlapping;
    figures["keys not read at the end"] += result.statistics.keys_not_read_finally;
  }

  /// Those that were not asked while the cluster still ran (runner.cpp).
  void finally() {
    for (const script::Predicate& predicate : run_.scenario.finally) {
      if (!Questions::needs_whole_run(predicate)) {
        continue;
      }
      const std::string text = script::to_text(predicate);
      for (const std::string& name : predicate.names) {
        if (predicate.name == "fired" && !run_.faults.fired(name)) {
          vacuous("vacuous: " + text, "no effective fault of kind " + name);
        } else if (predicate.name == "sometimes" && !run_.marks.contains(name)) {
          vacuous("vacuous: " + text, "the mark " + name + " was not passed");
        } else if (predicate.name == "never" && run_.marks.contains(name)) {
          run_.fail(Outcome::fail, text, "the mark " + name + " was passed");
        } else if (about_history(predicate) && run_.recorder.of(name).done == 0) {
          vacuous("vacuous: " + text, "no operation of " + name + " succeeded");
        }
      }
    }
  }

  static bool about_history(const script::Predicate& predicate) {
    return predicate.name == "linearizable" || predicate.name == "counter" ||
           predicate.name == "acknowledged";
  }

  void vacuity() {
    fault_lines();
    unmet();
    for (const std::string& event : player_.waited_in_vain()) {
      vacuous("vacuous: when " + event, "it never came: " + event);
    }
    std::uint64_t done = 0;
    bool started = false;
    for (const auto& [name, load] : run_.loads) {
      const LoadFigures& figures = run_.recorder.of(name);
      done += figures.done;
      started = started || load->issued() > 0;
      if (load->issued() > 0 && figures.done == 0) {
        vacuous("vacuous: load " + name, "no operation of " + name + " succeeded");
      }
    }
    if (done < run_.settings.floor) {
      vacuous("vacuous: floor", std::to_string(done) + " operations succeeded, the floor is " +
                                    std::to_string(run_.settings.floor));
    }
    const bool faulty = std::any_of(run_.faults.windows().begin(), run_.faults.windows().end(),
                                    [](const FaultWindow& window) { return window.effective; });
    if (started && faulty && !overlapped()) {
      vacuous("vacuous: overlap", "no operation was under way while a fault was in force");
    }
    if (run_.over()) {
      return;
    }
    if (!vacuous_.check.empty()) {
      run_.fail(Outcome::vacuous, vacuous_.check, vacuous_.why);
    } else if (!unknown_.empty()) {
      run_.fail(Outcome::unknown, "history", unknown_);
    }
  }

  /// A line that is a fault must have changed something at least once.
  void fault_lines() {
    std::map<int, const Step*> ineffective;
    std::set<int> effective;
    for (const Step& step : run_.record.steps) {
      const script::VerbRow* row = script::find_verb(step.action.verb);
      const bool on_load = row->target == script::Target::nodes_or_load && step.action.nodes.empty() &&
                           !step.action.words.empty();
      if (step.closing || step.action.line == 0 || row->fault.empty() || on_load) {
        continue;
      }
      if (step.error.empty() && step.applied.effective) {
        effective.insert(step.action.line);
      } else {
        ineffective.emplace(step.action.line, &step);
      }
    }
    for (const auto& [line, step] : ineffective) {
      if (!effective.contains(line)) {
        vacuous("vacuous: " + step->action.verb, "line " + std::to_string(line) + ": " + step->action.verb +
                                                     " changed nothing" +
                                                     (step->error.empty() ? "" : ": " + step->error));
      }
    }
  }

  /// A fault of a disk that was armed, but no call ever met it, tested nothing.
  void unmet() {
    const auto figures = run_.backend.figures();
    for (const Step& step : run_.record.steps) {
      const auto met = figures.find("disk-fault " + step.action.verb);
      if (!step.closing && step.action.line != 0 && met != figures.end() && met->second == 0) {
        vacuous("vacuous: " + step.action.verb,
                "line " + std::to_string(step.action.line) + ": no call on a file met " + step.action.verb);
      }
    }
  }

  bool overlapped() const {
    const auto& operations = run_.recorder.history().operations();
    return std::any_of(operations.begin(), operations.end(), [&](const history::Operation& operation) {
      return operation.load != kDoLoad &&
             run_.faults.in_force("", operation.invoked_at, operation.returned_at.value_or(run_.now()));
    });
  }

  void vacuous(std::string check, std::string why) {
    if (vacuous_.check.empty()) {
      vacuous_ = {Outcome::vacuous, std::move(check), std::move(why)};
    }
  }

  RunState& run_;
  const Player& player_;
  const JudgeOptions& options_;
  Verdict vacuous_;
  std::string unknown_;
};

}  // namespace

void judge(RunState& run, const Player& player, const JudgeOptions& options) {
  Judge(run, player, options).all();
}

}  // namespace kiwi::lab
