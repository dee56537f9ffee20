#pragma once

// The charts of a page, as HTML with SVG inside: one row each, all on the same axis.

#include <string>
#include <string_view>
#include <vector>

#include "lab/report/axis.hpp"
#include "lab/report/focus.hpp"
#include "lab/run/record.hpp"

namespace kiwi::lab::report {

/// "link", "disk", "time" or "node": what colours a fault. Its name is always written beside the colour.
std::string_view group_of(const std::string& fault_kind);

/// A row of bars for each fault that was in force, and the shades behind all rows.
struct FaultCharts {
  std::string rows;
  std::string shades;
};
FaultCharts fault_charts(const RunRecord& record, const Axis& axis);

/// A row per node: role and term, faults on it, what happened to it, commit and applied index.
std::string lane_charts(const RunRecord& record, const Axis& axis);

/// An operation that is drawn as a dot, for hovering.
struct Dot {
  double x = 0;  // 0 ... kWidth
  double y = 0;  // pixels
  std::string text;
};
struct LoadCharts {
  std::string rows;
  std::vector<Dot> dots;
  /// What the drawing leaves out; empty: nothing.
  std::string note;
};
LoadCharts load_charts(const RunRecord& record, const Axis& axis, const Focus& focus, std::size_t most_dots);

}  // namespace kiwi::lab::report
