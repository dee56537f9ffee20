#include "lab/report/axis.hpp"

#include <cmath>

namespace kiwi::lab::report {

double tick_step(double span, int count) {
  const double rough = std::max(span, 1e-9) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      return factor * power;
    }
  }
  return 10 * power;
}

std::string axis_row(const Axis& axis) {
  const double from = std::chrono::duration<double>(axis.from()).count();
  const double to = std::chrono::duration<double>(axis.to()).count();
  const double step = tick_step(to - from, 8);
  std::string ticks;
  for (double at = std::ceil(from / step) * step; at <= to; at += step) {
    const double fraction = (at - from) / (to - from);
    // The last one would stick out of the page.
    const char* end = fraction > 0.96 ? " last" : fraction < 0.02 ? " first" : "";
    ticks += "<span class=\"tick" + std::string(end) + "\" style=\"--x:" + decimal(fraction, 5) + "\">" +
             decimal(at, 6) + " s</span>";
  }
  return chart_row("axis", "", 18, ticks);
}

std::string drawing(std::string_view classes, double height, const std::string& inside) {
  return "<svg class=\"" + std::string(classes) + "\" viewBox=\"0 0 " + decimal(kWidth, 0) + " " +
         decimal(height, 1) + "\" preserveAspectRatio=\"none\" aria-hidden=\"true\">" + inside + "</svg>";
}

std::string place(const Axis& axis, Time from, Time to) {
  std::string style = "style=\"--x:" + decimal(axis.fraction(from), 6);
  if (to > from) {
    style += ";--w:" + decimal(axis.fraction(to) - axis.fraction(from), 6);
  }
  return style + "\"";
}

std::string chart_row(std::string_view classes, const std::string& name_html, double height,
                      const std::string& plot) {
  return "<div class=\"row " + std::string(classes) + "\"><div class=\"name\">" + name_html +
         "</div><div class=\"plot\" style=\"height:" + decimal(height, 1) + "px\">" + plot + "</div></div>\n";
}

}  // namespace kiwi::lab::report
