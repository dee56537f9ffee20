#include "lab/shrink/shrink.hpp"

#include <algorithm>
#include <utility>

#include "lab/script/format.hpp"
#include "lab/script/settings.hpp"
#include "lab/script/values.hpp"
#include "lab/shrink/attempts.hpp"
#include "lab/shrink/passes.hpp"
#include "lab/shrink/script_lines.hpp"

namespace kiwi::lab {
namespace {

using namespace shrinking;

std::string counted(std::uint64_t count, const char* what) {
  const std::string text = std::to_string(count) + " " + what;
  return count == 1 ? text : text + "s";
}

/// What says nothing about the failure: names of lines of another file, and the lab's own thresholds.
script::Scenario tidied(script::Scenario scenario) {
  for (script::Action& action : scenario.actions) {
    action.line = 0;
  }
  scenario.about.clear();
  scenario.which.clear();
  scenario.params.clear();
  scenario.name += scenario.name.ends_with("_shrunk") ? "" : "_shrunk";
  return scenario;
}

/// As lowered scripts have them: an expectation, or a `when` that is waited for and does nothing.
bool is_question(const script::Statement& statement) {
  if (std::holds_alternative<script::Expect>(statement.value)) {
    return true;
  }
  const auto* block = std::get_if<script::Block>(&statement.value);
  return block != nullptr && block->when.kind == script::When::Kind::when &&
         std::all_of(block->body.begin(), block->body.end(), [](const script::Statement& inner) {
           const auto* call = std::get_if<script::VerbCall>(&inner.value);
           return call != nullptr && call->verb == "note";
         });
}

/// One line of a comment.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  constexpr std::size_t kMost = 400;
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

/// kCommentLines lines of comment, then the script.
std::string file_of(const Shrunk& shrunk, const std::string& replay) {
  const std::string seed = std::to_string(script::cluster_settings(shrunk.scenario).seed);
  return "# What fails: " + one_line(shrunk.verdict.check) + "\n# " + one_line(shrunk.verdict.why) +
         "\n# Seed " + seed + (shrunk.roles ? ", and all others that were tried" : "") +
         ". Made from a script of " + to_text(shrunk.before) + ",\n# this one has " + to_text(shrunk.after) +
         (shrunk.finished ? "." : "; there was no time to try everything.") +
         "\n# Again: " + one_line(replay) + "\n" + script::to_text(shrunk.scenario);
}

}  // namespace

RunTrials one_by_one(std::function<Trial(const script::Scenario&)> run) {
  return [run = std::move(run)](const std::vector<script::Scenario>& scenarios) {
    std::vector<Trial> trials;
    for (const script::Scenario& scenario : scenarios) {
      trials.push_back(run(scenario));
    }
    return trials;
  };
}

ScriptSize size_of(const script::Scenario& scenario) {
  ScriptSize size;
  size.lines = scenario.actions.size();
  for (const script::Block& block : scenario.blocks) {
    size.lines += std::max<std::size_t>(block.body.size(), 1);
  }
  size.loads = scenario.loads.size();
  size.nodes = script::cluster_settings(scenario).nodes;
  for (const script::Load& load : scenario.loads) {
    size.clients += script::read_number(value_of(load.settings, "clients", "8")).value_or(0);
    size.keys += script::read_number(value_of(load.settings, "keys", "10")).value_or(0);
  }
  return size;
}

std::string to_text(const ScriptSize& size) {
  return counted(size.lines, "line") + ", " + counted(size.loads, "load") + ", " +
         counted(size.clients, "client") + ", " + counted(size.keys, "key") + ", " +
         counted(size.nodes, "node");
}

std::string why_not_lowered(const script::Scenario& scenario) {
  for (const script::Block& block : scenario.blocks) {
    if (block.when.kind != script::When::Kind::at ||
        !std::all_of(block.body.begin(), block.body.end(), is_question)) {
      return "'" + script::to_text(block.when) + "' is not concrete: only ! lines and expectations are";
    }
  }
  return "";
}

tl::expected<Shrunk, std::string> shrink(const script::Scenario& scenario, const ShrinkOptions& options) {
  Attempts attempts(options);
  if (auto begun = attempts.begin(tidied(scenario)); !begun) {
    return tl::unexpected(begun.error());
  }
  Shrunk shrunk;
  shrunk.before = size_of(scenario);
  script::Scenario before;
  do {
    before = attempts.best();
    cut_the_end(attempts);
    remove_lines(attempts);
    if (size_of(attempts.best()).lines > options.few_lines) {
      attempts.try_other_seeds(options.other_seeds);
      cut_the_end(attempts);
      remove_lines(attempts);
      attempts.try_other_seeds(0);
    }
    shrink_loads(attempts);
    remove_nodes(attempts);
    narrow_noise(attempts);
    simplify_parameters(attempts);
    round_times(attempts);
  } while (!(attempts.best() == before) && !attempts.stopped());
  shrunk.roles = !attempts.stopped() && name_by_role(attempts, options.role_seeds);
  shrunk.finished = !attempts.stopped();
  shrunk.scenario = attempts.best();
  shrunk.verdict = attempts.trial().verdict;
  shrunk.tries = attempts.tries();
  shrunk.after = size_of(shrunk.scenario);
  shrunk.text = file_of(shrunk, options.replay);
  return shrunk;
}

}  // namespace kiwi::lab
