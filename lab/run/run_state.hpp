#pragma once

// A run as its parts see it: the cluster, the clients, the clock, and what has been found out so far. The
// runner owns one; player, fuzzer, closing and judge work on it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "lab/run/commands.hpp"
#include "lab/run/fault_ledger.hpp"
#include "lab/run/loads.hpp"
#include "lab/run/record.hpp"
#include "lab/run/recorder.hpp"
#include "lab/run/selectors.hpp"
#include "lab/run/switchboard.hpp"
#include "lab/run/timeline.hpp"
#include "lab/script/settings.hpp"

namespace kiwi::lab {

class RunState {
 public:
  RunState(const script::Scenario& the_scenario, Backend& the_backend, RunRecord& the_record);

  const script::Scenario& scenario;
  const script::ClusterSettings settings;
  Backend& backend;
  RunRecord& record;
  Chance chance;
  Timeline timeline;
  Switchboard switchboard;
  Recorder recorder;
  FaultLedger faults;
  Kept kept;
  std::map<std::string, std::unique_ptr<Load>> loads;
  std::map<std::string, std::uint64_t> marks;
  Commands commands;

  Time now() const { return backend.now(); }
  /// A time that a script allows, on this machine.
  Time stretched(Time time) const {
    return Time(static_cast<Time::rep>(static_cast<double>(time.count()) * backend.slowness()));
  }
  /// As of now; the same reference until the backend moves on.
  const std::vector<NodeView>& views();
  /// The views may have changed.
  void forget_views() { views_fresh_ = false; }
  /// As Backend::observe(), for the script's sake; those of the report alone are not asked for here.
  bool observe(const std::string& kind) {
    observed_.insert(kind);
    return backend.observe(kind);
  }
  bool observes(const std::string& kind) const { return observed_.contains(kind); }
  /// How often a node began to lead: counted by the runner as views change.
  std::uint64_t leader_changes() const { return leader_changes_; }
  void note_leader_change() { ++leader_changes_; }
  /// Nodes that ended by themselves, with the reason; noticed when they are started again, or at the end.
  const std::map<NodeId, std::string>& died() const { return died_; }
  void notice_died();
  /// Draws of one line: the n-th time it runs gives its own.
  ChanceStream line_stream(int line, std::string_view decision);

  /// Does it now: gives it to the backend, or starts and stops loads. Writes it down as a step with its time.
  /// False: it could not be done, which the step says. `do` and `swizzle` are not for here.
  bool perform(script::Action action, bool closing = false);

  /// The first failure decides the verdict and ends the run; later ones are kept beside it.
  void fail(Outcome outcome, std::string check, std::string why);
  bool over() const { return over_; }
  /// Notes that something was checked.
  void checked(Checked what) { record.checks.push_back(std::move(what)); }

 private:
  bool perform_on_load(const script::Action& action, Step& step);

  std::vector<NodeView> views_;
  bool views_fresh_ = false;
  bool over_ = false;
  std::uint64_t leader_changes_ = 0;
  std::set<std::string> observed_;
  std::map<NodeId, std::string> died_;
  std::map<std::pair<int, std::string>, std::uint64_t> line_runs_;
};

}  // namespace kiwi::lab
