#include "lab/report/focus.hpp"

#include <algorithm>
#include <string_view>

namespace kiwi::lab::report {
namespace {

/// The line that holds all of a final or lasting check, "finally gap(L1) < 6s": the last one with its text.
int line_with(const std::string& script, std::string_view text) {
  for (const std::string_view head : {"finally ", "always "}) {
    if (text.substr(0, head.size()) == head) {
      text.remove_prefix(head.size());
    }
  }
  const auto found = text.empty() ? std::string::npos : script.rfind(text);
  return found == std::string::npos
             ? 0
             : 1 + static_cast<int>(
                       std::count(script.begin(), script.begin() + static_cast<long>(found), '\n'));
}

void look_at_operations(const RunRecord& record, Focus& focus) {
  focus.operations = {record.failing.begin(), record.failing.end()};
  focus.key = record.failing_key;
  const history::Operation* last = nullptr;
  for (const std::uint64_t number : focus.operations) {
    const history::Operation* operation = record.history.find(number);
    if (operation != nullptr && (last == nullptr || operation->invoked_at >= last->invoked_at)) {
      last = operation;
    }
  }
  if (last != nullptr) {
    focus.at = last->returned_at.value_or(last->invoked_at);
    focus.what = "operation #" + std::to_string(last->number);
  }
}

void look_at_checks(const RunRecord& record, Focus& focus) {
  for (const Checked& check : record.checks) {
    if (check.outcome == Outcome::fail && (!focus.at || check.text == record.verdict.check)) {
      focus.at = check.until;
      focus.what = check.text;
      focus.line = check.line > 0 ? shown_line(record, check.line) : line_with(record.script, check.text);
      if (check.text == record.verdict.check) {
        return;
      }
    }
  }
}

void look_at_nodes(const RunRecord& record, Focus& focus) {
  for (const ViewChange& change : record.views) {
    if (change.view.failed) {
      focus.at = change.at;
      focus.what = "n" + to_string(change.view.id) + " ended by itself";
      return;
    }
  }
}

}  // namespace

int shown_line(const RunRecord& record, int line) {
  const auto found = record.text_lines.find(line);
  return found == record.text_lines.end() ? 0 : found->second;
}

Focus focus_of(const RunRecord& record) {
  Focus focus;
  if (record.verdict.outcome != Outcome::fail) {
    return focus;
  }
  const std::string& check = record.verdict.check;
  const auto is = [&](std::string_view head) { return check.compare(0, head.size(), head) == 0; };
  if (is("clients")) {
    look_at_operations(record, focus);
  } else if (is("invariant")) {
    for (const Happening& happening : record.happenings) {
      if (happening.kind == "invariant") {
        focus.at = happening.at;
        focus.what = check;
        break;
      }
    }
  } else if (is("node-ended")) {
    look_at_nodes(record, focus);
  } else {
    look_at_checks(record, focus);
  }
  if (!focus.at) {
    focus.at = record.ended;
    focus.what = check.empty() ? "the end of the run" : check;
  }
  if (focus.line == 0) {
    focus.line = line_with(record.script, check);
  }
  if (focus.line == 0 && is("clients")) {
    focus.line = line_with(record.script, "linearizable(");
  }
  return focus;
}

}  // namespace kiwi::lab::report
