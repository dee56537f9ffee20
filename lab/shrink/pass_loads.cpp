// Less work of the clients.

#include <algorithm>
#include <utility>

#include "lab/script/settings.hpp"
#include "lab/script/values.hpp"
#include "lab/script/verbs.hpp"
#include "lab/shrink/passes.hpp"
#include "lab/shrink/script_lines.hpp"

namespace kiwi::lab::shrinking {
namespace {

/// Rates worth having, per second.
constexpr std::uint64_t kRates[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

std::string option(const script::Load& load, const char* key) {
  const script::ValueSpec* spec = script::find_key(script::load_keys(), key);
  return value_of(load.settings, key, spec == nullptr ? "" : std::string(spec->fallback));
}

bool is_about(const script::Predicate& predicate, const std::string& load) {
  return std::find(predicate.names.begin(), predicate.names.end(), load) != predicate.names.end();
}

/// Without the load, its lines and the checks that name it. An expectation that names it makes the result a
/// script that cannot be read, and so no candidate.
script::Scenario without_load(const script::Scenario& scenario, std::size_t number) {
  const std::string name = scenario.loads[number].name;
  std::vector<bool> keep(line_count(scenario), true);
  for (std::size_t i = 0; i < scenario.actions.size(); ++i) {
    const script::Action& action = scenario.actions[i];
    const script::VerbRow* row = script::find_verb(action.verb);
    const bool on_load =
        row != nullptr && action.nodes.empty() &&
        (row->target == script::Target::load || row->target == script::Target::nodes_or_load);
    keep[i] = !(on_load && !action.words.empty() && action.words.front() == name);
  }
  script::Scenario result = with_lines(scenario, keep);
  result.loads.erase(result.loads.begin() + static_cast<std::ptrdiff_t>(number));
  const auto gone = [&](const script::Predicate& predicate) { return is_about(predicate, name); };
  std::erase_if(result.always, gone);
  std::erase_if(result.finally, gone);
  return result;
}

/// The passes over one load, known by its name.
class OneLoad {
 public:
  OneLoad(Attempts& attempts, std::string name) : attempts_(attempts), name_(std::move(name)) {}

  void shrink() {
    fewer("clients", "fewer clients");
    fewer("keys", "fewer keys");
    mix();
    rate();
    fewer("ops", "fewer operations");
    options();
  }

 private:
  const script::Load& load() const {
    return *std::ranges::find(attempts_.best().loads, name_, &script::Load::name);
  }

  std::optional<Candidate> with(const std::string& key, const std::string& value) const {
    script::Scenario scenario = attempts_.best();
    set_value(std::ranges::find(scenario.loads, name_, &script::Load::name)->settings, key, value);
    return Candidate{std::move(scenario), attempts_.check()};
  }

  void fewer(const char* key, const char* what) {
    const auto now = script::read_number(option(load(), key));
    if (now) {
      lower_number(
          attempts_, 1, *now, [&](std::uint64_t value) { return with(key, std::to_string(value)); }, what);
    }
  }

  void mix() {
    const auto read = script::read_weights(option(load(), "mix"));
    if (!read) {
      return;  // the default of a load with `stale`
    }
    const script::Weights weights = *read;
    remove_parts(
        attempts_, weights.size(),
        [&](const std::vector<bool>& keep) -> std::optional<Candidate> {
          script::Weights fewer;
          for (std::size_t i = 0; i < weights.size(); ++i) {
            if (keep[i]) {
              fewer.push_back(weights[i]);
            }
          }
          return fewer.empty() ? std::nullopt : with("mix", script::write_weights(fewer));
        },
        "a simpler mix");
    script::Weights equal = script::read_weights(option(load(), "mix")).value_or(weights);
    for (auto& entry : equal) {
      entry.second = 1;
    }
    attempts_.first(
        0, 1, [&](std::size_t) { return with("mix", script::write_weights(equal)); }, "a simpler mix");
  }

  void rate() {
    const auto now = script::read_rate(option(load(), "rate"));
    std::vector<std::uint64_t> rates;
    for (const std::uint64_t rate : kRates) {
      if (now && static_cast<double>(rate) < *now) {
        rates.push_back(rate);
      }
    }
    attempts_.first(
        0, rates.size(), [&](std::size_t i) { return with("rate", std::to_string(rates[i]) + "/s"); },
        "a lower rate");
  }

  /// Those that are not needed have their defaults again.
  void options() {
    for (const char* key : {"values", "pipeline", "think", "keys-by", "timeout", "to", "stale"}) {
      script::Scenario scenario = attempts_.best();
      if (erase_value(std::ranges::find(scenario.loads, name_, &script::Load::name)->settings, key)) {
        attempts_.one(std::move(scenario), "a simpler load");
      }
    }
  }

  Attempts& attempts_;
  std::string name_;
};

}  // namespace

void shrink_loads(Attempts& attempts) {
  for (std::size_t i = 0; i < attempts.best().loads.size();) {
    // The next one has moved to this place when it is gone.
    i += attempts.one(without_load(attempts.best(), i), "without a load") ? 0 : 1;
  }
  std::vector<std::string> names;
  for (const script::Load& load : attempts.best().loads) {
    names.push_back(load.name);
  }
  for (const std::string& name : names) {
    OneLoad(attempts, name).shrink();
  }
}

}  // namespace kiwi::lab::shrinking
