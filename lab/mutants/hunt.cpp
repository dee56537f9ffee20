#include "lab/mutants/hunt.hpp"

#include <algorithm>
#include <cstdio>
#include <set>
#include <sstream>

#include "messages/assert.hpp"
#include "messages/fault_tables.hpp"

namespace kiwi::lab::mutants {
namespace {

const fault::MutantRow* row_of(std::string_view name) {
  for (const auto& row : fault::kMutants)
    if (row.name == name)
      return &row;
  return nullptr;
}

/// Mutants are off again when it goes, however the run ends.
class Switched {
 public:
  explicit Switched(std::string_view mutant) {
    fault::all_off();
    const auto done = fault::switch_on(mutant);
    KIWI_ASSERT(done.has_value(), "a hunt is for a mutant that exists");
  }
  ~Switched() { fault::all_off(); }
  Switched(const Switched&) = delete;
  Switched& operator=(const Switched&) = delete;
};

std::string cell(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text + "  ";
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text + "  ";
}

std::string seconds(std::chrono::milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(time.count()) / 1000.0);
  return text;
}

constexpr char kSeparator = '\x1f';

}  // namespace

std::vector<std::string> all_mutants() {
  std::vector<std::string> names;
  for (const auto& row : fault::kMutants) names.emplace_back(row.name);
  return names;
}

Hunt hunt(std::string_view mutant, std::uint64_t first, std::uint64_t count, const ScenarioOf& scenario_of,
          const MakeBackend& make, const Progress& progress) {
  Hunt hunt;
  hunt.name = mutant;
  for (std::uint64_t seed = first; seed - first < count; ++seed) {
    progress(seed);
    const auto scenario = scenario_of(seed);
    if (!scenario) {
      hunt.problem = scenario.error();
      return hunt;
    }
    ++hunt.tried;
    Verdict verdict;
    {
      const Switched switched(mutant);
      verdict = run_scenario(*scenario, {}, make).verdict;
    }
    if (verdict.outcome == Outcome::error || verdict.outcome == Outcome::unsupported) {
      hunt.problem = verdict.why;
      return hunt;
    }
    if (verdict.outcome != Outcome::fail)
      continue;
    hunt.seed = seed;
    hunt.check = verdict.check;
    hunt.why = verdict.why;
    const Verdict without = run_scenario(*scenario, {}, make).verdict;
    if (without.outcome == Outcome::fail || without.outcome == Outcome::error) {
      hunt.problem = "seed " + std::to_string(seed) + " fails without it too: " + without.check;
      continue;
    }
    hunt.found = true;
    hunt.problem.clear();
    return hunt;
  }
  return hunt;
}

std::string to_table(const std::vector<Hunt>& hunts) {
  std::size_t names = 6;
  std::size_t checks = 8;
  for (const Hunt& hunt : hunts) {
    names = std::max(names, hunt.name.size());
    checks = std::max(checks, hunt.check.size());
  }
  std::string text = cell("id", 3) + cell("mutant", names) + cell("found by", checks) + right("at seed", 7) +
                     right("seeds", 5) + right("time", 8) + "\n";
  std::size_t found = 0, within_100 = 0;
  for (const Hunt& hunt : hunts) {
    const auto* row = row_of(hunt.name);
    found += hunt.found ? 1 : 0;
    within_100 += hunt.found && hunt.tried <= 100 ? 1 : 0;
    text += cell(row == nullptr ? "?" : std::string(row->id), 3) + cell(hunt.name, names) +
            cell(hunt.found ? hunt.check : "NOT FOUND", checks) +
            right(hunt.found ? std::to_string(hunt.seed) : "-", 7) + right(std::to_string(hunt.tried), 5) +
            right(seconds(hunt.took), 8);
    text += hunt.problem;
    while (text.ends_with(' ')) text.pop_back();
    text += "\n";
  }
  return text + std::to_string(found) + " of " + std::to_string(hunts.size()) + " mutants found, " +
         std::to_string(within_100) + " of them within 100 seeds\n";
}

std::string to_recorded(const std::vector<Hunt>& hunts) {
  std::string text =
      "# Where `kiwi-fault mutants` found each: mutant, seed of the stock campaign, what failed.\n";
  for (const Hunt& hunt : hunts)
    if (hunt.found)
      text += hunt.name + " " + std::to_string(hunt.seed) + " " + hunt.check + "\n";
  return text;
}

tl::expected<std::vector<Recorded>, std::string> parse_recorded(const std::string& text) {
  std::vector<Recorded> all;
  std::set<std::string> seen;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line.substr(0, line.find('#')));
    Recorded recorded;
    if (!(words >> recorded.name))
      continue;
    const auto wrong = [&](const std::string& why) {
      return tl::unexpected("line " + std::to_string(number) + ": " + why);
    };
    if (!(words >> recorded.seed))
      return wrong("want NAME SEED");
    if (row_of(recorded.name) == nullptr)
      return wrong("there is no mutant '" + recorded.name + "'");
    if (!seen.insert(recorded.name).second)
      return wrong("'" + recorded.name + "' a second time");
    all.push_back(std::move(recorded));
  }
  return all;
}

std::string to_line(const Hunt& hunt) {
  std::string text;
  for (const std::string& field :
       {hunt.name, std::string(hunt.found ? "1" : "0"), hunt.check, hunt.why, std::to_string(hunt.seed),
        std::to_string(hunt.tried), std::to_string(hunt.took.count()), hunt.problem})
    text += field + kSeparator;
  return text;
}

std::optional<Hunt> hunt_from(const std::string& line) {
  std::vector<std::string> fields(1);
  for (char c : line) {
    if (c == kSeparator)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  if (fields.size() != 9)
    return std::nullopt;
  Hunt hunt;
  hunt.name = fields[0];
  hunt.found = fields[1] == "1";
  hunt.check = fields[2];
  hunt.why = fields[3];
  hunt.seed = std::stoull(fields[4]);
  hunt.tried = std::stoull(fields[5]);
  hunt.took = std::chrono::milliseconds(std::stoll(fields[6]));
  hunt.problem = fields[7];
  return hunt;
}

}  // namespace kiwi::lab::mutants
