#include "lab/script/help.hpp"

#include <algorithm>
#include <vector>

#include "lab/script/error.hpp"
#include "lab/script/grammar_rows.hpp"
#include "lab/script/help_parts.hpp"
#include "lab/script/parse_parts.hpp"
#include "lab/script/predicates.hpp"
#include "lab/script/settings.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab::script {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kNames = 16;

/// `text` in lines that fit, each behind `indent` blanks; the first line begins where `into` is.
void wrap(std::string& into, std::string_view text, std::size_t indent) {
  std::size_t column = into.size() - (into.rfind('\n') == std::string::npos ? 0 : into.rfind('\n') + 1);
  bool first = true;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (!first && column + 1 + end > kColumns) {
      into.append("\n").append(indent, ' ');
      column = indent;
    } else if (!first) {
      into.append(" ");
      ++column;
    }
    into.append(text.substr(0, end));
    column += end;
    first = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  into.append("\n");
}

void entry(std::string& into, std::string_view name, std::string_view summary) {
  into.append("  ").append(name);
  into.append(name.size() < kNames ? kNames - name.size() : 1, ' ');
  wrap(into, summary, kNames + 2);
}

std::string help_of(const GrammarRow& row) {
  std::string text(row.form);
  text.append("\n\n  ");
  wrap(text, row.summary, 2);
  if (!row.example.empty()) {
    text.append("\n  ").append(row.example).append("\n");
  }
  return text;
}

void values(std::string& into, std::string_view title, std::span<const ValueSpec> specs) {
  if (!specs.empty()) {
    into.append("\n").append(title).append("\n");
  }
  for (const auto& spec : specs) {
    std::string what = type_name(spec) + ": " + std::string(spec.summary);
    if (spec.required) {
      what.append(" (must be given)");
    } else if (!spec.fallback.empty()) {
      what.append(" (default ").append(spec.fallback).append(")");
    }
    entry(into, spec.name, what);
  }
}

std::string help_of(const VerbRow& row) {
  std::string text = usage(row) + "\n\n  ";
  wrap(text, std::string(row.summary) + ".", 2);
  text.append("  ");
  wrap(text, row.help, 2);
  values(text, "words", row.words);
  values(text, "options", row.options);
  text.append("\n  for example    ").append(row.example).append("\n  backends       ").append(backends(row));
  text.append(row.fault.empty() ? "" : "\n  counts as      ").append(row.fault);
  if (!row.ends.empty()) {
    text.append("\n  ends           ");
    std::string kinds(row.ends);
    std::ranges::replace(kinds, '|', ' ');
    wrap(text, kinds, 17);
    return text;
  }
  return text.append("\n");
}

std::string help_of(const PredicateRow& row) {
  std::string text = usage(row) + "\n\n  ";
  wrap(text, std::string(row.summary) + ".", 2);
  text.append("  ");
  wrap(text, row.help, 2);
  values(text, "options", row.options);
  return text.append("\n  for example    ")
      .append(row.example)
      .append("\n  may stand in   ")
      .append(places(row))
      .append("\n");
}

}  // namespace

std::string usage(const VerbRow& row) {
  std::string text(row.name);
  switch (row.target) {
    case Target::none:
      break;
    case Target::nodes:
      text.append(" NODES");
      break;
    case Target::link:
      text.append(" NODES -> NODES");
      break;
    case Target::nodes_or_link:
      text.append(" NODES [-> NODES]");
      break;
    case Target::load:
      text.append(" LOAD");
      break;
    case Target::nodes_or_load:
      text.append(" NODES | LOAD");
      break;
    case Target::redis:
      return text.append(" [on NODE] [as CLIENT] COMMAND ... [-> REPLY]");
  }
  for (const auto& word : row.words) {
    std::string name = word.type == ValueType::choice && word.choices.find('|') == std::string_view::npos
                           ? std::string(word.choices)
                           : upper(word.name);
    text.append(word.required ? " " + name : " [" + name + "]");
  }
  for (const auto& option : row.options) {
    const std::string pair = std::string(option.name) + "=" + upper(type_word(option));
    text.append(option.required ? " " + pair : " [" + pair + "]");
  }
  return text;
}

std::string usage(const PredicateRow& row) {
  std::string text(row.name);
  std::string_view inside;
  switch (row.parameter) {
    case ParameterKind::nodes:
      inside = "NODES";
      break;
    case ParameterKind::loads:
      inside = "LOAD, ...";
      break;
    case ParameterKind::load:
      inside = "LOAD";
      break;
    case ParameterKind::fault:
      inside = "FAULT, ...";
      break;
    case ParameterKind::mark:
      inside = "MARK, ...";
      break;
    case ParameterKind::none:
      break;
  }
  if (row.name == "key") {
    text.append(" KEY");
  } else if (!inside.empty()) {
    std::string arguments = "(" + std::string(inside);
    for (const auto& option : row.options) {
      arguments.append("[, ").append(option.name).append("=" + upper(type_word(option)) + "]");
    }
    arguments.append(")");
    text.append(row.optional_parameter ? "[" + arguments + "]" : arguments);
  }
  constexpr std::string_view kRight[] = {"", "NUMBER", "DURATION", "NODE", "NODES", "ROLE", "VALUE"};
  if (row.result == ResultKind::truth) {
    return text;
  }
  const bool ordered = row.result == ResultKind::number || row.result == ResultKind::duration;
  const std::string right =
      (ordered ? " op " : " = ") + std::string(kRight[static_cast<std::size_t>(row.result)]);
  return text.append(row.compared ? right : " [" + right.substr(1) + "]");
}

std::string help() {
  std::string text = "Lines of a scenario\n";
  const auto section = [&](std::string_view title, std::span<const GrammarRow> rows) {
    text.append(title);
    for (const auto& row : rows) {
      entry(text, row.name, row.summary);
    }
  };
  section("", head_rows());
  section("\nTime\n", time_rows());
  section("\nEvents, for `when`; predicates are events, too\n", event_rows());
  section("\nNodes\n", selector_rows());
  std::string_view group;
  for (const auto& row : verbs()) {
    if (row.group != group) {
      group = row.group;
      text.append("\nVerbs: ").append(group).append("\n");
    }
    entry(text, row.name, row.summary);
  }
  text.append("\nPredicates\n");
  for (const auto& row : predicates()) {
    entry(text, row.name, row.summary);
  }
  return text.append("\nMore about each: kiwi-fault help WORD\n");
}

tl::expected<std::string, std::string> help(std::string_view word) {
  std::string text;
  const auto add = [&](std::string part) { text.append(text.empty() ? "" : "\n").append(part); };
  if (const VerbRow* row = find_verb(word)) {
    add(help_of(*row));
  }
  if (const PredicateRow* row = find_predicate(word)) {
    add(help_of(*row));
  }
  std::vector<std::string_view> known = names_of(verbs());
  const auto more = names_of(predicates());
  known.insert(known.end(), more.begin(), more.end());
  for (const auto rows : {head_rows(), time_rows(), event_rows(), selector_rows()}) {
    for (const auto& row : rows) {
      known.push_back(row.name);
      if (row.name == word) {
        add(help_of(row));
      }
    }
  }
  if (word == "cluster" || word == "load" || word == "fuzz") {
    values(text, "keys", word == "cluster" ? cluster_keys() : word == "load" ? load_keys() : fuzz_keys());
  }
  if (!text.empty()) {
    return text;
  }
  const std::string hint = did_you_mean(word, known);
  return tl::unexpected("no help on '" + std::string(word) + "'" + (hint.empty() ? "" : "; " + hint));
}

}  // namespace kiwi::lab::script
