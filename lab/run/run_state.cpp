#include "lab/run/run_state.hpp"

#include <utility>

#include "lab/script/lower.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab {

RunState::RunState(const script::Scenario& the_scenario, Backend& the_backend, RunRecord& the_record)
    : scenario(the_scenario),
      settings(script::cluster_settings(the_scenario)),
      backend(the_backend),
      record(the_record),
      chance(settings.seed),
      switchboard(backend),
      commands(backend, switchboard, timeline, recorder) {}

const std::vector<NodeView>& RunState::views() {
  if (!views_fresh_) {
    views_ = backend.nodes();
    views_fresh_ = true;
  }
  return views_;
}

void RunState::notice_died() {
  for (const NodeView& view : views()) {
    if (view.failed) {
      died_.emplace(view.id, view.why);
    }
  }
}

ChanceStream RunState::line_stream(int line, std::string_view decision) {
  const std::uint64_t run = line_runs_[{line, std::string(decision)}]++;
  return chance.stream("line " + std::to_string(line) + " run " + std::to_string(run), decision);
}

void RunState::fail(Outcome outcome, std::string check, std::string why) {
  Verdict verdict{outcome, std::move(check), std::move(why)};
  if (!over_) {
    over_ = true;
    record.verdict = std::move(verdict);
  } else {
    record.others.push_back(std::move(verdict));
  }
}

bool RunState::perform(script::Action action, bool closing) {
  action.at = now();
  Step step;
  step.closing = closing;
  const script::VerbRow* row = script::find_verb(action.verb);
  const bool on_load = row == nullptr || row->performer == script::Performer::runner ||
                       (row->target == script::Target::nodes_or_load && action.nodes.empty());
  bool done = false;
  if (on_load) {
    done = perform_on_load(action, step);
  } else {
    if (action.verb == "restart") {
      notice_died();
    }
    auto applied = backend.apply(action);
    forget_views();
    done = applied.has_value();
    if (done) {
      step.applied = std::move(*applied);
    } else {
      step.error = applied.error();
    }
  }
  if (done) {
    faults.done(action, step.applied, now());
  }
  step.action = std::move(action);
  record.steps.push_back(std::move(step));
  return done;
}

bool RunState::perform_on_load(const script::Action& action, Step& step) {
  if (action.verb == "note") {
    record.happenings.push_back({now(), NodeId{}, "note", {{"text", action.words.at(0)}}});
    return true;
  }
  const auto found = action.words.empty() ? loads.end() : loads.find(action.words.front());
  if (found == loads.end()) {
    step.error = "there is no such load";
    return false;
  }
  Load& load = *found->second;
  if (action.verb == "start") {
    step.applied.effective = load.start();
  } else if (action.verb == "stop") {
    step.applied.effective = load.stop();
  } else if (action.verb == "rate") {
    const auto rate = parse_rate(action.words.at(1));
    if (!rate) {
      step.error = rate.error();
      return false;
    }
    load.set_rate(*rate);
  } else if (action.verb == "burst") {
    const std::uint64_t issued = load.burst(script::read_number(action.words.at(1)).value_or(0));
    step.applied.effective = issued > 0;
    step.applied.details["issued"] = std::to_string(issued);
  } else if (action.verb == "disconnect") {
    load.disconnect();
  } else {
    step.error = "the runner has no such verb";
    return false;
  }
  return true;
}

}  // namespace kiwi::lab
