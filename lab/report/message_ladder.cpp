#include <algorithm>
#include <optional>
#include <vector>

#include "lab/report/closeup.hpp"
#include "lab/report/text.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab::report {
namespace {

constexpr std::size_t kBefore = 60;
constexpr std::size_t kAfter = 30;
/// Events further away say nothing about the moment; a few are shown all the same.
constexpr Time kAround = std::chrono::seconds(2);
constexpr std::size_t kLeastBefore = 8;
constexpr double kColumn = 26;  // pixels
constexpr double kHeight = 20;

double column(std::uint64_t node) { return (static_cast<double>(node) - 0.5) * kColumn; }

std::string field(const Happening& happening, const char* name) {
  const auto found = happening.fields.find(name);
  return found == happening.fields.end() ? "" : found->second;
}

/// Columns of the nodes, and the arrow or the dot of one line.
std::string picture(const Happening& happening, std::uint64_t nodes) {
  const double middle = kHeight / 2;
  std::string inside = "<path class=\"life\" d=\"";
  for (std::uint64_t node = 1; node <= nodes; ++node) {
    inside += "M" + decimal(column(node), 1) + " 0v" + decimal(kHeight, 0);
  }
  inside += "\"/>";
  const std::uint64_t from = happening.node.value;
  const std::uint64_t to = script::read_number(field(happening, "to")).value_or(0);
  if (happening.kind == "message" && from > 0 && from <= nodes && to > 0 && to <= nodes && to != from) {
    const double x = column(from);
    const double tip = column(to);
    const double back = tip > x ? -6 : 6;
    inside += "<path class=\"arrow\" d=\"M" + decimal(x, 1) + " " + decimal(middle, 1) + "H" +
              decimal(tip + back / 2, 1) + "\"/><path class=\"arrowhead\" d=\"M" + decimal(tip, 1) + " " +
              decimal(middle, 1) + "l" + decimal(back, 0) + " -4v8z\"/>";
  } else if (from > 0 && from <= nodes) {
    inside += "<circle class=\"event\" r=\"4.5\" cx=\"" + decimal(column(from), 1) + "\" cy=\"" +
              decimal(middle, 1) + "\"/>";
  }
  return "<svg width=\"" + decimal(static_cast<double>(nodes) * kColumn, 0) + "\" height=\"" +
         decimal(kHeight, 0) + "\" aria-hidden=\"true\">" + inside + "</svg>";
}

std::string words_of(const Happening& happening) {
  const bool message = happening.kind == "message";
  std::string who;
  if (happening.node) {
    who = "n" + to_string(happening.node) + (message ? "\u2192n" + field(happening, "to") : "");
  }
  std::string fields = happening.kind == "log" ? " " + shortened(field(happening, "text"), 300) : "";
  for (const auto& [name, value] : happening.fields) {
    if (message ? name != "kind" && name != "to" : happening.kind != "log") {
      fields += " " + name + "=" + shortened(value, 120);
    }
  }
  const std::string kind = message ? field(happening, "kind") : happening.kind;
  return "<b>" + escape(who) + " " + escape(shortened(kind, 60)) + "</b><span>" +
         escape(shortened(fields, 300)) + "</span>";
}

}  // namespace

std::string message_ladder(const RunRecord& record, const Focus& focus) {
  if (!focus.at) {
    return "";
  }
  const auto& all = record.happenings;
  const auto behind = std::upper_bound(all.begin(), all.end(), *focus.at,
                                       [](Time at, const Happening& happening) { return at < happening.at; });
  const auto at = static_cast<std::size_t>(behind - all.begin());
  std::size_t first = at - std::min(at, kLeastBefore);
  while (first > 0 && at - first < kBefore && all[first - 1].at >= *focus.at - kAround) {
    --first;
  }
  std::size_t last = at;
  while (last < all.size() && last - at < kAfter && all[last].at <= *focus.at + kAround) {
    ++last;
  }
  if (first == last) {
    return "";
  }
  // A file may name any node; the width is for those of the cluster.
  const std::uint64_t nodes = std::clamp<std::uint64_t>(record.node_count, 1, 40);
  std::string names;
  for (std::uint64_t node = 1; node <= nodes; ++node) {
    names += "<span>n" + std::to_string(node) + "</span>";
  }
  std::string html = "<div class=\"ladder\"><div class=\"step head\"><time>time</time><div class=\"nodes\">" +
                     names + "</div><div class=\"say\">sent by \u2192 to, or what happened</div></div>\n";
  const std::string here = "<div class=\"here\">" + seconds_text(*focus.at) + ": " +
                           escape(shortened(focus.what, 200)) + "</div>\n";
  for (std::size_t i = first; i < last; ++i) {
    if (i == at) {
      html += here;
    }
    const bool message = all[i].kind == "message";
    html += "<div class=\"step" + std::string(message ? "" : " own") + "\"><time>" +
            exact_seconds_text(all[i].at) + "</time>" + picture(all[i], nodes) + "<div class=\"say\">" +
            words_of(all[i]) + "</div></div>\n";
  }
  if (last == at) {
    html += here;
  }
  const bool messages =
      std::any_of(all.begin() + static_cast<long>(first), all.begin() + static_cast<long>(last),
                  [](const Happening& happening) { return happening.kind == "message"; });
  return html + "</div>" +
         (messages ? ""
                   : "<p class=\"note\">No messages are in the record here: they are kept around a failure "
                     "that the "
                     "run itself saw.</p>");
}

}  // namespace kiwi::lab::report
