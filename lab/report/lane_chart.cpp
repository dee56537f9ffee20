#include <algorithm>
#include <map>

#include "lab/report/charts.hpp"

namespace kiwi::lab::report {
namespace {

// From the top of a lane, in pixels: the band of roles, the strip of faults, the lines of the indexes.
constexpr double kBand = 20;
constexpr double kTerm = 3;  // of the band, in the colour of the term
constexpr double kStrip = 5;
constexpr double kLines = 30;
constexpr double kLane = kBand + kStrip + kLines + 3;
/// Per lane. Beyond them parts that are too short to be seen are joined, and marks left out.
constexpr std::size_t kMostParts = 1'500;
constexpr std::size_t kMostMarks = 400;

constexpr std::string_view kRoleNames[] = {"starting",  "follower", "pre-candidate",
                                           "candidate", "leader",   "learner"};
constexpr std::string_view kRoleClasses[] = {"starting",  "follower", "precandidate",
                                             "candidate", "leader",   "learner"};

/// A time in which a node's state is drawn as one.
struct Part {
  Time from{0};
  Time to{0};
  NodeView view;
};

bool drawn_alike(const NodeView& a, const NodeView& b) {
  return a.up == b.up && (!a.up || (a.paused == b.paused && a.role == b.role && a.term == b.term));
}

std::vector<Part> parts_of(const std::vector<const ViewChange*>& views, const Axis& axis) {
  std::vector<Part> parts;
  Time shortest{0};
  for (int attempt = 0; attempt < 20; ++attempt) {
    parts.clear();
    for (const ViewChange* change : views) {
      const bool brief = !parts.empty() && change->at - parts.back().from < shortest;
      if (!parts.empty()) {
        parts.back().to = change->at;
      }
      if (brief) {
        parts.back().view = change->view;
      } else if (parts.empty() || !drawn_alike(parts.back().view, change->view)) {
        parts.push_back({change->at, axis.to(), change->view});
      }
    }
    if (!parts.empty()) {
      parts.back().to = axis.to();
    }
    if (parts.size() <= kMostParts) {
      break;
    }
    shortest = std::max(shortest * 2, axis.span() / 10'000);
  }
  return parts;
}

std::string band_of(const std::vector<Part>& parts, const Axis& axis, std::string& labels) {
  std::string rects;
  for (const Part& part : parts) {
    const NodeView& view = part.view;
    const auto role = static_cast<std::size_t>(view.role);
    const double x = axis.x(part.from);
    const double width = std::max(axis.x(part.to) - x, 2.0);
    const std::string box = "x=\"" + decimal(x, 1) + "\" width=\"" + decimal(width, 1) + "\"";
    std::string text = "down";
    if (!view.up) {
      rects += "<rect class=\"" + std::string(view.failed ? "failed" : "down") + "\" " + box +
               " y=\"0\" height=\"" + decimal(kBand, 0) + "\"/>";
      text = view.failed ? "ended by itself: " + shortened(view.why, 80) : "down";
    } else {
      const std::string term_class = view.term.value % 2 == 0 ? "even" : "odd";
      rects += "<rect class=\"" + std::string(kRoleClasses[role]) + " " + term_class + "\" " + box +
               " y=\"0\" height=\"" + decimal(kBand, 0) + "\"/>";
      rects += "<rect class=\"t" + std::to_string(view.term.value % 6) + "\" " + box + " y=\"" +
               decimal(kBand - kTerm, 0) + "\" height=\"" + decimal(kTerm, 0) + "\"/>";
      text = (view.role == NodeRole::follower ? "" : std::string(kRoleNames[role]) + " ") + "t" +
             to_string(view.term);
      if (view.paused) {
        rects += "<rect class=\"paused\" " + box + " y=\"0\" height=\"" + decimal(kBand, 0) + "\"/>";
        text = "paused " + text;
      }
    }
    // Shorter ones hold no text even when the chart is stretched twentyfold.
    if (width >= kWidth / 1000) {
      labels += "<span class=\"term " + std::string(view.up ? kRoleClasses[role] : "down") +
                (view.up && view.paused ? " paused" : "") + "\" " + place(axis, part.from, part.to) +
                "><i></i><b>" + escape(text) + "</b></span>\n";
    }
  }
  return rects;
}

std::string strip_of(const RunRecord& record, NodeId node, const Axis& axis) {
  std::string rects;
  std::size_t drawn = 0;
  for (const FaultWindow& window : record.windows) {
    const bool concerns = std::find(window.nodes.begin(), window.nodes.end(), node) != window.nodes.end() ||
                          std::find(window.to.begin(), window.to.end(), node) != window.to.end();
    if (!concerns || !window.effective || ++drawn > kMostParts) {
      continue;
    }
    const double x = axis.x(window.from);
    rects += "<rect class=\"on-node " + std::string(group_of(window.kind)) + "\" x=\"" + decimal(x, 1) +
             "\" width=\"" + decimal(std::max(axis.x(window.until.value_or(axis.to())) - x, 8.0), 1) +
             "\" y=\"" + decimal(kBand, 0) + "\" height=\"" + decimal(kStrip, 0) + "\"/>";
  }
  return rects;
}

/// A line that leaves out where the node was down; at most one point for each drawn step of time.
std::string index_line(const std::vector<const ViewChange*>& views, Index NodeView::*which, double most,
                       const char* css, const Axis& axis) {
  const auto y = [&](const NodeView& view) {
    const double part = most > 0 ? static_cast<double>((view.*which).value) / most : 0;
    return decimal(kBand + kStrip + kLines * (1 - part) + 1, 1);
  };
  std::string path;
  double last_x = -100;
  const NodeView* before = nullptr;
  for (const ViewChange* change : views) {
    const double x = axis.x(change->at);
    const bool up = change->view.up && change->view.life > 0;
    const bool begins = before == nullptr || !before->up || before->life != change->view.life;
    if (before != nullptr && before->up && (begins || !up)) {
      path += "H" + decimal(x, 0);
    }
    if (up && (begins || x - last_x >= 10)) {
      path +=
          begins ? "M" + decimal(x, 0) + " " + y(change->view) : "H" + decimal(x, 0) + "V" + y(change->view);
      last_x = x;
    }
    before = &change->view;
  }
  if (before != nullptr && before->up && !path.empty()) {
    path += "V" + y(*before) + "H" + decimal(kWidth, 0);
  }
  return path.empty() ? "" : "<path class=\"" + std::string(css) + "\" d=\"" + path + "\"/>";
}

/// The drawing of a kind of happening (page.html); empty: it is not marked.
std::string symbol_of(const Happening& happening) {
  static const std::map<std::string, std::string> kSymbols = {
      {"crash", "crash"},      {"power-fail", "power"}, {"start", "start"},  {"start-failed", "crash"},
      {"stop", "stop"},        {"pause", "pause"},      {"resume", "start"}, {"wipe", "other"},
      {"clone-disk", "other"}, {"flip", "other"},       {"failed", "crash"}, {"ended", "crash"},
      {"kill-actor", "other"}, {"throw-in", "other"}};
  const auto found = kSymbols.find(happening.kind);
  return found == kSymbols.end() ? "" : found->second;
}

std::string marks_of(const RunRecord& record, NodeId node, const Axis& axis, std::size_t& left_out) {
  std::string marks;
  std::size_t drawn = 0;
  for (const Happening& happening : record.happenings) {
    const std::string symbol = happening.node == node ? symbol_of(happening) : "";
    // Every node starts with the run.
    if (symbol.empty() || (happening.kind == "start" && happening.at == Time{0})) {
      continue;
    }
    if (++drawn > kMostMarks) {
      ++left_out;
      continue;
    }
    std::string title = happening.kind + " of n" + to_string(node) + " at " + seconds_text(happening.at);
    for (const auto& [name, value] : happening.fields) {
      title += "\n" + name + ": " + shortened(value, 160);
    }
    marks += "<svg class=\"mark " + symbol + "\" " + place(axis, happening.at, happening.at) +
             " role=\"img\"><title>" + escape(title) + "</title><use href=\"#m-" + symbol + "\"/></svg>\n";
  }
  return marks;
}

}  // namespace

std::string lane_charts(const RunRecord& record, const Axis& axis) {
  std::map<NodeId, std::vector<const ViewChange*>> lanes;
  for (std::uint64_t id = 1; id <= record.node_count; ++id) {
    lanes[NodeId(id)];
  }
  double most = 0;
  for (const ViewChange& change : record.views) {
    lanes[change.view.id].push_back(&change);
    most = std::max(most, static_cast<double>(std::max(change.view.commit, change.view.applied).value));
  }
  std::string rows;
  for (const auto& [node, views] : lanes) {
    std::string labels;
    std::size_t left_out = 0;
    const std::string inside = band_of(parts_of(views, axis), axis, labels) + strip_of(record, node, axis) +
                               index_line(views, &NodeView::applied, most, "applied", axis) +
                               index_line(views, &NodeView::commit, most, "commit", axis);
    const std::string marks = marks_of(record, node, axis, left_out);
    std::string name = "n" + to_string(node);
    if (left_out > 0) {
      name += "<small>" + grouped(left_out) + " marks left out</small>";
    }
    const std::string none = views.empty() ? "<span class=\"none\">not seen</span>" : "";
    rows += chart_row("lane", name, kLane, drawing("lanes", kLane, inside) + labels + marks + none);
  }
  return rows;
}

}  // namespace kiwi::lab::report
