#include "lab/fault/summary.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace kiwi::lab {

Summary summary_of(const RunRecord& record) {
  Summary summary;
  summary.scenario = record.scenario;
  summary.which = record.which;
  summary.seed = record.seed;
  summary.verdict = record.verdict;
  summary.trace_hash = record.trace_hash;
  summary.simulated = record.ended;
  summary.figures = record.figures;
  summary.marks = record.marks;
  return summary;
}

std::string to_line(const Summary& summary) {
  const nlohmann::json json = {{"scenario", summary.scenario},
                               {"which", summary.which},
                               {"seed", summary.seed},
                               {"outcome", static_cast<int>(summary.verdict.outcome)},
                               {"check", summary.verdict.check},
                               {"why", summary.verdict.why},
                               {"folder", summary.folder},
                               {"hash", summary.trace_hash},
                               {"simulated", summary.simulated.count()},
                               {"took", summary.took.count()},
                               {"figures", summary.figures},
                               {"marks", summary.marks}};
  // Replies in messages may be any bytes.
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Summary summary_from(const std::string& line) {
  Summary summary;
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) {
    summary.verdict = {Outcome::error, "laboratory", "a run left no readable result"};
    return summary;
  }
  summary.scenario = json.at("scenario").get<std::string>();
  summary.which = json.at("which").get<std::string>();
  summary.seed = json.at("seed").get<std::uint64_t>();
  summary.verdict.outcome = static_cast<Outcome>(json.at("outcome").get<int>());
  summary.verdict.check = json.at("check").get<std::string>();
  summary.verdict.why = json.at("why").get<std::string>();
  summary.folder = json.at("folder").get<std::string>();
  summary.trace_hash = json.at("hash").get<std::uint64_t>();
  summary.simulated = Time(json.at("simulated").get<Time::rep>());
  summary.took = std::chrono::milliseconds(json.at("took").get<std::int64_t>());
  summary.figures = json.at("figures").get<std::map<std::string, std::uint64_t>>();
  summary.marks = json.at("marks").get<std::map<std::string, std::uint64_t>>();
  return summary;
}

std::string to_text(const Summary& summary) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.2f s", static_cast<double>(summary.took.count()) / 1000.0);
  std::string text(name_of(summary.verdict.outcome));
  text.append(text.size() < 12 ? 12 - text.size() : 1, ' ');
  text += summary.scenario + (summary.which.empty() ? "" : " [" + summary.which + "]");
  text += " seed " + std::to_string(summary.seed) + ": " + summary.verdict.why + " (" + seconds;
  if (const auto slowness = summary.figures.find("slowness percent"); slowness != summary.figures.end()) {
    char factor[32];
    std::snprintf(factor, sizeof factor, ", slowness x%.2f", static_cast<double>(slowness->second) / 100.0);
    text += factor;
  }
  text += ")";
  if (!summary.folder.empty()) {
    text += " -> " + summary.folder;
  }
  return text;
}

}  // namespace kiwi::lab
