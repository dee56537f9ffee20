#include <algorithm>
#include <set>

#include "lab/report/charts.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab::report {
namespace {

constexpr double kBar = 18;
/// Further faults at the same moment share the last row, without their names.
constexpr std::size_t kMostRows = 20;
constexpr std::size_t kMostBars = 1'500;

Time end_of(const FaultWindow& window, const Axis& axis) { return window.until.value_or(axis.to()); }

bool late(const FaultWindow& window, const Axis& axis) { return axis.fraction(window.from) > 0.89; }

struct Place {
  std::size_t row = 0;
  bool shared = false;
};

/// In which row each window is drawn: the first one that is free.
std::vector<Place> rows_of(const std::vector<const FaultWindow*>& windows, const Axis& axis) {
  std::vector<Time> free_from;
  std::vector<Place> rows;
  // A short window still needs room for its name: behind its begin, or at the end of the axis before it.
  const Time least = axis.span() / 9;
  for (const FaultWindow* window : windows) {
    std::size_t row = 0;
    while (row < free_from.size() &&
           free_from[row] > (late(*window, axis) ? window->from - least : window->from)) {
      ++row;
    }
    const bool shared = row >= kMostRows;
    row = std::min(row, kMostRows - 1);
    if (row >= free_from.size()) {
      free_from.resize(row + 1);
    }
    const Time own = late(*window, axis) ? Time{0} : least;
    free_from[row] = std::max(end_of(*window, axis), window->from + own);
    rows.push_back({row, shared});
  }
  return rows;
}

std::string title_of(const FaultWindow& window, const Axis& axis) {
  std::string title =
      window.kind + ": " + window.text + "\nfrom " + seconds_text(window.from) +
      (window.until ? " to " + seconds_text(*window.until) : " to the end (" + seconds_text(axis.to()) + ")");
  if (window.line > 0) {
    title += ", line " + std::to_string(window.line) + " of its file";
  }
  for (const auto& [name, value] : window.details) {
    title += "\n" + name + ": " + shortened(value, 200);
  }
  return escape(shortened(title, 600)) + (window.effective ? "" : "\nchanged nothing");
}

std::string nodes_text(const FaultWindow& window) {
  std::string text;
  for (const NodeId node : window.nodes) {
    text += " n" + to_string(node);
  }
  for (std::size_t i = 0; i < window.to.size(); ++i) {
    const bool both = window.text.find("<->") != std::string::npos;
    text += (i > 0 ? " n" : both ? " \u2194 n" : " \u2192 n") + to_string(window.to[i]);
  }
  return text;
}

}  // namespace

std::string_view group_of(const std::string& fault_kind) {
  static const std::set<std::string, std::less<>> kNotOfNodes = {"links", "one message", "time", "disk"};
  for (const script::VerbRow& row : script::verbs()) {
    if (row.fault == fault_kind && kNotOfNodes.contains(row.group)) {
      return row.group == "time" ? "time" : row.group == "disk" ? "disk" : "link";
    }
  }
  return "node";
}

FaultCharts fault_charts(const RunRecord& record, const Axis& axis) {
  FaultCharts charts;
  std::vector<const FaultWindow*> windows;
  for (const FaultWindow& window : record.windows) {
    if (windows.size() < kMostBars) {
      windows.push_back(&window);
    }
  }
  if (windows.empty()) {
    charts.rows = chart_row("faults", "faults", kBar, "<span class=\"none\">no faults</span>");
    return charts;
  }
  std::stable_sort(windows.begin(), windows.end(),
                   [](const FaultWindow* a, const FaultWindow* b) { return a->from < b->from; });
  const std::vector<Place> rows = rows_of(windows, axis);
  std::string bars;
  std::string shades;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const FaultWindow& window = *windows[i];
    const std::string group(group_of(window.kind));
    std::string bar = place(axis, window.from, end_of(window, axis));
    bar.insert(bar.size() - 1, ";top:" + decimal(static_cast<double>(rows[i].row) * kBar, 0) + "px");
    bars += "<span class=\"fault " + group + (window.effective ? "" : " idle") +
            (late(window, axis) ? " late" : "") + (rows[i].shared ? " shared" : "") + "\" " + bar +
            " title=\"" + title_of(window, axis) + "\"><i></i><b>" + escape(window.kind) +
            escape(nodes_text(window)) + "</b></span>\n";
    if (window.effective) {
      const double width = axis.x(end_of(window, axis)) - axis.x(window.from);
      shades += "<rect class=\"" + group + "\" x=\"" + axis.x_text(window.from) + "\" y=\"0\" width=\"" +
                decimal(std::max(width, 4.0), 1) + "\" height=\"100\"/>";
    }
  }
  std::size_t height = 1;
  for (const Place& place : rows) {
    height = std::max(height, place.row + 1);
  }
  std::string name = "faults";
  if (record.windows.size() > windows.size()) {
    name +=
        "<small>the first " + grouped(windows.size()) + " of " + grouped(record.windows.size()) + "</small>";
  }
  charts.rows = chart_row("faults", name, static_cast<double>(height) * kBar + 2, bars);
  charts.shades = drawing("shades", 100, shades);
  return charts;
}

}  // namespace kiwi::lab::report
