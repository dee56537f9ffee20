#include "lab/report/record_file.hpp"

#include <istream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>

#include "lab/report/focus.hpp"

namespace kiwi::lab::report {
namespace {

using Json = nlohmann::json;

/// Of messages only those around the first bad step are kept, this far from it: the page shows no others.
constexpr Time kMessagesAround = std::chrono::seconds(2);

Json ids(const std::vector<NodeId>& nodes) {
  Json json = Json::array();
  for (const NodeId node : nodes) {
    json.push_back(node.value);
  }
  return json;
}

std::vector<NodeId> ids(const Json& json) {
  std::vector<NodeId> nodes;
  for (const Json& id : json) {
    nodes.emplace_back(id.get<std::uint64_t>());
  }
  return nodes;
}

Time time_of(const Json& json) { return Time(json.get<Time::rep>()); }

Json json_of(const Verdict& verdict) {
  return {{"outcome", static_cast<int>(verdict.outcome)}, {"check", verdict.check}, {"why", verdict.why}};
}

Outcome outcome_of(const Json& json) {
  const int number = json.get<int>();
  if (number < 0 || number > static_cast<int>(Outcome::error)) {
    throw Json::out_of_range::create(401, "no such outcome", nullptr);
  }
  return static_cast<Outcome>(number);
}

Verdict verdict_of(const Json& json) {
  return {outcome_of(json.at("outcome")), json.at("check").get<std::string>(),
          json.at("why").get<std::string>()};
}

// Views are many: arrays without names.
Json json_of(const ViewChange& change) {
  const NodeView& view = change.view;
  return {change.at.count(),
          view.id.value,
          (view.up ? 1 : 0) | (view.paused ? 2 : 0) | (view.failed ? 4 : 0),
          view.life,
          static_cast<int>(view.role),
          view.term.value,
          view.leader.value,
          view.commit.value,
          view.applied.value,
          view.last.value,
          view.why};
}

ViewChange view_of(const Json& json) {
  ViewChange change;
  NodeView& view = change.view;
  change.at = time_of(json.at(0));
  view.id = NodeId(json.at(1).get<std::uint64_t>());
  const int flags = json.at(2).get<int>();
  view.up = (flags & 1) != 0;
  view.paused = (flags & 2) != 0;
  view.failed = (flags & 4) != 0;
  view.life = json.at(3).get<std::uint64_t>();
  const int role = json.at(4).get<int>();
  if (role < 0 || role > static_cast<int>(NodeRole::learner)) {
    throw Json::out_of_range::create(401, "no such role", nullptr);
  }
  view.role = static_cast<NodeRole>(role);
  view.term = Term(json.at(5).get<std::uint64_t>());
  view.leader = NodeId(json.at(6).get<std::uint64_t>());
  view.commit = Index(json.at(7).get<std::uint64_t>());
  view.applied = Index(json.at(8).get<std::uint64_t>());
  view.last = Index(json.at(9).get<std::uint64_t>());
  view.why = json.at(10).get<std::string>();
  return change;
}

Json json_of(const FaultWindow& window) {
  return {{"kind", window.kind},
          {"text", window.text},
          {"line", window.line},
          {"nodes", ids(window.nodes)},
          {"to", ids(window.to)},
          {"from", window.from.count()},
          {"until", window.until ? Json(window.until->count()) : Json()},
          {"effective", window.effective},
          {"details", window.details}};
}

FaultWindow window_of(const Json& json) {
  FaultWindow window;
  window.kind = json.at("kind").get<std::string>();
  window.text = json.at("text").get<std::string>();
  window.line = json.at("line").get<int>();
  window.nodes = ids(json.at("nodes"));
  window.to = ids(json.at("to"));
  window.from = time_of(json.at("from"));
  if (!json.at("until").is_null()) {
    window.until = time_of(json.at("until"));
  }
  window.effective = json.at("effective").get<bool>();
  window.details = json.at("details").get<std::map<std::string, std::string>>();
  return window;
}

Json json_of(const Checked& check) {
  return {{"text", check.text}, {"line", check.line},         {"outcome", static_cast<int>(check.outcome)},
          {"why", check.why},   {"from", check.from.count()}, {"until", check.until.count()}};
}

Checked check_of(const Json& json) {
  Checked check;
  check.text = json.at("text").get<std::string>();
  check.line = json.at("line").get<int>();
  check.outcome = outcome_of(json.at("outcome"));
  check.why = json.at("why").get<std::string>();
  check.from = time_of(json.at("from"));
  check.until = time_of(json.at("until"));
  return check;
}

/// Only what the page shows beside the script: line and time.
Json json_of(const Step& step) { return {step.action.line, step.action.at.count()}; }

template <class Range>
Json list_of(const Range& range) {
  Json json = Json::array();
  for (const auto& each : range) {
    json.push_back(json_of(each));
  }
  return json;
}

RunRecord record_of(const Json& json) {
  RunRecord record;
  record.scenario = json.at("scenario").get<std::string>();
  record.which = json.at("which").get<std::string>();
  record.backend = json.at("backend").get<std::string>();
  record.seed = json.at("seed").get<std::uint64_t>();
  record.mutant = json.value("mutant", std::string());
  record.trace_hash = json.at("trace").get<std::uint64_t>();
  record.node_count = json.at("nodes").get<std::uint64_t>();
  if (record.node_count > 1'000) {
    throw Json::out_of_range::create(401, "too many nodes", nullptr);
  }
  for (const Json& pair : json.at("text_lines")) {
    record.text_lines[pair.at(0).get<int>()] = pair.at(1).get<int>();
  }
  record.verdict = verdict_of(json.at("verdict"));
  for (const Json& other : json.at("others")) {
    record.others.push_back(verdict_of(other));
  }
  record.explanation = json.at("explanation").get<std::string>();
  record.failing = json.at("failing").get<std::vector<std::uint64_t>>();
  record.failing_key = json.at("failing_key").get<std::string>();
  for (const Json& step : json.at("steps")) {
    Step done;
    done.action.line = step.at(0).get<int>();
    done.action.at = time_of(step.at(1));
    record.steps.push_back(std::move(done));
  }
  for (const Json& window : json.at("windows")) {
    record.windows.push_back(window_of(window));
  }
  for (const Json& check : json.at("checks")) {
    record.checks.push_back(check_of(check));
  }
  for (const Json& view : json.at("views")) {
    record.views.push_back(view_of(view));
  }
  for (const Json& happening : json.at("happenings")) {
    Happening read;
    read.at = time_of(happening.at(0));
    read.node = NodeId(happening.at(1).get<std::uint64_t>());
    read.kind = happening.at(2).get<std::string>();
    read.fields = happening.at(3).get<std::map<std::string, std::string>>();
    record.happenings.push_back(std::move(read));
  }
  record.marks = json.at("marks").get<std::map<std::string, std::uint64_t>>();
  record.figures = json.at("figures").get<std::map<std::string, std::uint64_t>>();
  record.script_ended = time_of(json.at("script_ended"));
  record.ended = time_of(json.at("ended"));
  return record;
}

}  // namespace

void write_record(std::ostream& out, const RunRecord& record) {
  Json json = {{"version", kRecordVersion},
               {"scenario", record.scenario},
               {"which", record.which},
               {"backend", record.backend},
               {"seed", record.seed},
               {"mutant", record.mutant},
               {"trace", record.trace_hash},
               {"nodes", record.node_count},
               {"verdict", json_of(record.verdict)},
               {"others", list_of(record.others)},
               {"explanation", record.explanation},
               {"failing", record.failing},
               {"failing_key", record.failing_key},
               {"steps", list_of(record.steps)},
               {"windows", list_of(record.windows)},
               {"checks", list_of(record.checks)},
               {"views", list_of(record.views)},
               {"marks", record.marks},
               {"figures", record.figures},
               {"script_ended", record.script_ended.count()},
               {"ended", record.ended.count()}};
  json["text_lines"] = Json::array();
  for (const auto& [file, shown] : record.text_lines) {
    json["text_lines"].push_back({file, shown});
  }
  const Focus focus = focus_of(record);
  Json& happenings = json["happenings"] = Json::array();
  for (const Happening& happening : record.happenings) {
    const bool shown =
        happening.kind != "message" || (focus.at && happening.at >= *focus.at - kMessagesAround &&
                                        happening.at <= *focus.at + kMessagesAround);
    if (shown) {
      happenings.push_back(
          {happening.at.count(), happening.node.value, happening.kind, Json(happening.fields)});
    }
  }
  out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

tl::expected<RunRecord, std::string> read_record(std::istream& in) {
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return tl::unexpected(std::string("it is no JSON object"));
  }
  try {
    if (json.at("version").get<int>() != kRecordVersion) {
      return tl::unexpected(std::string("it is of another version of this program"));
    }
    return record_of(json);
  } catch (const Json::exception& problem) {
    return tl::unexpected(std::string(problem.what()));
  }
}

}  // namespace kiwi::lab::report
