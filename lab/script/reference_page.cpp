#include <algorithm>
#include <vector>

#include "lab/script/grammar_rows.hpp"
#include "lab/script/help.hpp"
#include "lab/script/help_parts.hpp"
#include "lab/script/settings.hpp"

namespace kiwi::lab::script {
namespace {

/// A cell of a table: '|' would end it.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result.append(c == '|' ? "\\|" : std::string(1, c));
  }
  return result;
}

void row(std::string& into, std::initializer_list<std::string> cells) {
  into.append("|");
  for (const auto& each : cells) {
    into.append(" ").append(cell(each)).append(" |");
  }
  into.append("\n");
}

std::string code(std::string_view text) { return text.empty() ? "" : "`" + std::string(text) + "`"; }

void keys(std::string& into, std::string_view title, std::span<const ValueSpec> specs) {
  into.append("\n### Keys of `")
      .append(title)
      .append("`\n\n| key | value | default | what |\n|---|---|---|---|\n");
  for (const auto& spec : specs) {
    row(into, {code(spec.name), type_name(spec), code(spec.fallback), std::string(spec.summary)});
  }
}

void grammar(std::string& into, std::string_view title, std::span<const GrammarRow> rows) {
  into.append("\n## ").append(title).append("\n\n| form | what | example |\n|---|---|---|\n");
  for (const auto& each : rows) {
    row(into, {code(each.form), std::string(each.summary), code(each.example)});
  }
}

void arguments(std::string& into, std::span<const ValueSpec> specs, bool options) {
  for (const auto& spec : specs) {
    into.append("- `")
        .append(spec.name)
        .append(options ? "=`" : "`")
        .append(" ")
        .append(type_name(spec))
        .append(": ")
        .append(spec.summary);
    into.append(spec.required ? "; must be given" : "");
    into.append(spec.fallback.empty() ? "" : "; default `" + std::string(spec.fallback) + "`").append(".\n");
  }
}

void verb(std::string& into, const VerbRow& each) {
  into.append("\n#### `").append(usage(each)).append("`\n\n").append(upper(each.summary.substr(0, 1)));
  into.append(each.summary.substr(1)).append(". ").append(each.help).append("\n\n");
  arguments(into, each.words, false);
  arguments(into, each.options, true);
  into.append(each.words.empty() && each.options.empty() ? "" : "\n");
  into.append("Example: `").append(each.example).append("`. Backends: ").append(backends(each)).append(".");
  into.append(each.fault.empty() ? "" : " Counts as `" + std::string(each.fault) + "`.");
  if (!each.ends.empty()) {
    std::string kinds(each.ends);
    for (auto at = kinds.find('|'); at != std::string::npos; at = kinds.find('|', at)) {
      kinds.replace(at, 1, "`, `");
    }
    into.append(" Ends `").append(kinds).append("`.");
  }
  into.append(each.in_fuzz ? " Can be drawn by `fuzz`.\n" : "\n");
}

}  // namespace

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return result;
}

std::string type_word(const ValueSpec& spec) {
  if (spec.type == ValueType::choice) {
    return std::string(spec.choices.size() > 30 ? "word" : spec.choices);
  }
  const std::string name = type_name(spec);
  return name.substr(0, name.find_first_of(" ,"));
}

std::string backends(const VerbRow& row) {
  return row.sim && row.process ? "simulator and processes" : row.sim ? "simulator only" : "processes only";
}

std::string places(const PredicateRow& row) {
  std::string text;
  const auto add = [&](unsigned where, std::string_view name) {
    if ((row.where & where) != 0) {
      text.append(text.empty() ? "" : ", ").append(name);
    }
  };
  add(kInEvents, "expect, when");
  add(kInAlways, "always");
  add(kInFinally, "finally");
  add(kValue, "let, right sides");
  return text;
}

std::string reference_page() {
  std::string text =
      "# Reference of the scenario language\n\nMade from the tables of `lab/script` by `kiwi-fault help "
      "--page`; do not "
      "edit. How to write a scenario: [lab.md](lab.md).\n";
  grammar(text, "Lines", head_rows());
  keys(text, "cluster", cluster_keys());
  keys(text, "load", load_keys());
  grammar(text, "Time", time_rows());
  keys(text, "fuzz", fuzz_keys());
  grammar(text, "Events", event_rows());
  grammar(text, "Nodes", selector_rows());
  text.append("\n## Verbs\n");
  std::string_view group;
  for (const auto& each : verbs()) {
    if (each.group != group) {
      group = each.group;
      text.append("\n### ").append(upper(group.substr(0, 1))).append(group.substr(1)).append("\n");
    }
    verb(text, each);
  }
  text.append("\n## Predicates\n\n| form | what | where | example |\n|---|---|---|---|\n");
  for (const auto& each : predicates()) {
    row(text, {code(usage(each)), std::string(each.summary) + ". " + std::string(each.help), places(each),
               code(each.example)});
  }
  std::string kinds;
  for (const auto& kind : fault_kinds()) {
    kinds.append(kinds.empty() ? "`" : ", `").append(kind).append("`");
  }
  return text.append("\nKinds of faults: ").append(kinds).append(".\n");
}

}  // namespace kiwi::lab::script
