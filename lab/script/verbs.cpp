#include "lab/script/verbs.hpp"

#include <algorithm>
#include <set>

#include "lab/script/reply_pattern.hpp"
#include "lab/script/values.hpp"
#include "lab/script/verbs_table.hpp"
#include "messages/assert.hpp"

namespace kiwi::lab::script {
namespace {

std::vector<std::string> split(std::string_view names) {
  std::vector<std::string> result;
  while (!names.empty()) {
    const auto bar = std::min(names.find('|'), names.size());
    result.emplace_back(names.substr(0, bar));
    names.remove_prefix(std::min(bar + 1, names.size()));
  }
  return result;
}

const VerbRow& row_of(const Action& action) {
  const VerbRow* row = find_verb(action.verb);
  KIWI_ASSERT(row != nullptr, "an action has a verb of the table");
  return *row;
}

std::string wrong_ends(const VerbRow& row, const Action& action) {
  const auto ascending = [](const std::vector<NodeId>& nodes) {
    return std::ranges::adjacent_find(nodes, std::greater_equal()) == nodes.end() &&
           std::ranges::all_of(nodes, [](NodeId n) { return n.value >= 1 && n.value <= 99; });
  };
  if (!ascending(action.nodes) || !ascending(action.to)) {
    return "nodes must ascend, from n1 to n99";
  }
  const bool nodes = !action.nodes.empty();
  const bool to = !action.to.empty();
  if (action.both_ways && !to) {
    return "both ways, but without a link";
  }
  switch (row.target) {
    case Target::none:
    case Target::load:
      return nodes || to ? "takes no nodes" : "";
    case Target::nodes:
      return !nodes || to ? "takes nodes" : "";
    case Target::link:
      return !nodes || !to ? "takes a link" : "";
    case Target::nodes_or_link:
      return !nodes ? "takes nodes or a link" : "";
    case Target::nodes_or_load:
      return to ? "takes no link" : "";
    case Target::redis:
      return action.nodes.size() > 1 || to ? "takes one node at most" : "";
  }
  return "";
}

std::string wrong_options(const VerbRow& row, const Action& action) {
  for (const auto& [key, value] : action.options) {
    const auto spec = std::ranges::find(row.options, key, &ValueSpec::name);
    if (spec == row.options.end()) {
      return "has no option '" + key + "'";
    }
    if (const auto wanted = wrong_value(*spec, value)) {
      return "option '" + key + "' must be " + *wanted;
    }
  }
  for (const auto& spec : row.options) {
    if (spec.required && !action.options.contains(std::string(spec.name))) {
      return "option '" + std::string(spec.name) + "' is missing";
    }
  }
  return "";
}

std::string wrong_words(const VerbRow& row, std::span<const std::string> words) {
  std::size_t i = 0;
  for (const auto& spec : row.words) {
    if (i == words.size()) {
      if (spec.required) {
        return "'" + std::string(spec.name) + "' is missing";
      }
      break;
    }
    if (const auto wanted = wrong_value(spec, words[i])) {
      return "'" + std::string(spec.name) + "' must be " + *wanted;
    }
    ++i;
  }
  return i < words.size() ? "'" + words[i] + "' is too much" : "";
}

std::string wrong_redis(const Action& action) {
  if (action.words.empty()) {
    return "a command is missing";
  }
  for (const auto& [key, value] : action.options) {
    if (key != "as" && key != "reply") {
      return "has no option '" + key + "'";
    }
    if (key == "as" && !is_name(value)) {
      return "'as' must be a name";
    }
    if (key == "reply" && !read_reply_pattern(value)) {
      return "'reply' must be " + std::string(kReplyExpectation);
    }
  }
  return "";
}

}  // namespace

std::span<const VerbRow> verbs() {
  static const std::vector<VerbRow> all = [] {
    std::vector<VerbRow> rows;
    for (const auto part : {link_verbs(), node_verbs(), disk_verbs(), load_verbs()}) {
      rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
  }();
  return all;
}

const VerbRow* find_verb(std::string_view name) {
  const auto all = verbs();
  const auto found = std::ranges::find(all, name, &VerbRow::name);
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> faults_of(const Action& action) {
  const auto& row = row_of(action);
  std::vector<std::string> kinds;
  if (row.fault.empty() || (row.target == Target::nodes_or_load && action.nodes.empty())) {
    return kinds;
  }
  kinds.emplace_back(row.fault);
  if (row.name == "power-fail" && !action.words.empty()) {
    kinds.emplace_back("torn");
  }
  return kinds;
}

std::vector<std::string> fault_kinds() {
  std::set<std::string> kinds{"torn"};
  for (const auto& row : verbs()) {
    if (!row.fault.empty()) {
      kinds.emplace(row.fault);
    }
  }
  return {kinds.begin(), kinds.end()};
}

std::vector<std::string> ended_by(const Action& action) { return split(row_of(action).ends); }

std::string wrong_action(const Action& action) {
  const VerbRow* row = find_verb(action.verb);
  if (row == nullptr) {
    return "unknown verb '" + action.verb + "'";
  }
  std::string wrong =
      action.at < Time(0) || action.line < 0 ? "is before the start" : wrong_ends(*row, action);
  if (wrong.empty() && row->target == Target::redis) {
    wrong = wrong_redis(action);
  } else if (wrong.empty()) {
    std::span<const std::string> words = action.words;
    const bool load =
        row->target == Target::load || (row->target == Target::nodes_or_load && action.nodes.empty());
    if (load && (words.empty() || !is_name(words[0]) || read_node(words[0]))) {
      wrong = "takes the name of a load";
    } else {
      wrong = wrong_words(*row, load ? words.subspan(1) : words);
    }
    if (wrong.empty()) {
      wrong = wrong_options(*row, action);
    }
  }
  return wrong.empty() ? wrong : action.verb + ": " + wrong;
}

}  // namespace kiwi::lab::script
