#pragma once

// The time axis that all charts of a page share. Drawings are SVG with x from 0 to kWidth, stretched to the
// width of the page; texts lie over them as HTML, placed by fractions of the axis, so that they keep their
// shape.

#include <algorithm>
#include <string>
#include <string_view>

#include "lab/report/text.hpp"
#include "lab/time.hpp"

namespace kiwi::lab::report {

inline constexpr double kWidth = 10000;

class Axis {
 public:
  Axis(Time from, Time to) : from_(from), to_(std::max(to, from + Time{1})) {}

  Time from() const { return from_; }
  Time to() const { return to_; }
  Time span() const { return to_ - from_; }
  bool covers(Time at) const { return at >= from_ && at <= to_; }
  /// 0 ... 1; times beside the axis are moved to its ends.
  double fraction(Time at) const {
    const auto inside = std::clamp(at, from_, to_) - from_;
    return static_cast<double>(inside.count()) / static_cast<double>(span().count());
  }
  double x(Time at) const { return fraction(at) * kWidth; }
  std::string x_text(Time at) const { return decimal(x(at), 1); }

 private:
  Time from_;
  Time to_;
};

/// A distance of 1, 2 or 5 times a power of ten, so that about `count` fit into `span` seconds.
double tick_step(double span, int count);

/// Numbers below the axis, as HTML.
std::string axis_row(const Axis& axis);

/// <svg> over the whole width of a plot, `height` pixels high.
std::string drawing(std::string_view classes, double height, const std::string& inside);
/// Of an element over the plot: style="--x:...;--w:..."; without a width when `to` is not behind `from`.
std::string place(const Axis& axis, Time from, Time to);
/// One row of the charts: its name, then its plot. `plot` is HTML.
std::string chart_row(std::string_view classes, const std::string& name_html, double height,
                      const std::string& plot);

}  // namespace kiwi::lab::report
