// The same lines, easier to understand.

#include <algorithm>
#include <utility>

#include "lab/script/settings.hpp"
#include "lab/script/spec.hpp"
#include "lab/script/values.hpp"
#include "lab/script/verbs.hpp"
#include "lab/shrink/passes.hpp"
#include "lab/shrink/script_lines.hpp"

namespace kiwi::lab::shrinking {
namespace {

using script::ValueType;

/// A verb, and one that does less or is better known. Words and options of the first are left out.
struct Simpler {
  const char* verb;
  const char* simpler;
};
constexpr Simpler kSimpler[] = {{"power-fail", "crash"}, {"stop", "crash"},    {"clog", "cut"},
                                {"drop", "cut"},         {"corrupt", "drop"},  {"jitter", "delay"},
                                {"half-open", "reset"},  {"bandwidth", "clog"}};

/// Values to try instead of `value`, the simplest first.
std::vector<std::string> simpler_values(const script::ValueSpec& spec, const std::string& value) {
  const auto durations = [](Time below, const char* sign) {
    std::vector<std::string> values;
    for (const char* text :
         {"1ms", "10ms", "50ms", "100ms", "200ms", "500ms", "1s", "2s", "5s", "10s", "60s"}) {
      if (script::read_duration(text).value_or(below) < below) {
        values.push_back(sign + std::string(text));
      }
    }
    return values;
  };
  switch (spec.type) {
    case ValueType::probability:
      return {"1", "0.5", "0.2", "0.1"};
    case ValueType::fraction:
      return {"2", "1.5", "1.2", "1.1", "0.5", "0.8"};
    case ValueType::byte_rate:
      return {"1KB/s", "16KB/s", "64KB/s"};
    case ValueType::number:
    case ValueType::bytes: {
      std::vector<std::string> values;
      const auto now = script::read_bytes(value);
      for (const std::uint64_t each : {1, 2, 5, 10, 100, 1000}) {
        if (now && each < *now) {
          values.push_back(std::to_string(each));
        }
      }
      return values;
    }
    case ValueType::duration:
      return durations(script::read_duration(value).value_or(Time{0}), "");
    case ValueType::signed_duration: {
      const Time now = script::read_signed_duration(value).value_or(Time{0});
      return durations(std::max(now, -now), now < Time{0} ? "-" : "");
    }
    case ValueType::duration_range: {
      const auto now = script::read_duration_range(value);
      return durations(now ? now->second : Time{0}, "");
    }
    default:
      return {};
  }
}

/// One action of the best script, by its number.
class OneAction {
 public:
  OneAction(Attempts& attempts, std::size_t number) : attempts_(attempts), number_(number) {}

  void simplify() {
    if (is_ending(now()) && !attempts_.safety()) {
      return;  // a fault that ends later in part is another fault
    }
    if (is_fault(now())) {
      verb();
      words();
      options();
    }
    if (is_fault(now()) || is_ending(now())) {
      fewer_nodes();
      one_way();
    }
  }

 private:
  const script::Action& now() const { return attempts_.best().actions[number_]; }
  std::optional<Candidate> with(script::Action action) const {
    script::Scenario scenario = attempts_.best();
    scenario.actions[number_] = std::move(action);
    return Candidate{std::move(scenario), attempts_.check()};
  }
  bool first(const std::vector<script::Action>& actions) {
    return attempts_
        .first(
            0, actions.size(), [&](std::size_t i) { return with(actions[i]); }, "simpler parameters")
        .has_value();
  }

  void verb() {
    std::vector<script::Action> actions;
    for (const Simpler& simpler : kSimpler) {
      if (now().verb != simpler.verb) {
        continue;
      }
      script::Action action = now();
      action.verb = simpler.simpler;
      // A verb that wants a word gets its own, as far as it can be read so.
      actions.push_back(action);
      action.words.clear();
      action.options.clear();
      actions.push_back(std::move(action));
    }
    first(actions);
  }

  void words() {
    const script::VerbRow& row = *script::find_verb(now().verb);
    while (!now().words.empty()) {
      script::Action action = now();
      action.words.pop_back();
      if (!first({action})) {
        break;
      }
    }
    for (std::size_t i = 0; i < std::min(now().words.size(), row.words.size()); ++i) {
      std::vector<script::Action> actions;
      for (const std::string& value : simpler_values(row.words[i], now().words[i])) {
        actions.push_back(now());
        actions.back().words[i] = value;
      }
      first(actions);
    }
  }

  void options() {
    const auto all = now().options;
    for (const auto& [key, value] : all) {
      std::vector<script::Action> actions = {now()};
      actions.back().options.erase(key);
      const script::ValueSpec* spec = script::find_key(script::find_verb(now().verb)->options, key);
      for (const std::string& simpler :
           spec == nullptr ? std::vector<std::string>() : simpler_values(*spec, value)) {
        actions.push_back(now());
        actions.back().options[key] = simpler;
      }
      first(actions);
    }
  }

  void fewer_nodes() {
    for (const auto list : {&script::Action::nodes, &script::Action::to}) {
      const script::Action base = now();
      const std::vector<NodeId> nodes = base.*list;
      remove_parts(
          attempts_, nodes.size(),
          [&](const std::vector<bool>& keep) -> std::optional<Candidate> {
            script::Action action = base;
            (action.*list).clear();
            for (std::size_t i = 0; i < nodes.size(); ++i) {
              if (keep[i]) {
                (action.*list).push_back(nodes[i]);
              }
            }
            return (action.*list).empty() ? std::nullopt : with(std::move(action));
          },
          "fewer nodes in a line");
    }
  }

  void one_way() {
    if (!now().both_ways) {
      return;
    }
    script::Action forth = now();
    forth.both_ways = false;
    script::Action back = forth;
    std::swap(back.nodes, back.to);
    first({forth, back});
  }

  Attempts& attempts_;
  std::size_t number_;
};

void simplify_cluster(Attempts& attempts) {
  for (const char* disk : {"exact", "ordered"}) {
    script::Scenario scenario = attempts.best();
    const std::string now = cluster_value(scenario, "disk");
    if (now == disk || (now == "ordered" && std::string(disk) == "ordered")) {
      break;
    }
    set_value(scenario.cluster, "disk", disk);
    if (attempts.one(std::move(scenario), "a milder disk")) {
      break;
    }
  }
  // `settle` and `at-end` belong to what is promised.
  for (const char* key : {"floor", "net", "loss", "duplicate", "strategy", "latency", "sync", "disk-reserve",
                          "scrub", "cache", "request-timeout", "election", "heartbeat", "tick", "disk"}) {
    script::Scenario scenario = attempts.best();
    if (std::string(key) == "disk" && cluster_value(scenario, key) != "ordered") {
      continue;
    }
    if (erase_value(scenario.cluster, key)) {
      attempts.one(std::move(scenario), "a simpler cluster");
    }
  }
}

}  // namespace

void simplify_parameters(Attempts& attempts) {
  simplify_cluster(attempts);
  for (std::size_t i = 0; i < attempts.best().actions.size() && !attempts.stopped(); ++i) {
    OneAction(attempts, i).simplify();
  }
}

}  // namespace kiwi::lab::shrinking
