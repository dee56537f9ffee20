#include "lab/shrink/script_lines.hpp"

#include <algorithm>
#include <numeric>

#include "lab/script/settings.hpp"
#include "lab/script/verbs.hpp"
#include "messages/assert.hpp"

namespace kiwi::lab::shrinking {
namespace {

bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

/// What of a node or of a link an action without links names: all of it.
bool names_link(const script::Action& action, NodeId from, NodeId to) {
  if (action.to.empty()) {
    return contains(action.nodes, from) || contains(action.nodes, to);
  }
  return (contains(action.nodes, from) && contains(action.to, to)) ||
         (action.both_ways && contains(action.nodes, to) && contains(action.to, from));
}

struct Cover {
  bool some = false;
  bool all = true;
  void add(bool named) {
    some = some || named;
    all = all && named;
  }
};

/// How much of where `fault` is `ending` names.
Cover cover_of(const script::Action& fault, const script::Action& ending) {
  Cover cover;
  for (const NodeId from : fault.nodes) {
    if (fault.to.empty()) {
      cover.add(contains(ending.nodes, from));
    }
    for (const NodeId to : fault.to) {
      if (from == to) {
        continue;
      }
      cover.add(names_link(ending, from, to));
      if (fault.both_ways) {
        cover.add(names_link(ending, to, from));
      }
    }
  }
  return cover;
}

bool is_on_load(const script::Action& action) {
  const script::VerbRow* row = script::find_verb(action.verb);
  return row != nullptr && (row->target == script::Target::load ||
                            (row->target == script::Target::nodes_or_load && action.nodes.empty()));
}

bool common(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](const std::string& each) { return std::find(b.begin(), b.end(), each) != b.end(); });
}

}  // namespace

std::size_t line_count(const script::Scenario& scenario) {
  return scenario.actions.size() + scenario.blocks.size();
}

const script::Action* action_of(const script::Scenario& scenario, std::size_t line) {
  return line < scenario.actions.size() ? &scenario.actions[line] : nullptr;
}

Time time_of(const script::Scenario& scenario, std::size_t line) {
  const std::size_t actions = scenario.actions.size();
  return line < actions ? scenario.actions[line].at : scenario.blocks[line - actions].when.time;
}

void set_time(script::Scenario& scenario, std::size_t line, Time at) {
  const std::size_t actions = scenario.actions.size();
  (line < actions ? scenario.actions[line].at : scenario.blocks[line - actions].when.time) = at;
}

std::vector<std::size_t> by_time(const script::Scenario& scenario) {
  std::vector<std::size_t> order(line_count(scenario));
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return time_of(scenario, a) < time_of(scenario, b); });
  return order;
}

script::Scenario with_lines(const script::Scenario& scenario, const std::vector<bool>& keep) {
  KIWI_ASSERT(keep.size() == line_count(scenario), "one answer for each line");
  script::Scenario result = scenario;
  result.actions.clear();
  result.blocks.clear();
  const std::size_t actions = scenario.actions.size();
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (keep[i] && i < actions) {
      result.actions.push_back(scenario.actions[i]);
    } else if (keep[i]) {
      result.blocks.push_back(scenario.blocks[i - actions]);
    }
  }
  return result;
}

std::string value_of(const std::vector<script::Setting>& settings, const std::string& key,
                     const std::string& fallback) {
  const auto found = std::ranges::find(settings, key, &script::Setting::key);
  return found == settings.end() ? fallback : found->value;
}

std::string cluster_value(const script::Scenario& scenario, const std::string& key) {
  const script::ValueSpec* spec = script::find_key(script::cluster_keys(), key);
  return value_of(scenario.cluster, key, spec == nullptr ? "" : std::string(spec->fallback));
}

void set_value(std::vector<script::Setting>& settings, const std::string& key, const std::string& value) {
  const auto found = std::ranges::find(settings, key, &script::Setting::key);
  if (found != settings.end()) {
    found->value = value;
  } else {
    settings.push_back({key, value, {}});
  }
}

bool erase_value(std::vector<script::Setting>& settings, const std::string& key) {
  return std::erase_if(settings, [&](const script::Setting& each) { return each.key == key; }) > 0;
}

bool is_fault(const script::Action& action) {
  return !is_on_load(action) && !script::faults_of(action).empty();
}

bool is_ending(const script::Action& action) {
  return !is_on_load(action) && !script::ended_by(action).empty();
}

std::vector<std::vector<std::size_t>> endings(const script::Scenario& scenario) {
  std::vector<std::vector<std::size_t>> result(line_count(scenario));
  const std::vector<std::size_t> order = by_time(scenario);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const script::Action* fault = action_of(scenario, order[i]);
    if (fault == nullptr || !is_fault(*fault)) {
      continue;
    }
    const std::vector<std::string> kinds = script::faults_of(*fault);
    for (std::size_t j = i + 1; j < order.size(); ++j) {
      const script::Action* ending = action_of(scenario, order[j]);
      if (ending == nullptr || !is_ending(*ending) || !common(script::ended_by(*ending), kinds)) {
        continue;
      }
      const Cover cover = cover_of(*fault, *ending);
      if (cover.some) {
        result[order[i]].push_back(order[j]);
      }
      if (cover.some && cover.all) {
        break;
      }
    }
  }
  return result;
}

std::vector<bool> live_endings(const std::vector<std::vector<std::size_t>>& endings,
                               const std::vector<bool>& keep) {
  std::vector<bool> live(keep.size(), false);
  for (std::size_t line = 0; line < endings.size(); ++line) {
    if (keep[line]) {
      for (const std::size_t ending : endings[line]) {
        live[ending] = true;
      }
    }
  }
  return live;
}

script::Scenario without_faults(const script::Scenario& scenario) {
  std::vector<bool> keep(line_count(scenario), true);
  for (std::size_t i = 0; i < scenario.actions.size(); ++i) {
    keep[i] = !is_fault(scenario.actions[i]) && !is_ending(scenario.actions[i]);
  }
  return with_lines(scenario, keep);
}

}  // namespace kiwi::lab::shrinking
