#include "lab/shrink/attempts.hpp"

#include <algorithm>
#include <utility>

#include "lab/chance.hpp"
#include "lab/script/format.hpp"
#include "lab/script/parse.hpp"
#include "lab/script/settings.hpp"
#include "lab/shrink/script_lines.hpp"

namespace kiwi::lab::shrinking {
namespace {

std::uint64_t hash_of(const script::Scenario& scenario, const std::string& check) {
  return hash_name(script::to_text(scenario) + check);
}

}  // namespace

bool is_safety(const std::string& check) {
  return check.starts_with("invariant:") || check.starts_with("clients") || check == "digest-equal" ||
         check == "node-ended" || check == "died";
}

std::optional<script::Scenario> Attempts::as_file(const script::Scenario& scenario) {
  std::string text;
  for (int i = 0; i < kCommentLines; ++i) {
    text += "#\n";
  }
  text += script::to_text(scenario);
  auto parsed = script::parse({"shrunk.scenario", text});
  return parsed ? std::optional(std::move(*parsed)) : std::nullopt;
}

tl::expected<void, std::string> Attempts::begin(const script::Scenario& scenario) {
  auto parsed = as_file(scenario);
  if (!parsed) {
    return tl::unexpected(std::string("the script cannot be written down"));
  }
  const std::vector<Trial> trials = run_all({*parsed, *parsed});
  const Verdict& verdict = trials[0].verdict;
  if (verdict.outcome != Outcome::fail) {
    return tl::unexpected("it does not fail: " + std::string(name_of(verdict.outcome)) +
                          (verdict.why.empty() ? "" : ", " + verdict.why));
  }
  if (!fails_as(trials[1], verdict.check)) {
    return tl::unexpected("it does not fail twice by the same check: first " + verdict.check + ", then " +
                          (trials[1].verdict.check.empty() ? "none" : trials[1].verdict.check));
  }
  best_ = std::move(*parsed);
  seed_ = script::cluster_settings(best_).seed;
  trial_ = trials[0];
  safety_ = is_safety(trial_.verdict.check);
  if (!safety_) {
    // A check that breaks without any fault cannot be kept apart in this way.
    const auto calm = run({without_faults(best_)});
    controlled_ = calm[0] && !fails_as(*calm[0], trial_.verdict.check);
  }
  return {};
}

bool Attempts::stopped() { return options_.stop && options_.stop(); }

bool Attempts::fails_as(const Trial& trial, const std::string& check) const {
  return trial.verdict.outcome == Outcome::fail && trial.verdict.check == check;
}

std::vector<Trial> Attempts::run_all(const std::vector<script::Scenario>& scenarios) {
  tries_ += scenarios.size();
  return options_.run(scenarios);
}

std::vector<std::optional<Trial>> Attempts::run(const std::vector<script::Scenario>& scenarios) {
  std::vector<std::optional<Trial>> results(scenarios.size());
  std::vector<script::Scenario> readable;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    if (auto parsed = as_file(scenarios[i])) {
      readable.push_back(std::move(*parsed));
      numbers.push_back(i);
    }
  }
  const std::vector<Trial> trials = run_all(readable);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    results[numbers[i]] = trials[i];
  }
  return results;
}

std::optional<Attempts::Prepared> Attempts::prepare(std::size_t number, Candidate candidate) const {
  auto parsed = as_file(candidate.scenario);
  if (!parsed || *parsed == best_) {
    return std::nullopt;
  }
  Prepared prepared;
  prepared.number = number;
  prepared.hash = hash_of(*parsed, candidate.check);
  prepared.candidate = {std::move(*parsed), std::move(candidate.check)};
  return known_.contains(prepared.hash) ? std::nullopt : std::optional(std::move(prepared));
}

std::optional<std::size_t> Attempts::first(std::size_t from, std::size_t count, const Make& make,
                                           const std::string& what) {
  if (other_seeds_ == 0) {
    return first_of(from, count, make, what);
  }
  const std::uint64_t ways = other_seeds_ + 1;
  const auto with_seed = [&](std::size_t i) -> std::optional<Candidate> {
    auto candidate = make(i / ways);
    if (candidate && i % ways > 0) {
      set_value(candidate->scenario.cluster, "seed", std::to_string(seed_ + i % ways));
    }
    return candidate;
  };
  const auto found = first_of(from * ways, count * ways, with_seed, what);
  return found ? std::optional(*found / ways) : std::nullopt;
}

std::optional<std::size_t> Attempts::first_of(std::size_t from, std::size_t count, const Make& make,
                                              const std::string& what) {
  for (std::size_t next = from; next < count;) {
    if (stopped()) {
      return std::nullopt;
    }
    std::vector<Prepared> batch;
    std::vector<script::Scenario> scenarios;
    while (next < count && batch.size() < std::max<std::size_t>(options_.width, 1)) {
      auto candidate = make(next);
      auto prepared = candidate ? prepare(next, std::move(*candidate)) : std::nullopt;
      ++next;
      if (prepared) {
        scenarios.push_back(prepared->candidate.scenario);
        batch.push_back(std::move(*prepared));
      }
    }
    if (batch.empty()) {
      continue;
    }
    std::vector<Trial> trials = run_all(scenarios);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Candidate& candidate = batch[i].candidate;
      if (fails_as(trials[i], candidate.check) && confirm(candidate, trials[i])) {
        // What comes behind it in the batch was tried against another best: not remembered.
        accept(std::move(candidate.scenario), std::move(trials[i]), what);
        return batch[i].number;
      }
      known_.insert(batch[i].hash);
    }
  }
  return std::nullopt;
}

bool Attempts::one(script::Scenario candidate, const std::string& what) {
  const auto make = [&](std::size_t) -> std::optional<Candidate> { return Candidate{candidate, check()}; };
  return first(0, 1, make, what).has_value();
}

bool Attempts::confirm(const Candidate& candidate, Trial& trial) {
  std::vector<script::Scenario> again = {candidate.scenario};
  if (controlled_) {
    auto calm = as_file(without_faults(candidate.scenario));
    if (!calm) {
      return false;
    }
    again.push_back(std::move(*calm));
  }
  std::vector<Trial> trials = run_all(again);
  if (!fails_as(trials[0], candidate.check)) {
    return false;
  }
  trial = trials[0];
  return !controlled_ || !fails_as(trials[1], candidate.check);
}

void Attempts::accept(script::Scenario scenario, Trial trial, const std::string& what) {
  // Never back to what was the best before: a pass that shortens and one that rounds would go round for ever.
  known_.insert(hash_of(best_, check()));
  best_ = std::move(scenario);
  trial_ = std::move(trial);
  if (options_.accepted) {
    options_.accepted({what, size_of(best_), tries_});
  }
}

void Attempts::adopt(script::Scenario scenario, Trial trial, const std::string& what) {
  accept(std::move(scenario), std::move(trial), what);
}

}  // namespace kiwi::lab::shrinking
