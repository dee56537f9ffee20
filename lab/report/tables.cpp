#include "lab/report/tables.hpp"

#include <algorithm>
#include <map>

#include "lab/report/text.hpp"

namespace kiwi::lab::report {
namespace {

constexpr std::size_t kMostRows = 300;
constexpr std::size_t kMostLines = 3'000;

std::string quantile_text(std::vector<Time>& sorted, double part) {
  return sorted.empty()
             ? "\u2013"
             : duration_text(
                   sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1) + 0.5)]);
}

std::string left_out(std::size_t count) {
  return "<p class=\"note\">" + grouped(count) + " more are left out.</p>";
}

}  // namespace

std::string table(const std::vector<std::string>& heads, const std::vector<std::vector<std::string>>& rows,
                  bool numbers) {
  std::string html = numbers ? "<table class=\"numbers\"><thead><tr>" : "<table><thead><tr>";
  for (const std::string& head : heads) {
    html += "<th>" + head + "</th>";
  }
  html += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      // On a narrow page each cell stands under its own head.
      html += "<td data-head=\"" + (i < heads.size() ? heads[i] : "") + "\">" + row[i] + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table>\n";
}

std::string pairs(const std::vector<std::pair<std::string, std::uint64_t>>& values) {
  std::string html = "<ul class=\"pairs\">";
  for (std::size_t i = 0; i < std::min(values.size(), 2 * kMostRows); ++i) {
    html += "<li><span>" + escape(shortened(values[i].first, 100)) + "</span> <b>" +
            grouped(values[i].second) + "</b></li>\n";
  }
  return html + "</ul>";
}

std::string checks_table(const RunRecord& record) {
  if (record.checks.empty()) {
    return "<p class=\"note\">The script expects nothing by the way.</p>";
  }
  // Those that failed first: of ten thousand that is what one looks for.
  std::vector<const Checked*> checks;
  for (const Checked& check : record.checks) {
    checks.push_back(&check);
  }
  std::stable_partition(checks.begin(), checks.end(),
                        [](const Checked* check) { return check->outcome != Outcome::pass; });
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < std::min(checks.size(), kMostRows); ++i) {
    const Checked& check = *checks[i];
    const std::string outcome(name_of(check.outcome));
    rows.push_back({"<span class=\"outcome " + outcome + "\">" + outcome + "</span>",
                    seconds_text(check.until), "<code>" + escape(shortened(check.text, 300)) + "</code>",
                    escape(shortened(check.why, 400))});
  }
  return table({"outcome", "at", "expectation", "what was seen"}, rows, false) +
         (checks.size() > kMostRows ? left_out(checks.size() - kMostRows) : "");
}

std::string operations_table(const RunRecord& record) {
  struct Figures {
    std::uint64_t not_done = 0;
    std::uint64_t unknown = 0;
    std::vector<Time> latencies;
  };
  std::map<std::string, Figures> loads;
  for (const history::Operation& operation : record.history.operations()) {
    // A file may name as many loads as it has operations.
    const bool known = loads.contains(operation.load) || loads.size() < kMostRows;
    Figures& figures = loads[known ? operation.load : "all others"];
    if (operation.outcome == history::Outcome::not_done) {
      ++figures.not_done;
    } else if (operation.outcome == history::Outcome::unknown || !operation.returned_at) {
      ++figures.unknown;
    } else {
      figures.latencies.push_back(*operation.returned_at - operation.invoked_at);
    }
  }
  std::vector<std::vector<std::string>> rows;
  for (auto& [name, figures] : loads) {
    auto& latencies = figures.latencies;
    std::sort(latencies.begin(), latencies.end());
    rows.push_back({escape(shortened(name.empty() ? "(none)" : name, 100)), grouped(latencies.size()),
                    grouped(figures.not_done), grouped(figures.unknown), quantile_text(latencies, 0.5),
                    quantile_text(latencies, 0.99), quantile_text(latencies, 0.999),
                    quantile_text(latencies, 1)});
  }
  return rows.empty()
             ? "<p class=\"note\">There were no operations.</p>"
             : table({"load", "done", "refused", "unknown", "p50", "p99", "p99.9", "longest"}, rows, true);
}

std::string faults_table(const RunRecord& record) {
  struct Figures {
    std::uint64_t fired = 0;
    std::uint64_t idle = 0;
    Time in_force{0};
  };
  std::map<std::string, Figures> kinds;
  for (const FaultWindow& window : record.windows) {
    Figures& figures = kinds[window.kind];
    ++(window.effective ? figures.fired : figures.idle);
    figures.in_force += window.effective ? window.until.value_or(record.ended) - window.from : Time{0};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [kind, figures] : kinds) {
    rows.push_back({escape(shortened(kind, 60)), grouped(figures.fired), grouped(figures.idle),
                    duration_text(figures.in_force)});
  }
  return rows.empty() ? "<p class=\"note\">There were no faults.</p>"
                      : table({"kind", "fired", "changed nothing", "in force"}, rows, true);
}

std::string script_lines(const std::string& script, const RunRecord* run, const Focus* focus) {
  std::map<int, std::pair<Time, std::uint64_t>> done;
  if (run != nullptr) {
    for (const Step& step : run->steps) {
      if (const int line = shown_line(*run, step.action.line); line > 0) {
        ++done.try_emplace(line, step.action.at, 0).first->second.second;
      }
    }
  }
  std::string html = "<ol class=\"script\">";
  int number = 0;
  for (std::size_t begin = 0; begin < script.size();) {
    const std::size_t end = std::min(script.find('\n', begin), script.size());
    if (static_cast<std::size_t>(++number) > kMostLines) {
      return html + "</ol><p class=\"note\">The other lines are in the run's folder.</p>";
    }
    const bool bad = focus != nullptr && focus->line == number;
    html += bad ? "<li class=\"bad\" id=\"bad-line\">" : "<li>";
    html +=
        "<code>" + escape(shortened(std::string_view(script).substr(begin, end - begin), 500)) + "</code>";
    if (const auto found = done.find(number); found != done.end()) {
      html += "<small>" + seconds_text(found->second.first) +
              (found->second.second > 1 ? ", " + grouped(found->second.second) + " times" : "") + "</small>";
    }
    html += (bad ? "<strong>this failed</strong></li>\n" : "</li>\n");
    begin = end + 1;
  }
  return html + "</ol>";
}

}  // namespace kiwi::lab::report
