#include "lab/report/page.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lab/report/charts.hpp"
#include "lab/report/closeup.hpp"
#include "lab/report/page_files.hpp"
#include "lab/report/tables.hpp"

namespace kiwi::lab::report {
namespace {

/// Longer replay scripts are folded away.
constexpr int kOpenLines = 16;

std::string facts_of(const RunRecord& record, const PageOptions& options) {
  std::vector<std::pair<std::string, std::string>> facts = {
      {"seed", std::to_string(record.seed)},
      {"backend", record.backend},
      {"nodes", std::to_string(record.node_count)},
      {"ran for", seconds_text(record.ended)},
      {"operations", grouped(record.history.operations().size())},
      {"faults", grouped(static_cast<std::uint64_t>(
                     std::count_if(record.windows.begin(), record.windows.end(),
                                   [](const FaultWindow& window) { return window.effective; })))}};
  if (!record.which.empty()) {
    facts.insert(facts.begin(), {"case", record.which});
  }
  if (!record.mutant.empty()) {
    facts.emplace_back("with the mutant", record.mutant);
  }
  if (!record.verdict.check.empty()) {
    facts.emplace_back("check", record.verdict.check);
  }
  if (record.trace_hash != 0) {
    facts.emplace_back("trace", std::to_string(record.trace_hash));
  }
  facts.insert(facts.end(), options.versions.begin(), options.versions.end());
  std::string html;
  for (const auto& [name, value] : facts) {
    html += "<div><dt>" + escape(name) + "</dt><dd>" + escape(shortened(value, 300)) + "</dd></div>\n";
  }
  return html;
}

std::string others_of(const RunRecord& record) {
  if (record.others.empty()) {
    return "";
  }
  constexpr std::size_t kMost = 10;
  std::string html = "<p>Also:</p><ul class=\"others\">";
  for (std::size_t i = 0; i < std::min(record.others.size(), kMost); ++i) {
    html += "<li>" + escape(shortened(record.others[i].why, 400)) + "</li>\n";
  }
  if (record.others.size() > kMost) {
    html += "<li>and " + grouped(record.others.size() - kMost) + " more</li>";
  }
  return html + "</ul>";
}

std::string replay_of(const RunRecord& record, const PageOptions& options) {
  std::string html;
  if (!options.replay.empty()) {
    html += "<p>The same run again:</p><div class=\"command\"><code>" + escape(options.replay) +
            "</code></div>\n";
  }
  const bool shrunk = !options.shrunk.empty();
  const std::string& script = shrunk ? options.shrunk : record.lowered;
  if (!script.empty()) {
    const auto lines = std::count(script.begin(), script.end(), '\n');
    html += std::string("<details") + (shrunk || lines <= kOpenLines ? " open" : "") + "><summary>" +
            (shrunk ? "The shrunk script: the same failure" : "What was done, everything decided") + ", " +
            grouped(static_cast<std::uint64_t>(lines)) + " lines</summary>" +
            script_lines(script, nullptr, nullptr) + "</details>\n";
    if (shrunk && !options.shrunk_page.empty()) {
      html += "<p><a href=\"" + escape(options.shrunk_page) + "\">The page of the shrunk script</a></p>\n";
    }
  }
  return html;
}

std::string closeup_of(const RunRecord& record, const Focus& focus) {
  if (!focus.at) {
    return "";
  }
  std::string html = "<section id=\"closeup\"><h2>The first bad step: " + escape(shortened(focus.what, 200)) +
                     " at " + seconds_text(*focus.at) + "</h2>\n";
  const std::string bars = operation_bars(record, focus);
  if (!bars.empty()) {
    html += (focus.key.empty()
                 ? "<h3>Operations under way, and just before</h3>"
                 : "<h3>Operations on key <code>" + escape(shortened(focus.key, 200)) + "</code></h3>") +
            bars;
  }
  const std::string ladder = message_ladder(record, focus);
  html += "<h3>Messages and events</h3>" +
          (ladder.empty() ? "<p class=\"note\">The record holds none.</p>" : ladder);
  return html + "</section>";
}

std::string data_of(const std::vector<Dot>& dots) {
  nlohmann::json list = nlohmann::json::array();
  for (const Dot& dot : dots) {
    // Tenths are finer than a pixel; as text numbers would be longer.
    list.push_back({static_cast<std::int64_t>(dot.x), static_cast<std::int64_t>(dot.y), dot.text});
  }
  return script_json({{"dots", list}});
}

std::vector<std::pair<std::string, std::uint64_t>> list_of(
    const std::map<std::string, std::uint64_t>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

std::string run_page(const RunRecord& record, const PageOptions& options) {
  const Focus focus = focus_of(record);
  const Axis axis(Time{0}, record.ended);
  const FaultCharts faults = fault_charts(record, axis);
  const LoadCharts loads = load_charts(record, axis, focus, options.most_dots);
  const std::string name = record.scenario + (record.which.empty() ? "" : " [" + record.which + "]");
  const auto seconds = [](Time time) { return decimal(std::chrono::duration<double>(time).count(), 9); };

  std::map<std::string, std::string> values;
  values["title"] = escape(std::string(name_of(record.verdict.outcome)) + ": " + name + ", seed " +
                           std::to_string(record.seed));
  values["css"] = kPageCss;
  values["js"] = kPageJs;
  values["outcome"] = name_of(record.verdict.outcome);
  values["name"] = escape(name);
  values["why"] = escape(shortened(record.verdict.why, 2'000));
  values["others"] = others_of(record);
  values["facts"] = facts_of(record, options);
  values["replay"] = replay_of(record, options);
  values["explanation"] = record.explanation.empty()
                              ? ""
                              : "<section><h2>Why this cannot be</h2><pre>" +
                                    escape(shortened(record.explanation, 40'000)) + "</pre></section>";
  values["from"] = "0";
  values["to"] = seconds(axis.to());
  if (focus.at) {
    values["bad"] = seconds(*focus.at);
    values["jump"] = "<p class=\"jump\"><a href=\"#first-bad\">To the first bad step, at " +
                     seconds_text(*focus.at) + "</a> \u00b7 <a href=\"#closeup\">from close by</a>" +
                     (focus.line > 0 ? " \u00b7 <a href=\"#bad-line\">its line of the script</a>" : "") +
                     "</p>";
    values["failure"] =
        "<div class=\"failure\" id=\"first-bad\" " + place(axis, *focus.at, *focus.at) + "></div>";
  } else {
    values["bad"] = values["jump"] = values["failure"] = "";
  }
  values["shades"] = faults.shades;
  values["charts"] = axis_row(axis) + faults.rows + lane_charts(record, axis) + loads.rows + axis_row(axis);
  values["chart_note"] = loads.note.empty() ? "" : "<p class=\"note\">" + loads.note + "</p>";
  values["script"] = script_lines(record.script, &record, &focus);
  values["closeup"] = closeup_of(record, focus);
  values["checks"] = checks_table(record);
  values["operations"] = operations_table(record);
  values["faults"] = faults_table(record);
  values["marks"] = record.marks.empty() ? "<p class=\"note\">None: the program was built without marks.</p>"
                                         : pairs(list_of(record.marks));
  values["figures"] = pairs(list_of(record.figures));
  values["data"] = data_of(loads.dots);
  return fill(kPageHtml, values);
}

}  // namespace kiwi::lab::report
