#include <algorithm>
#include <vector>

#include "lab/report/axis.hpp"
#include "lab/report/closeup.hpp"

namespace kiwi::lab::report {
namespace {

using history::Operation;

constexpr std::size_t kMostBars = 48;
constexpr std::size_t kLeastNeighbours = 6;
constexpr Time kNear = std::chrono::milliseconds(20);

bool touches(const Operation& operation, const std::string& key) {
  const auto& words = operation.command;
  return words.size() > 1 && std::find(words.begin() + 1, words.end(), key) != words.end();
}

Time end_of(const Operation& operation, const RunRecord& record) {
  return std::max(operation.returned_at.value_or(record.ended), operation.invoked_at);
}

/// How far an operation is from what one wants to look at.
Time distance(const Operation& operation, const std::vector<const Operation*>& centres, Time at,
              const RunRecord& record) {
  const auto from_span = [&](Time from, Time to) {
    const Time before = from - end_of(operation, record);
    const Time behind = operation.invoked_at - to;
    return std::max({before, behind, Time{0}});
  };
  Time least = from_span(at, at);
  for (const Operation* centre : centres) {
    least = std::min(least, from_span(centre->invoked_at, end_of(*centre, record)));
  }
  return least;
}

std::vector<const Operation*> chosen(const RunRecord& record, const Focus& focus, std::size_t& candidates) {
  std::vector<const Operation*> failing;
  std::vector<const Operation*> others;
  for (const Operation& operation : record.history.operations()) {
    if (focus.operations.contains(operation.number)) {
      failing.push_back(&operation);
    } else if (focus.key.empty() ? operation.invoked_at <= *focus.at : touches(operation, focus.key)) {
      others.push_back(&operation);
    }
  }
  candidates = failing.size() + others.size();
  failing.resize(std::min(failing.size(), kMostBars));
  std::vector<std::pair<Time, const Operation*>> ranked;
  ranked.reserve(others.size());
  for (const Operation* operation : others) {
    ranked.emplace_back(distance(*operation, failing, *focus.at, record), operation);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  // Further away they would only make the others small; some are shown all the same.
  Time from = *focus.at;
  Time to = *focus.at;
  for (const Operation* operation : failing) {
    from = std::min(from, operation->invoked_at);
    to = std::max(to, operation->invoked_at);
  }
  const Time far = std::max((to - from) / 4, kNear);
  const std::size_t neighbours =
      focus.key.empty() ? 16 : std::max<std::size_t>(kMostBars / 2, failing.size());
  std::vector<const Operation*> all = failing;
  for (std::size_t i = 0; i < ranked.size() && i < neighbours && all.size() < kMostBars; ++i) {
    if (ranked[i].first > far && i >= kLeastNeighbours) {
      break;
    }
    all.push_back(ranked[i].second);
  }
  std::stable_sort(all.begin(), all.end(), [](const Operation* a, const Operation* b) {
    return std::pair(a->invoked_at, a->number) < std::pair(b->invoked_at, b->number);
  });
  return all;
}

std::string_view css_of(const Operation& operation) {
  return operation.outcome == history::Outcome::done       ? "done"
         : operation.outcome == history::Outcome::not_done ? "refused"
                                                           : "unknown";
}

std::string bar(const Operation& operation, const RunRecord& record, const Focus& focus, const Axis& axis) {
  const bool fails = focus.operations.contains(operation.number);
  const Time end = end_of(operation, record);
  std::string words;
  for (const std::string& word : operation.command) {
    words += (words.empty() ? "" : " ") + shortened(word, 60);
  }
  std::string reply = operation.reply ? history::describe(*operation.reply) : "no reply";
  std::string who = "#" + std::to_string(operation.number) + " client " + std::to_string(operation.client) +
                    (operation.node ? " at n" + to_string(operation.node) : "");
  std::string row = "<div class=\"op" + std::string(fails ? " failing" : "") + "\"><div class=\"what\">";
  row += (fails ? "<em>\u25b6</em> " : "") + std::string("<code>") + escape(shortened(words, 160)) +
         " \u2192 " + escape(shortened(reply, 120)) + "</code><small>" + escape(who) + ", " +
         exact_seconds_text(operation.invoked_at) +
         (operation.returned_at ? " for " + duration_text(end - operation.invoked_at) : ", never answered") +
         ", " +
         (operation.outcome == history::Outcome::not_done ? "refused" : std::string(css_of(operation))) +
         "</small></div><div class=\"plot\"><span class=\"bar " + std::string(css_of(operation)) + "\" " +
         place(axis, std::max(operation.invoked_at, axis.from()),
               std::max(std::min(end, axis.to()), axis.from() + Time{1})) +
         "></span></div></div>\n";
  return row;
}

}  // namespace

std::string operation_bars(const RunRecord& record, const Focus& focus) {
  if (!focus.at) {
    return "";
  }
  std::size_t candidates = 0;
  const std::vector<const Operation*> operations = chosen(record, focus, candidates);
  if (operations.empty()) {
    return "";
  }
  Time from = *focus.at;
  Time to = *focus.at;
  for (const Operation* operation : operations) {
    from = std::min(from, operation->invoked_at);
    // What was never answered would stretch the axis to the end of the run.
    to = std::max({to, operation->invoked_at, operation->returned_at.value_or(Time{0})});
  }
  const Time margin = std::max((to - from) / 50, Time(std::chrono::microseconds(10)));
  const Axis axis(std::max(from - margin, Time{0}), to + margin);
  std::string html = "<div class=\"ops\">";
  for (const Operation* operation : operations) {
    html += bar(*operation, record, focus, axis);
  }
  html += axis_row(axis) + "</div>";
  if (candidates > operations.size()) {
    html += "<p class=\"note\">" + grouped(operations.size()) + " of " + grouped(candidates) +
            (focus.key.empty() ? " operations: those nearest to the moment."
                               : " operations that name this key: those nearest to the failing ones.") +
            "</p>";
  }
  return html;
}

}  // namespace kiwi::lab::report
