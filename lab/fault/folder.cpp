#include "lab/fault/folder.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "lab/fault/files.hpp"
#include "lab/fault/report_folder.hpp"
#include "lab/history/json_lines.hpp"
#include "lab/report/record_file.hpp"

namespace kiwi::lab {
namespace {

nlohmann::json verdict_json(const Verdict& verdict) {
  return {{"outcome", name_of(verdict.outcome)}, {"check", verdict.check}, {"why", verdict.why}};
}

double seconds(Time time) { return std::chrono::duration<double>(time).count(); }

nlohmann::json json_of(const RunRecord& record) {
  nlohmann::json json = verdict_json(record.verdict);
  json["scenario"] = record.scenario;
  json["which"] = record.which;
  json["backend"] = record.backend;
  json["seed"] = record.seed;
  if (!record.mutant.empty()) {
    json["mutant"] = record.mutant;
  }
  json["trace_hash"] = std::to_string(record.trace_hash);  // as text: JSON numbers lose bits
  json["script_ended_s"] = seconds(record.script_ended);
  json["ended_s"] = seconds(record.ended);
  json["figures"] = record.figures;
  json["marks"] = record.marks;
  json["also"] = nlohmann::json::array();
  for (const Verdict& other : record.others) {
    json["also"].push_back(verdict_json(other));
  }
  json["checks"] = nlohmann::json::array();
  for (const Checked& check : record.checks) {
    json["checks"].push_back({{"text", check.text},
                              {"line", check.line},
                              {"outcome", name_of(check.outcome)},
                              {"why", check.why},
                              {"from_s", seconds(check.from)},
                              {"until_s", seconds(check.until)}});
  }
  json["faults"] = nlohmann::json::array();
  for (const FaultWindow& window : record.windows) {
    json["faults"].push_back({{"kind", window.kind},
                              {"text", window.text},
                              {"line", window.line},
                              {"from_s", seconds(window.from)},
                              {"until_s", seconds(window.until.value_or(record.ended))},
                              {"effective", window.effective},
                              {"details", window.details}});
  }
  return json;
}

/// verdict.json, or an empty object.
nlohmann::json verdict_in(const std::filesystem::path& folder) {
  const auto text = read_file(folder / "verdict.json");
  auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
  return json.is_object() ? json : nlohmann::json::object();
}

std::string text_in(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Recorded recorded_in(const std::filesystem::path& folder) {
  const nlohmann::json json = verdict_in(folder);
  return {text_in(json, "trace_hash"), text_in(json, "mutant"), text_in(json, "check")};
}

std::string folder_name(const RunRecord& record) {
  std::string name =
      record.scenario + (record.which.empty() ? "" : "-" + record.which) + "-" + std::to_string(record.seed);
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '=' || c == '.';
    c = plain ? c : '-';
  }
  return name;
}

tl::expected<void, std::string> write_folder(const std::filesystem::path& folder, const RunRecord& record) {
  std::error_code error;
  std::filesystem::create_directories(folder / "nodes", error);
  if (error) {
    return tl::unexpected(folder.string() + ": " + error.message());
  }
  std::ostringstream history;
  history::write_json_lines(history, record.history);
  std::ostringstream more;
  report::write_record(more, record);
  std::map<std::filesystem::path, std::string> files = {
      {"record.json", more.str()},
      {"script.scenario", record.script},
      {"replay.scenario", record.lowered},
      {"history.jsonl", history.str()},
      {"verdict.json", json_of(record).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"}};
  if (!record.explanation.empty()) {
    files["explanation.txt"] = record.explanation + "\n";
  }
  for (const auto& [name, text] : record.node_logs) {
    files[std::filesystem::path("nodes") / name] = text;
  }
  for (const auto& [name, text] : files) {
    if (auto written = write_file(folder / name, text); !written) {
      return written;
    }
  }
  return write_report(folder, record);
}

}  // namespace kiwi::lab
